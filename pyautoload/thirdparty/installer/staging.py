"""From a staging directory into the real one: everything or nothing, by one process at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

from pyautoload.thirdparty.load_errors import InstallError

__all__ = ["locked", "move_all"]

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
