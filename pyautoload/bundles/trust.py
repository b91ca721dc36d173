"""Trust: whether a bundle can only have been written by who runs this, or by root. It holds code.

That takes more than the file: who may write to a directory on the way to it may put another file in its place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

__all__ = ["reason_against"]

_LINKS = 40  # as many as the system follows


def reason_against(path: str, status: os.stat_result) -> str | None:
    """Why a bundle is not to be trusted; ``None`` where it is. Windows has no such bits, and nothing is asked there.

    Args:
        path: of the file.
        status: of the opened file.
    """
    if not hasattr(os, "geteuid"):
        return None
    return _against_file(status) or _against_place(os.path.abspath(path))


def _against_file(status: os.stat_result) -> str | None:
    if not _is_ours(status):
        return f"it belongs to the user {status.st_uid}, not to the one who runs this, nor to root"
    if status.st_mode & 0o022:
        return "others may write to it; take that away with: chmod go-w"
    return None


def _against_place(path: str) -> str | None:
    try:
        for passed, status in _on_the_way(path):
            if not _is_ours(status):
                return f"{passed}, on the way to it, belongs to the user {status.st_uid}, who could replace it"
            if stat.S_ISDIR(status.st_mode) and _is_open_to_others(status):
                return f"others may write to the directory {passed}, and so replace it: chmod go-w {passed}"
    except OSError as error:
        return f"{error.filename or path} cannot be looked at ({error.strerror})"
    return None


def _on_the_way(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Each directory and each link that is passed on the way to a file, where links lead included."""
    here, rest, links = os.sep, path.split(os.sep)[::-1], 0
    yield here, os.lstat(here)
    while rest:
        part = rest.pop()
        if part in ("", os.curdir):
            continue
        if part == os.pardir:
            here = os.path.dirname(here)
            continue
        there = os.path.join(here, part)
        status = os.lstat(there)
        if stat.S_ISLNK(status.st_mode) and links < _LINKS:
            links += 1
            target = os.readlink(there)
            here = os.sep if os.path.isabs(target) else here
            rest += target.split(os.sep)[::-1]
        else:
            here = there
        if rest or stat.S_ISLNK(status.st_mode):
            yield there, status


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


def _is_open_to_others(status: os.stat_result) -> bool:
    mode = status.st_mode
    if not mode & 0o022 or mode & stat.S_ISVTX:
        return False  # where the sticky bit is set (/tmp), nobody can replace what is not his
    return bool(mode & 0o002) or not _is_own_group(status.st_gid)


def _is_own_group(group: int) -> bool:
    """Whether a group is one that its user is alone in: many systems give each user one, and let it write."""
    import grp
    import pwd

    try:
        user, entry = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return user.pw_gid == group and entry.gr_name == user.pw_name and set(entry.gr_mem) <= {user.pw_name}
