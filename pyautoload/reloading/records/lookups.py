"""What modules looked for while they were imported and did not find, and the directories that they listed.

``try: import fast`` with a file ``fast.py`` that comes later, a package that imports whatever lies in its directory: in
a fresh process such a module gives something else once an entry has come or gone, though nothing that it has loaded
differs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyautoload.sources import FILE_SYSTEM, source_for

if TYPE_CHECKING:
    from pyautoload.reloading.records.own_files import OwnFiles
    from pyautoload.reloading.records.record import Record

__all__ = ["Lookups", "differs", "entries_of"]


class Lookups:
    """Who looked for what, kept beside the records."""

    def __init__(self) -> None:
        # Name that was not found → modules that looked for it. Example: {"myapp.fast": {"myapp.user"}}
        self.seekers: dict[str, set[str]] = {}
        # Directory → modules that listed it. Example: {"/app/myapp/plugins": {"myapp.plugins"}}
        self.listers: dict[str, set[str]] = {}

    def add(self, record: Record) -> None:
        """A record is kept: note what its module has looked for."""
        for name in record.missing or ():
            self.seekers.setdefault(name, set()).add(record.name)
        for directory in record.listings or ():
            self.listers.setdefault(directory, set()).add(record.name)

    def forget(self, record: Record) -> None:
        """A record is dropped."""
        for name in record.missing or ():
            self.seekers.get(name, set()).discard(record.name)
        for directory in record.listings or ():
            self.listers.get(directory, set()).discard(record.name)


def entries_of(directory: str) -> frozenset[str]:
    """What lies in a directory, but for what is hidden and what editors and Python leave there; empty without one."""
    if source_for(directory) is not FILE_SYSTEM:
        return frozenset()
    try:
        names = os.listdir(directory)
    except OSError:
        return frozenset()
    return frozenset(name for name in names if name[0] != "." and name[-1] != "~" and name != "__pycache__")


def differs(directory: str, before: frozenset[str], own: OwnFiles) -> bool:
    """Whether entries of a directory have come or gone that the program has not itself made or deleted at import."""
    changed = before ^ entries_of(directory)
    return any(not own.is_own(os.path.join(directory, name), is_used=False) for name in changed)
