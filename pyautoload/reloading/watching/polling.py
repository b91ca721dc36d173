"""Directories that no events come from: what lies in them is compared with what lay there the last time."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from pyautoload.reloading.records.signature import Signature, signature_of

__all__ = ["PolledDirectory"]


class PolledDirectory:
    """One directory, without what lies below it.

    Args:
        path: the directory.
        is_wanted: whether a file in it is of any interest.
    """

    def __init__(self, path: str, is_wanted: Callable[[str], bool]) -> None:
        self.path = path
        self._is_wanted = is_wanted
        # Name → what it was: the signature of a file, `None` for a directory. Example: {"user.py": Signature(...)}
        self._known: dict[str, Signature | None] = self._entries()

    def changes(self) -> Iterator[tuple[str, str, bool]]:
        """What has changed since the last time: the kind of the change, the path, whether it is a directory."""
        before, self._known = self._known, self._entries()
        for name, now in self._known.items():
            path = os.path.join(self.path, name)
            if name not in before:
                yield "created", path, now is None
            elif before[name] != now:
                yield "modified", path, False
        for name in before.keys() - self._known.keys():
            yield "deleted", os.path.join(self.path, name), before[name] is None

    def _entries(self) -> dict[str, Signature | None]:
        found: dict[str, Signature | None] = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    self._note(entry, found)
        except OSError:
            pass  # gone or unreadable: it holds nothing
        return found

    def _note(self, entry: os.DirEntry[str], found: dict[str, Signature | None]) -> None:
        try:
            if entry.is_dir():
                found[entry.name] = None
            elif self._is_wanted(entry.path):
                status = os.stat(entry.path)
                if stat.S_ISREG(status.st_mode):
                    found[entry.name] = signature_of(status, entry.path)
        except OSError:
            pass  # gone meanwhile, or a link to nowhere
