"""Whether git is in the middle of changing files: it holds a lock file for as long as that takes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

__all__ = ["Checkout"]

# A lock older than that (seconds) was left behind by a git that was killed.
_LEFT_BEHIND = 10.0
# A batch began at most so many seconds after git did, for all that events may be late.
_TOLERANCE = 0.5


class Checkout:
    """The repositories that some directories lie in.

    Args:
        directories: those that are watched.
    """

    def __init__(self, directories: Iterable[str]) -> None:
        found = (_lock_file(directory) for directory in directories)
        # Example: {"/home/me/project/.git/index.lock"}
        self._locks = {lock for lock in found if lock is not None}

    def is_running(self) -> bool:
        """Whether a checkout, merge or rebase is writing files just now."""
        return any(map(_is_held, self._locks))

    def has_ended_since(self, moment: float) -> bool:
        """Whether git has written its index, which it does at the end of a checkout, since about ``moment``.

        Args:
            moment: seconds, as ``time.time()`` has them.
        """
        return any(_mtime(lock.removesuffix(".lock")) > moment - _TOLERANCE for lock in self._locks)


def _is_held(lock: str) -> bool:
    return abs(time.time() - _mtime(lock)) < _LEFT_BEHIND


def _mtime(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return float("-inf")


def _lock_file(directory: str) -> str | None:
    """The lock of the repository that ``directory`` lies in."""
    current = os.path.abspath(directory)
    while True:
        marker = os.path.join(current, ".git")
        if os.path.isdir(marker):
            return os.path.join(marker, "index.lock")
        if os.path.isfile(marker):  # a worktree or a submodule: the file says where its data is
            return _elsewhere(marker)
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent


def _elsewhere(marker: str) -> str | None:
    try:
        with open(marker, encoding="utf-8", errors="replace") as file:
            key, _, place = file.read(4096).partition(":")
    except OSError:
        return None
    return os.path.join(os.path.dirname(marker), place.strip(), "index.lock") if key == "gitdir" else None
