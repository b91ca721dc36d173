"""Files that the program itself makes, changes or deletes while it is imported: those changes are no edits.

A module that reads a cache and writes it, an application factory that clears a directory and fills it again: each
change would be an event, the event a reload, and the reload the next change. So it is noted who changes what, and what
a file is once that code has ended is what counts as known. Where other modules have read the file, they are reloaded,
as its content may be another one; what is written because of *that* causes no further reload.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.signature import Signature, signature

__all__ = ["CHANGING", "OwnFiles", "is_writing", "paths_changed"]

# Audit event → which of its arguments are paths that change.
CHANGING: dict[str, tuple[int, ...]] = {
    "open": (0,),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
    "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Of files that others have read, and that are not larger than that (bytes), the content is compared.
_LARGE = 1 << 20
# Of a tree that is deleted so many paths are noted.
_MANY = 10_000
_CACHE = f"{os.sep}__pycache__"


def is_writing(mode: object, flags: object) -> bool:
    """Whether a file is opened in order to be written, by the arguments of the audit event ``open``."""
    if isinstance(mode, str):
        return not mode.startswith("r") or "+" in mode
    return isinstance(flags, int) and bool(flags & _WRITING)


def paths_changed(event: str, arguments: tuple[Any, ...]) -> Iterator[str]:
    """The paths that an audit event says are about to change."""
    for index in CHANGING[event]:
        path = arguments[index]
        if not isinstance(path, (str, bytes, os.PathLike)):
            continue
        name = os.path.abspath(os.fsdecode(path))
        if _CACHE in name:
            continue
        yield name
        if event == "shutil.rmtree":
            yield from _below(name)


def _below(directory: str) -> Iterator[str]:
    count = 0
    for parent, below, files in os.walk(directory):
        for name in (*below, *files):
            yield os.path.join(parent, name)
            count += 1
        if count > _MANY:
            return


class OwnFiles:
    """What the program has changed itself."""

    def __init__(self) -> None:
        # Path → what it was when the code that changed it had ended, and whether that ran because of such a change.
        self._known: dict[str, tuple[Signature | None, bool]] = {}
        # Path that is being changed → its content before, if somebody has read it. Thread 1 imports a module that
        # writes, thread 2 (the watcher's) is told of that before the import has ended.
        self._changing: dict[str, bytes | None] = {}
        # What each thread does: who reads what it changes, and how deep in functions that make something it is.
        self._local = threading.local()
        # The thread in which what runs now runs because of such a change: reloads, and whatever follows them there.
        self._echo: int | None = None

    @contextmanager
    def made_here(self, readers: dict[str, set[str]], records: dict[str, Record]) -> Iterator[None]:
        """While the program makes something, such as its application, what it changes is its own, too."""
        self._local.depth = getattr(self._local, "depth", 0) + 1
        try:
            yield
        finally:
            self._local.depth -= 1
            if not self._local.depth:
                self.settle(readers, records)

    @property
    def is_making(self) -> bool:
        """Whether this thread makes something."""
        return bool(getattr(self._local, "depth", 0))

    def echo(self, is_echo: bool) -> None:
        """Say whether what this thread does from now on follows from what the program itself has changed."""
        self._echo = threading.get_ident() if is_echo else None

    def change(self, path: str, writers: Iterable[str], *, is_read: bool) -> None:
        """A path is about to be changed by this thread.

        Args:
            path: absolute.
            writers: the modules that are being executed.
            is_read: whether some module has read that file.
        """
        mine: dict[str, set[str]] | None = getattr(self._local, "changed", None)
        if mine is None:
            mine = self._local.changed = {}
        mine.setdefault(path, set()).update(writers)
        if path not in self._changing:
            self._changing[path] = _content(path) if is_read else None

    def settle(self, readers: dict[str, set[str]], records: dict[str, Record]) -> None:
        """What this thread executed has ended: from now on what it has changed is as it is.

        Args:
            readers: path → modules that have read it.
            records: of the modules.
        """
        changed: dict[str, set[str]] | None = getattr(self._local, "changed", None)
        if not changed or self.is_making:
            return
        self._local.changed = {}
        is_echo = self._echo == threading.get_ident()
        for path, writers in changed.items():
            now, before = signature(path), self._changing.pop(path, None)
            self._known[path] = now, is_echo
            is_same = before is not None and before == _content(path)
            for name in list(readers.get(path, ())):
                record = records.get(name)
                if record is not None and record.files is not None and (is_same or is_echo or name in writers):
                    record.files[path] = now

    def is_own(self, path: str, *, is_used: bool) -> bool:
        """Whether a path is as the program itself has left it.

        Args:
            path: absolute.
            is_used: whether it has been loaded or read: others of its users must hear of the first change.
        """
        if path in self._changing:
            return True
        known = self._known.get(path)
        if known is None or signature(path) != known[0]:
            return False
        return known[1] or not is_used

    def left(self, path: str, otherwise: Signature | None) -> Signature | None:
        """What a path was when the program had changed it, if it is that still.

        Args:
            path: absolute.
            otherwise: what to give for any other path.
        """
        known = self._known.get(path)
        return known[0] if known is not None and signature(path) == known[0] else otherwise

    def is_echo_of(self, paths: Iterable[str]) -> bool:
        """Whether nothing but what the program itself has changed is among some paths."""
        found = False
        for path in paths:
            found = True
            if path not in self._known or signature(path) != self._known[path][0]:
                return False
        return found


def _content(path: str) -> bytes | None:
    try:
        if os.path.getsize(path) > _LARGE or not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
