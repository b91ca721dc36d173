"""From a staging directory into the real one: everything or nothing, by one process at a time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator

from pyautoload.sources.regular import read_regular
from pyautoload.thirdparty.load_errors import InstallError
from pyautoload.tree.paths import inside

__all__ = ["locked", "make_staging", "move_all", "remove_left"]

_PREFIX = ".pyautoload-staging-"
# What is to be moved where, while it is being moved: [["/site/.pyautoload-staging-x/library-0/six.py", "/site/six.py"]]
_JOURNAL = "moves.json"

# What installers put beside the packages and no import needs.
NOT_MOVED = frozenset(
    {"bin", "Scripts", "share", "etc", "include", ".lock", ".gitignore", "CACHEDIR.TAG", "__pycache__"}
)


def move_all(source: str, destination: str) -> None:
    """Move what is in ``source`` into ``destination``; if anything fails, nothing has happened.

    Raises:
        InstallError: something of that name is there already, or it cannot be written.
    """
    plan = list(_plan(source, destination))
    taken = [target for _, target in plan if os.path.lexists(target)]
    if taken:
        raise InstallError(f"{taken[0]} is there already: remove it, or install somewhere else with into=")
    made: list[str] = []
    moved: list[tuple[str, str]] = []
    journal = os.path.join(os.path.dirname(source), _JOURNAL)
    with open(journal, "w", encoding="utf-8") as opened:
        json.dump(plan, opened)
    try:
        for path, target in plan:
            _make_parents(os.path.dirname(target), destination, made)
            os.rename(path, target)
            moved.append((path, target))
    except BaseException:
        for path, target in reversed(moved):
            os.rename(target, path)
        for directory in reversed(made):
            os.rmdir(directory)
        raise
    os.unlink(journal)  # from here on it is complete


def make_staging(directory: str) -> str:
    """A directory of ours in ``directory``: beside the destination, so that moving is renaming."""
    return tempfile.mkdtemp(prefix=_PREFIX, dir=directory)


def remove_left(directory: str) -> None:
    """Undo and remove what processes that were killed have left in ``directory``, whose lock is held."""
    for name in os.listdir(directory):
        staging = os.path.join(directory, name)
        if name.startswith(_PREFIX) and _is_ours(staging):
            _undo(staging, directory)
            shutil.rmtree(staging, ignore_errors=True)


def _is_ours(staging: str) -> bool:
    status = os.lstat(staging)
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "geteuid") or status.st_uid == os.geteuid())


def _undo(staging: str, directory: str) -> None:
    """Take back what had been moved when the process was killed in the midst of moving."""
    try:
        plan = json.loads(read_regular(os.path.join(staging, _JOURNAL)))
        moves = [(os.path.normpath(path), os.path.normpath(target)) for path, target in plan]
    except (OSError, ValueError, TypeError, RecursionError):
        return  # nothing had been moved, or all of it
    for path, target in reversed(moves):
        is_between_these = inside(path, staging) and inside(target, directory)
        if is_between_these and os.path.lexists(target) and not os.path.lexists(path):
            with contextlib.suppress(OSError):
                os.rename(target, path)


def _plan(source: str, destination: str, top: bool = True) -> Iterator[tuple[str, str]]:
    """What goes where: whole directories where there is none of that name, else what is in them.

    The metadata comes last: a distribution counts as installed only when its files are there.
    """
    names = sorted(os.listdir(source), key=lambda name: (name.endswith(".dist-info"), name))
    for name in names:
        if top and name in NOT_MOVED:
            continue
        path, target = os.path.join(source, name), os.path.join(destination, name)
        if os.path.isdir(path) and os.path.isdir(target):
            yield from _plan(path, target, False)
        else:
            yield path, target


def _make_parents(directory: str, top: str, made: list[str]) -> None:
    if directory != top and not os.path.isdir(directory):
        _make_parents(os.path.dirname(directory), top, made)
        os.mkdir(directory)
        made.append(directory)


@contextlib.contextmanager
def locked(directory: str, timeout: float) -> Iterator[None]:
    """Hold the installation lock of ``directory`` against other processes.

    Raises:
        InstallError: another process holds it for longer than ``timeout`` seconds, or it cannot be written.
    """
    path = os.path.join(directory, ".pyautoload-install.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise InstallError(
            f"{directory} cannot be written ({error.strerror}): choose another one with into="
        ) from error
    try:
        deadline = time.monotonic() + timeout
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise InstallError(f"another process is installing into {directory} for more than {timeout} seconds")
            time.sleep(0.05)
        yield
    finally:
        # Closing gives the lock back, as does the end of the process. The file stays: whoever removed it could take
        # it from under a process that has just opened it.
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
