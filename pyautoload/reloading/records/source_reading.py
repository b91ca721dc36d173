"""Reading the source of a module, when it is loaded or later, if its file is still the one that was loaded."""

from __future__ import annotations

import os
import sys
import time
from types import ModuleType

from pyautoload.importing.bytecode import cache_path, cached_code
from pyautoload.importing.hooked_code import is_hooked
from pyautoload.reloading.code.nested import nested_codes
from pyautoload.reloading.objects.functions import FunctionIndex
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.signature import Signature, signature, signature_of
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.sources.regular import open_regular

__all__ = ["complete", "read_now", "read_settled"]

# How long (seconds) somebody who has emptied a file may take to write it, and how often that is looked at.
_GRACE = 0.5
_PAUSE = 0.005


def read_now(record: Record, mtime_ns: int | None) -> None:
    """Get the source of a module that is being loaded.

    Args:
        record: of the module.
        mtime_ns: the time of the file that its code came from.
    """
    if source_for(record.path) is not FILE_SYSTEM:
        _read_mounted(record, mtime_ns)
        return
    try:
        descriptor, status = open_regular(record.path)
        try:
            if status.st_mtime_ns == mtime_ns:
                record.source = os.read(descriptor, status.st_size + 1)
                record.stamp = signature_of(status, record.path)
        finally:
            os.close(descriptor)
    except OSError:
        record.stamp = None


def complete(record: Record) -> None:
    """Get what is missing of a record, if its file is still the one that was loaded."""
    known = record.stamp
    if not record.is_pending or known is None:
        return
    if source_for(record.path) is not FILE_SYSTEM:
        _read_mounted(record, known.mtime_ns)
        return
    try:
        descriptor, status = open_regular(record.path)
        try:
            stamp = signature_of(status, record.path)
            source = os.read(descriptor, stamp.size + 1) if record.is_source else None
            after = signature_of(os.fstat(descriptor), record.path)
        finally:
            os.close(descriptor)
    except OSError:
        return
    if stamp != after or (stamp != known if known.size != -1 else stamp.mtime_ns != known.mtime_ns):
        return
    if record.code is None and source is not None:
        code, _ = cached_code(record.path, cache_path(record.path), surely_fresh=True)
        try:
            record.code = code or compile(source, record.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        if record.is_adopted and not _runs(record):
            record.code, record.stamp, record.is_pending = None, None, False
            return
    if stamp != known:
        record.stamp = stamp
    record.source = source


def _runs(record: Record) -> bool:
    """Whether a module that nobody has seen loading runs the code that its file holds now."""
    module = sys.modules.get(record.name)
    if record.code is None or not isinstance(module, ModuleType) or is_hooked(module):
        return True
    if record.name != "__main__" and _is_newer_than_bytecode(record.path):
        return False
    known = set(nested_codes(record.code))
    return all(function.__code__ in known for function in FunctionIndex(module, record.path, None).functions())


def _is_newer_than_bytecode(path: str) -> bool:
    """Whether there is bytecode that was compiled from another state of the file: Python writes it with each load."""
    cached = cache_path(path)
    try:
        with open(cached or "", "rb") as opened:
            head = opened.read(16)
        status = os.stat(path)
    except OSError:
        return False
    if len(head) < 16 or int.from_bytes(head[4:8], "little") != 0:
        return False  # cut off, or told by its content and not by time
    noted = (int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little"))
    return noted != (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)


def read_settled(path: str, stamp: Signature, *, had_content: bool) -> tuple[bytes, Signature]:
    """Read a file that has changed, but not between two writes of one save.

    Args:
        path: the file.
        stamp: its signature just now.
        had_content: whether there was anything in it before.

    Returns:
        The content, and the signature that belongs to it.

    Raises:
        OSError: it has gone.
    """
    end = time.monotonic() + _GRACE
    while True:
        source, after = source_for(path).read(path), signature(path)
        if after is None:
            raise FileNotFoundError(f"{path} has gone")
        is_one_state = after == stamp and (len(source) == stamp.size or source_for(path) is not FILE_SYSTEM)
        is_meant = source or not had_content or abs(time.time_ns() - after.mtime_ns) > _GRACE * 1e9
        if (is_one_state and is_meant) or time.monotonic() > end:
            return source, after
        stamp = after
        time.sleep(_PAUSE)


def _read_mounted(record: Record, mtime_ns: int | None) -> None:
    """Get what is missing of a record whose file lies in a mounted source."""
    place, path = source_for(record.path), record.path
    try:
        before, source, after = signature(path), place.read(path), signature(path)
    except OSError:
        record.stamp = None
        return
    if before is None or before != after or mtime_ns not in (None, before.mtime_ns):
        return
    if record.code is None:
        try:
            record.code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
    record.stamp, record.source = before, source
