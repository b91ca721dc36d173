"""The stock bytecode cache, read with fewer steps than the stock loader takes and by the same rules.

Format and validation as in PEP 552: magic number, flags, then source mtime in whole seconds and source size.
"""

from __future__ import annotations

import _imp
import importlib.util
import io
import marshal
import os
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType

__all__ = ["cached_code", "write_cache"]

_MAGIC = importlib.util.MAGIC_NUMBER
_HEADER = 16
# Magic number and flags of a cache that is validated by mtime and size. Others (validated by hash) are rare: those are
# left to the stock loader.
_TIMESTAMP_HEADER = _MAGIC + b"\0\0\0\0"
# A source edited again in the second in which its bytecode was written looks unchanged by seconds and size. Where
# source may change, bytecode counts only if it was written this much (ns) after the source's last change.
_SURELY_LATER_NS = 1_000_000_000


def cache_path(path: str) -> str | None:
    """Where the bytecode of a source file is cached, ``None`` where there is no such place."""
    if sys.pycache_prefix is not None or sys.implementation.cache_tag is None:
        try:
            return importlib.util.cache_from_source(path)
        except NotImplementedError:
            return None
    directory, name = os.path.split(path)
    level = sys.flags.optimize
    suffix = f".opt-{level}.pyc" if level else ".pyc"
    return f"{directory}{os.sep}__pycache__{os.sep}{name[:-3]}.{sys.implementation.cache_tag}{suffix}"


def cached_code(path: str, *, surely_fresh: bool = False) -> tuple[CodeType | None, int | None]:
    """The code of a source file from its bytecode cache.

    Args:
        path: the source file.
        surely_fresh: do not take bytecode that an edit within the same second could have made stale.

    Returns:
        The code, ``None`` where the cache is missing, stale or of another kind; and the source's mtime in ns, ``None``
        where the source cannot be read.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None, None
    cached = cache_path(path)
    if cached is None or not path.endswith(".py"):
        return None, status.st_mtime_ns
    try:
        with io.open_code(cached) as file:
            data = file.read()
            if surely_fresh:
                written = os.fstat(file.fileno()).st_mtime_ns
                if written - status.st_mtime_ns < _SURELY_LATER_NS:
                    return None, status.st_mtime_ns
    except OSError:
        return None, status.st_mtime_ns
    return code_of(data, status, path), status.st_mtime_ns


def code_of(data: bytes, status: os.stat_result, path: str) -> CodeType | None:
    """The code in the content of a cache file, ``None`` unless it is valid for the source's ``status``."""
    if data[:8] != _TIMESTAMP_HEADER:
        return None
    if int.from_bytes(data[8:12], "little") != int(status.st_mtime) & 0xFFFFFFFF:
        return None
    if int.from_bytes(data[12:16], "little") != status.st_size & 0xFFFFFFFF:
        return None
    try:
        code = marshal.loads(memoryview(data)[_HEADER:])
    except (EOFError, ValueError, TypeError):
        return None
    if not isinstance(code, CodeType):
        return None
    if code.co_filename != path:
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
    return code


def write_cache(loader: SourceFileLoader, path: str, code: CodeType, size: int, mtime_ns: int | None) -> None:
    """Write the bytecode cache of a source file as the stock loader does; failures to write are no errors there either.

    Args:
        loader: whose ``set_data`` writes, atomically.
        path: the source file.
        code: its code.
        size: the source's size in bytes.
        mtime_ns: the source's modification time in ns before it was read.
    """
    cached = cache_path(path)
    if sys.dont_write_bytecode or cached is None or mtime_ns is None:
        return
    seconds = (mtime_ns // 1_000_000_000) & 0xFFFFFFFF
    header = _TIMESTAMP_HEADER + seconds.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    loader._cache_bytecode(path, cached, bytearray(header + marshal.dumps(code)))  # type: ignore[attr-defined]
