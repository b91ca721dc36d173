"""Survey: files and directories are looked at, a few at a time, in case an event of one was lost.

Events are the quick way and this is the sure one. Each loaded file, each file that was read at import and each
directory that was listed is looked at about once a second, or less often where that would take more than a small
share of the processor. What differs from what is loaded, and still does a moment later, is given to the watcher as an
event is.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.signature import Signature, signature_of
from pyautoload.reloading.watching.change_check import ChangeCheck
from pyautoload.sources import FILE_SYSTEM, is_anything_mounted, source_for

if TYPE_CHECKING:
    from pyautoload.reloading.watching.watcher import Watcher
    from pyautoload.tree.registry import Namespace

__all__ = ["Survey"]

# How often (seconds) a round begins, and the share of the processor that rounds may take: they begin less often where
# one takes longer.
_EVERY = 1.0
_SHARE = 0.004
# So many files are looked at in one go.
_SLICE = 512
_BREATH = 0.002
# How long (seconds) what differs has for an event to come, and for its file to be complete.
_DOUBT = 0.2


class Survey:
    """Goes round.

    Args:
        change_check: says what is loaded, and what is known to differ.
        watcher: is told of what was found.
    """

    def __init__(self, change_check: ChangeCheck, watcher: Watcher) -> None:
        self._change_check = change_check
        self._watcher = watcher
        # Gives False while it goes on.
        self._round: Iterator[bool] | None = None
        self._spent = 0.0
        self._next_round = time.monotonic() + _EVERY
        # What differed at the last look: path → its signature then.
        self._doubted: dict[str, Signature | None] = {}
        # Directory in which something differed → the namespace that it belongs to.
        self._doubted_directories: dict[str, str] = {}
        self._doubted_since = 0.0
        # What was told of and need not be told again: path → its signature, directory → its time.
        self._told: dict[str, Signature | None] = {}
        self._looked_into: dict[str, int] = {}
        # Link to a file → the file that it leads to.
        self._links: dict[str, str] = {}

    @property
    def links(self) -> dict[str, str]:
        """Loaded files that are links → the files that they lead to."""
        return dict(self._links)

    def step(self) -> float:
        """Look at a few files.

        Returns:
            In how many seconds to go on.
        """
        now = time.monotonic()
        if self._round is None:
            if self._doubted or self._doubted_directories:
                left = self._doubted_since + _DOUBT - now
                if left > 0:
                    return left
                self._settle()
            if now < self._next_round:
                return self._next_round - now
            self._round, self._spent = self._look(), 0.0
        # Of the processor, not of the clock: on a busy machine rounds are to begin as often as ever.
        started = time.thread_time()
        ended = next(self._round, True)
        self._spent += time.thread_time() - started
        if not ended:
            return _BREATH
        self._round = None
        self._doubted_since = time.monotonic()
        self._next_round = now + max(_EVERY, self._spent / _SHARE)
        return _BREATH

    def _look(self) -> Iterator[bool]:
        mounted = is_anything_mounted()
        records = self._change_check.records
        count = 0
        for record in records.all():
            count += 1
            if not count % _SLICE:
                yield False
            if not mounted or source_for(record.path) is FILE_SYSTEM:
                self._look_at_loaded(record)
        for path in list(records.readers):
            self._look_at(path)
        if self._change_check.is_listing_fixed():
            return
        for space in self._change_check.binder.registry.namespaces():
            count += 1
            if not count % _SLICE:
                yield False
            for directory, stamp in list(space.stamps.items()):
                if not mounted or source_for(directory) is FILE_SYSTEM:
                    self._look_into(space, directory, stamp)

    def _look_at_loaded(self, record: Record) -> None:
        # Nearly every file is as it was: that costs a system call and four comparisons.
        stamp = record.stamp
        try:
            status = os.lstat(record.path)
        except OSError:
            stamp = None
        if (
            stamp is None
            or status.st_mtime_ns != stamp.mtime_ns
            or status.st_ctime_ns != stamp.changed_ns
            or status.st_size != stamp.size
            or status.st_ino != stamp.inode
        ):
            self._look_at(record.path)
        elif self._told:
            self._told.pop(record.path, None)

    def _look_at(self, path: str) -> None:
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                self._follow(path)
                status = os.stat(path)
        except OSError:
            now = None
        else:
            if stat.S_ISDIR(status.st_mode):
                return
            now = signature_of(status, path) if stat.S_ISREG(status.st_mode) else None
        if self._change_check.is_up_to_date(path, now):
            if self._told:
                self._told.pop(path, None)
        elif self._told.get(path, _UNKNOWN) != now:
            self._doubted[path] = now

    def _follow(self, path: str) -> None:
        real = os.path.realpath(path)
        if self._links.get(path) != real:
            self._links[path] = real
            self._watcher.follow(path, real)

    def _look_into(self, space: Namespace, directory: str, stamp: int) -> None:
        now = _mtime(directory)
        if now == stamp or self._looked_into.get(directory) == now:
            return
        self._looked_into[directory] = now
        if self._change_check.news_in(space.name, directory) is not None:
            self._doubted_directories[directory] = space.name

    def _settle(self) -> None:
        """Tell of what differs still, in the same way; what differs in another way is being written."""
        doubted, self._doubted = self._doubted, {}
        paths: set[str] = set()
        structural: set[str] = set()
        for path, before in doubted.items():
            self._look_at(path)
            if path in self._doubted and self._doubted[path] == before:
                del self._doubted[path]
                self._told[path] = before
                paths.add(path)
                if before is None:
                    structural.add(os.path.dirname(path))
        created: set[str] = set()
        for directory, name in self._doubted_directories.items():
            news = self._change_check.news_in(name, directory)
            if news is not None:
                structural.add(directory)
                created |= news
        self._doubted_directories = {}
        self._doubted_since = time.monotonic()
        if paths or structural:
            self._watcher.found(paths | created, structural, created)


def _mtime(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


_UNKNOWN = Signature(-1, -1, -1, -1)
