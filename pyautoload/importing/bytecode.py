"""The stock bytecode cache, read with fewer steps than the stock loader takes, and with one question more.

Format and validation as in PEP 552: magic number, flags, then source mtime in whole seconds and source size. Besides,
the cache file must not be older than the source: one saved twice in a second, with the same size, looks unchanged.
Where times are kept in coarse steps, it must be of a later one.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, cache_from_source
from types import CodeType

from pyautoload.sources.time_steps import step_of

__all__ = ["cache_path", "cached_code", "is_older", "lazy_cache_path", "write_cache"]

_HEADER = 16
# Magic number and flags of a cache that is validated by mtime and size. Others (validated by hash) are rare: those are
# left to the stock loader.
_TIMESTAMP_HEADER = MAGIC_NUMBER + b"\0\0\0\0"
# A source edited again in the second in which its bytecode was written looks unchanged by seconds and size. Where
# source may change, bytecode counts only if it was written this much (ns) after the source's last change.
_SURELY_LATER_NS = 1_000_000_000

# Counts the ways in which lazy imports were written into code: part of the name of the cache file.
LAZY_FORMAT = 2
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 16
_CACHE = f"__pycache__{os.sep}"
# What follows the stem in the name of a cache file, ``.cpython-312.pyc``; None where nothing is cached.
_TAIL = None
if sys.implementation.cache_tag is not None:
    _LEVEL = f".opt-{sys.flags.optimize}" if sys.flags.optimize else ""
    _TAIL = f".{sys.implementation.cache_tag}{_LEVEL}.pyc"


def cache_path(path: str) -> str | None:
    """Where the bytecode of a source file is cached, ``None`` where there is no such place."""
    if sys.pycache_prefix is not None or _TAIL is None:
        try:
            return cache_from_source(path)
        except NotImplementedError:
            return None
    at = path.rfind(os.sep) + 1
    return f"{path[:at]}{_CACHE}{path[at:-3]}{_TAIL}"


def cached_code(
    path: str, cached: str | None, *, surely_fresh: bool = False
) -> tuple[CodeType | None, os.stat_result | None]:
    """The code of a source file from its bytecode cache.

    Args:
        path: the source file, a ``.py`` file.
        cached: its cache file.
        surely_fresh: do not take bytecode that an edit within the same second could have made stale.

    Returns:
        The code, ``None`` where the cache is missing, stale or of another kind; and the source's status, ``None`` where
        the source cannot be read.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None, None
    modified = status.st_mtime_ns
    if cached is None:
        return None, status
    # Bytecode that is older than the source, to the nanosecond, is that of an earlier text of the same second and size.
    step = step_of(status)
    data = _read(cached, modified + max(_SURELY_LATER_NS, step) if surely_fresh else modified + step)
    # As the stock loader has it: magic number and flags, then seconds and size in four bytes each.
    if data is None or not data.startswith(_expected_header(modified, status.st_size)):
        return None, status
    try:
        code = marshal.loads(data[_HEADER:])
    except (EOFError, ValueError, TypeError):
        return None, status
    if not isinstance(code, CodeType):
        return None, status
    if code.co_filename != path:
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
    return code, status


def is_older(cached: str | None, source: os.stat_result | None) -> bool:
    """Whether there is a cache file that may have been written before the source: the stock loader might take it."""
    if cached is None or source is None:
        return False
    try:
        with open(cached, "rb") as opened:
            by_time = opened.read(8)[4:] == _TIMESTAMP_HEADER[4:]  # others go by the content of the source
            return by_time and os.fstat(opened.fileno()).st_mtime_ns < source.st_mtime_ns + step_of(source)
    except OSError:
        return False


def _expected_header(modified_ns: int, size: int) -> bytes:
    seconds = (modified_ns // 1_000_000_000) & 0xFFFFFFFF
    # Without `struct`, which nothing else here needs.
    return _TIMESTAMP_HEADER + ((size & 0xFFFFFFFF) << 32 | seconds).to_bytes(8, "little")


def _read(cached: str, not_before: int) -> bytes | None:
    """The content of a cache file, ``None`` where there is none, or it was written before ``not_before`` (ns)."""
    try:
        # Three system calls. A buffered file takes eight, and half of the time that a load spends on reading.
        descriptor = os.open(cached, _FLAGS)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_mtime_ns < not_before:
            return None
        data = os.read(descriptor, _CHUNK)
        if len(data) < _CHUNK:
            return data
        parts = [data]
        while data := os.read(descriptor, _CHUNK):
            parts.append(data)
        return b"".join(parts)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def lazy_cache_path(path: str) -> str | None:
    """Where code with lazy imports is cached: never in the stock cache, which is for code of the file's own text."""
    level = str(sys.flags.optimize) if sys.flags.optimize else ""
    try:
        return cache_from_source(path, optimization=f"{level}lazy{LAZY_FORMAT}")
    except NotImplementedError:
        return None


def write_cache(
    loader: SourceFileLoader, path: str, code: CodeType, size: int, mtime_ns: int | None, cached: str | None = None
) -> None:
    """Write the bytecode cache of a source file as the stock loader does; failures to write are ignored there too.

    Args:
        loader: whose ``set_data`` writes, atomically.
        path: the source file.
        code: its code.
        size: the source's size in bytes.
        mtime_ns: the source's modification time in ns before it was read.
        cached: the cache file, if it is not the stock one.
    """
    cached = cached or cache_path(path)
    if sys.dont_write_bytecode or cached is None or mtime_ns is None:
        return
    data = bytearray(_expected_header(mtime_ns, size) + marshal.dumps(code))
    loader._cache_bytecode(path, cached, data)  # type: ignore[attr-defined]
