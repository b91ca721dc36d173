"""Signatures: what tells cheaply that a file may have changed."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.sources.time_steps import may_change_unseen

__all__ = ["Signature", "is_same_file", "is_surely_old", "may_have_changed_since", "signature", "signature_of"]

# A file that was changed less than so many ns ago may be changed again without a trace in its times, which some file
# systems keep in steps of two seconds.
_SURELY_OLD_NS = 3_000_000_000


class Signature(NamedTuple):
    """What tells cheaply that a file may have changed: any difference counts, older times too.

    ``changed_ns`` is when the system last noted a change of the file: it cannot be set back as ``mtime_ns`` can. Where
    times are kept in coarse steps, and the file was changed in the present one, it is a digest of the content, below 0.
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
    return signature_of(status, path) if kind in (stat.S_IFREG, stat.S_IFDIR) else None


def signature_of(status: os.stat_result, path: str) -> Signature:
    """The signature of a file whose status is known."""
    changed = _digest(path) if may_change_unseen(status) else status.st_ctime_ns
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino, changed)


def is_same_file(before: Signature | None, now: Signature | None, path: str) -> bool:
    """Whether a file is as it was when its signature was taken; also where that was in a step of time now over."""
    if before is None or now is None or before == now or before.changed_ns >= 0:
        return before == now
    return before[:3] == now[:3] and _digest(path) == before.changed_ns


def may_have_changed_since(path: str) -> bool:
    """Whether a file may have been changed after it was loaded with its times as they were."""
    try:
        return may_change_unseen(os.stat(path))
    except OSError:
        return False


def _digest(path: str) -> int:
    """A number below -1 for the content of a file, or the names in a directory."""
    try:
        return -2 - (hash(FILE_SYSTEM.read(path)) & 0xFFFFFFFFFFFF)
    except OSError:
        pass
    try:
        return -2 - (hash(tuple(sorted(os.listdir(path)))) & 0xFFFFFFFFFFFF)
    except OSError:
        return -2  # it has gone: the next question tells


def is_surely_old(status: os.stat_result) -> bool:
    """Whether a file was last changed so long ago that another change of it will show in its signature."""
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SURELY_OLD_NS
