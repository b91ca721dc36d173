"""Signatures: what tells cheaply that a file may have changed."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

from pyautoload.sources import FILE_SYSTEM, source_for

__all__ = ["Signature", "is_surely_old", "signature", "signature_of"]

# A file that was changed less than so many ns ago may be changed again without a trace in its times, which some file
# systems keep in steps of two seconds.
_SURELY_OLD_NS = 3_000_000_000


class Signature(NamedTuple):
    """What tells cheaply that a file may have changed: any difference counts, older times too.

    ``changed_ns`` is when the system last noted a change of the file: it cannot be set back as ``mtime_ns`` can.
    """

    mtime_ns: int
    size: int
    inode: int
    changed_ns: int


def signature(path: str) -> Signature | None:
    """The signature of a file or directory; ``None`` where there is none, or a named pipe, a socket, a device."""
    place = source_for(path)
    try:
        if place is not FILE_SYSTEM:
            return Signature(*place.stat(path), 0, 0)
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    kind = stat.S_IFMT(status.st_mode)
    return signature_of(status) if kind in (stat.S_IFREG, stat.S_IFDIR) else None


def signature_of(status: os.stat_result) -> Signature:
    """The signature of a file whose status is known."""
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)


def is_surely_old(status: os.stat_result) -> bool:
    """Whether a file was last changed so long ago that another change of it will show in its signature."""
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SURELY_OLD_NS
