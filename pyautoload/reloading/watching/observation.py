"""Observation: which directories are watched, and how: by events, or, where there are none, by looking at intervals.

Events are hints that may be lost: a queue overflows, a limit is reached part-way through a tree, a root is removed and
made again, a link is switched to another directory. So the directories that are watched are looked at about once a
second: one that is another directory than it was is watched anew, and everything in it is told as if it had changed.
Links are followed, as the loader follows them: what is told of a real directory is told of each path that leads to it.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator

from pyautoload import log
from pyautoload.errors import text_of
from pyautoload.reloading.watching.file_events import Events, FileEvent
from pyautoload.reloading.watching.polling import PolledDirectory
from pyautoload.reloading.watching.status import Seen
from pyautoload.tree.managed_paths import hidden

__all__ = ["STRUCTURAL", "Observation"]

_COME = ("created", "moved")
# After these a directory has other entries.
STRUCTURAL = frozenset({"created", "moved", "deleted"})
# How often (seconds) directories are looked at: usually, and while one that was there is not, at first and later.
_USUALLY, _WHILE_MISSING, _WHILE_LONG_MISSING = 1.0, 0.02, 0.25
_LONG = 2.0
# Looking must not take more than these shares of the time: where events are told besides, and where there are none.
_SHARE, _SHARE_OF_POLLING = 0.002, 0.05
# Links can lead to one directory by very many paths (each of ten directories linking to the nine others): so many of
# these are watched. What is loaded by yet another path is still looked at from time to time.
_PATHS_OF_ONE = 16

# How long (seconds) events that are on their way are waited for, and how often that is looked at.
_LONGEST_TELLING, _BETWEEN_LOOKS = 0.5, 0.0002

# So many paths of which it is not known what they are may be waiting.
_MANY = 1_000

_ASKED_FOR = "polling was asked for"
_Identity = tuple[int, int]


class Observation:
    """Observes directories.

    Args:
        directories: to be watched with all below them.
        note: called with the kind of an event, the path, and whether that is a directory; in any thread.
        lost: called when events were lost.
        polling: look at the files at intervals in place of asking the system for events.
        is_wanted: whether a path is of any interest.
        is_left_out: whether a directory below the given ones is not watched.
    """

    def __init__(
        self,
        directories: Iterable[str],
        note: Callable[[str, str, bool], None],
        lost: Callable[[], None],
        *,
        polling: bool,
        is_wanted: Callable[[str], bool],
        is_left_out: Callable[[str], bool] = lambda path: hidden(os.path.basename(path)),
    ) -> None:
        # Given directory → whether all below it is watched, too.
        self._given: dict[str, bool] = dict.fromkeys(directories, True)
        self._note = note
        self._lost = lost
        self._is_polling_asked = polling
        self._is_wanted = is_wanted
        self._is_left_out = is_left_out
        self._events: Events | None = None
        # Why there are no events at all.
        self._without_events = _ASKED_FOR
        # Thread 1 (events) finds a new directory while thread 2 (the watcher's) looks whether all are as they were.
        self._lock = threading.RLock()
        # Directory, as it was entered → its watch, and the reverse: links can give one directory several paths.
        self._handles: dict[str, int] = {}
        self._paths: dict[int, set[str]] = {}
        # Directory → what it was when it began to be watched, so that another one in its place is noticed.
        self._identities: dict[str, _Identity] = {}
        # Directory → how many of the paths to one and the same are watched.
        self._count: dict[_Identity, int] = {}
        self._polled: dict[str, tuple[PolledDirectory, str]] = {}
        # Paths that have come and may be links to directories.
        self._perhaps_links: set[str] = set()
        # Whether events were lost, so that there may be directories without a watch.
        self._must_recover = False
        # When all directories are looked at next, by the performance counter.
        self._look_at = 0.0
        # Directory, or link to one, that is not there → since when, by the monotonic clock; 0.0 where it never was.
        self._missing: dict[str, float] = {}
        self._is_started = self._is_limit_told = False

    # Life

    def start(self) -> None:
        """Begin; where the system's limit of watches is reached, the rest is polled, with a warning."""
        if not self._is_polling_asked:
            try:
                self._events = _events(self._take)
            except OSError as error:
                self._without_events = _reason(error)
        with self._lock:
            for directory, is_recursive in list(self._given.items()):
                self._begin(directory, is_recursive)
        self._is_started = True
        reasons = {reason for _, reason in self._polled.values()} - {_ASKED_FOR}
        if reasons:
            self._is_limit_told = True
            warnings.warn(_unwatched(len(self._polled), min(reasons)), RuntimeWarning, stacklevel=5)

    def stop(self) -> None:
        """End; nothing is told any more."""
        self._is_started = False
        events, self._events = self._events, None
        if events is not None:
            events.close()

    @property
    def is_alive(self) -> bool:
        """Whether changes are still told."""
        return self._is_started and (self._events is None or self._events.is_alive)

    def settle(self) -> None:
        """Wait until all was told that has happened until now, where that can be known; usually at once."""
        events = self._events
        end = time.monotonic() + _LONGEST_TELLING
        while events is not None and not events.has_told_all() and time.monotonic() < end:
            time.sleep(_BETWEEN_LOOKS)

    @property
    def polls(self) -> bool:
        """Whether changes of any directory are only looked for at intervals."""
        return bool(self._polled)

    @property
    def tells_closing(self) -> bool:
        """Whether the end of writing a file is told."""
        return self._events is not None and self._events.tells_closing

    def missing(self) -> list[str]:
        """Directories that were given and are not there."""
        return sorted(self._missing)

    def seen(self) -> Seen:
        """What is watched, and how."""
        with self._lock:
            links = {path: real for path in self._identities if (real := os.path.realpath(path)) != path}
            return Seen(
                None if self._events is None else type(self._events).__name__.removesuffix("Events").lower(),
                len(self._paths),
                {path: reason for path, (_, reason) in sorted(self._polled.items())},
                self.missing(),
                dict(sorted(links.items())),
            )

    def also(self, directories: Iterable[str]) -> None:
        """Watch further directories, not what lies below them: files outside the given ones that are read at import."""
        for directory in directories:
            if directory in self._identities or directory in self._given or not self._is_started:
                continue
            with self._lock:
                self._given[directory] = False
                if not self._is_covered(directory):
                    self._begin(directory, is_recursive=False)

    def _is_covered(self, directory: str) -> bool:
        """Whether a watch on a directory above tells of this one, too."""
        if self._events is None or not self._events.covers_below:
            return False
        return any(directory.startswith(above.rstrip(os.sep) + os.sep) for above in self._handles)

    # Beginning to watch

    def _begin(self, directory: str, is_recursive: bool, *, telling: bool = False) -> None:
        if not os.path.isdir(directory):
            self._missing.setdefault(directory, 0.0)
            return
        self._missing.pop(directory, None)
        self._add(directory, telling=telling, is_recursive=is_recursive)

    def _add(self, top: str, *, telling: bool, is_recursive: bool = True) -> None:
        """Watch a directory and those below it.

        Args:
            top: the directory.
            telling: whether to tell of everything in it as if it had just been moved there, complete.
            is_recursive: whether those below it, too.
        """
        pending: list[tuple[str, frozenset[_Identity]]] = [(top, frozenset(_above(top)))]
        while pending:
            directory, above = pending.pop()
            identity = _identity(directory)
            if identity is None or identity in above or not self._add_one(directory, identity):
                continue
            if telling and directory != top:
                self._note("created", directory, True)
            for entry in _entries(directory) if is_recursive or telling else ():
                if _is_directory(entry):
                    if is_recursive and not self._is_left_out(entry.path):
                        pending.append((entry.path, above | {identity}))
                elif telling and self._is_wanted(entry.path):
                    self._note("moved", entry.path, False)
                elif entry.is_symlink() and not os.path.exists(entry.path) and not self._is_left_out(entry.path):
                    self._missing.setdefault(entry.path, 0.0)

    def _add_one(self, directory: str, identity: _Identity) -> bool:
        """Watch one directory; says whether it is worth looking into."""
        if self._identities.get(directory, identity) != identity:
            self._forget(directory)
        if directory not in self._identities:
            if self._count.get(identity, 0) >= _PATHS_OF_ONE:
                return False
            self._count[identity] = self._count.get(identity, 0) + 1
        self._identities[directory] = identity
        events = self._events
        if events is None:
            self._poll(directory, self._without_events)
            return True
        if events.covers_below and not self._needs_own(directory):
            return True
        try:
            handle = events.add(directory)
        except (FileNotFoundError, NotADirectoryError):
            self._forget(directory)
            return False
        except OSError as error:
            self._poll(directory, _reason(error))
            return True
        self._polled.pop(directory, None)
        self._unhandle(directory, handle)
        self._handles[directory] = handle
        self._paths.setdefault(handle, set()).add(directory)
        return True

    def _needs_own(self, directory: str) -> bool:
        """Where the system watches all below a directory: not what lies behind a link in it."""
        return directory in self._given or os.path.islink(directory)

    def _poll(self, directory: str, reason: str) -> None:
        if directory not in self._polled:
            self._polled[directory] = PolledDirectory(directory, self._is_wanted), reason
        if self._is_started and self._events is not None and not self._is_limit_told:
            self._is_limit_told = True
            log.warning("watcher", "%s", _unwatched(1, reason))

    # Ceasing to watch

    def _drop(self, top: str) -> None:
        """Cease to watch a directory and all below it, as it has gone, or is another one now."""
        prefix = top + os.sep
        for directory in [path for path in self._identities if path == top or path.startswith(prefix)]:
            self._forget(directory)

    def _forget(self, directory: str) -> None:
        identity = self._identities.pop(directory, None)
        if identity is not None:
            left = self._count[identity] = self._count[identity] - 1
            if not left:
                del self._count[identity]
        self._polled.pop(directory, None)
        self._unhandle(directory)

    def _unhandle(self, directory: str, but: int | None = None) -> None:
        handle = self._handles.get(directory)
        if handle is None or handle == but:
            return
        del self._handles[directory]
        paths = self._paths.get(handle, set())
        paths.discard(directory)
        if not paths:
            self._paths.pop(handle, None)
            if self._events is not None:
                self._events.remove(handle)

    # Events

    def _take(self, events: list[FileEvent]) -> None:
        try:
            for event in events:
                self._take_one(event)
        except BaseException as error:  # noqa: BLE001 - without this thread no edit would ever be noticed again
            log.warning("watcher", "an event could not be taken: %s: %s", type(error).__name__, text_of(error))
            self._lost()

    def _take_one(self, event: FileEvent) -> None:
        kind, handle, name, is_directory = event
        if kind == "overflow":
            # The watcher's thread fixes it: here the next events wait already.
            self._must_recover, self._look_at = True, 0.0
            self._lost()
            return
        if kind == "gone":
            self._take_gone(handle)
            return
        for directory in tuple(self._paths.get(handle, ())):
            path = os.path.join(directory, name)
            if is_directory or path in self._identities:
                self._take_directory(kind, path)
                continue
            if kind in _COME and name.isidentifier() and len(self._perhaps_links) < _MANY:
                # It may be a link to a directory. Not to be asked here: each question to the system lets others have
                # the interpreter lock, and thousands of such events may come.
                self._perhaps_links.add(path)
            self._note(kind, path, False)

    def _take_directory(self, kind: str, path: str) -> None:
        if kind not in STRUCTURAL or self._is_left_out(path) or not self._is_recursive(path):
            return
        with self._lock:
            if path in self._identities or kind == "deleted":
                self._drop(path)
            if kind != "deleted":
                self._add(path, telling=True)
        self._note(kind, path, True)

    def _is_recursive(self, path: str) -> bool:
        """Whether a directory lies in one that is watched with all below it."""
        return any(below and path.startswith(given.rstrip(os.sep) + os.sep) for given, below in self._given.items())

    def _take_gone(self, handle: int) -> None:
        with self._lock:
            paths = tuple(self._paths.get(handle, ()))
            for path in paths:
                self._lose(path)
        for path in paths:
            self._note("deleted", path, True)

    def _lose(self, path: str) -> None:
        """A directory has gone; where nothing will tell that there is one again, it is looked for."""
        self._drop(path)
        if path in self._given or os.path.islink(path):
            self._missing[path] = time.monotonic()

    def _recover(self) -> bool:
        """Events were lost: what was to be watched is watched, and everything is to be looked at."""
        self._must_recover = False
        with self._lock:
            for path in [path for path in self._identities if _identity(path) is None]:
                self._forget(path)
            for directory, is_recursive in list(self._given.items()):
                self._begin(directory, is_recursive)
        return True

    # Looking at intervals

    def check(self) -> float:
        """Look whether the directories are as they were, and what has changed in those that send no events.

        Returns:
            In how many seconds it is to be called again.
        """
        started, spent = time.perf_counter(), -time.thread_time()
        found = self._recover() if self._must_recover else False
        found = self._look_for_missing() or self._look_for_links() or found
        if started >= self._look_at:
            with self._lock:
                before = list(self._identities.items())
            for path, identity in before:
                if _identity(path) != identity:
                    found = self._take_other(path) or found
            self._look_at_polled()
            spent += time.thread_time()
            self._look_at = started + max(_USUALLY, spent / (_SHARE_OF_POLLING if self._polled else _SHARE))
        if found:
            self._lost()
        return min([self._look_at - time.perf_counter(), *self._waits_for_missing()])

    def _look_for_missing(self) -> bool:
        found = False
        for directory in tuple(self._missing):
            if os.path.isdir(directory):
                with self._lock:
                    self._begin(directory, self._given.get(directory, True), telling=True)
                self._note("moved", directory, True)
                found = True
            elif directory not in self._given and not os.path.islink(directory):
                self._missing.pop(directory, None)
        return found

    def _look_for_links(self) -> bool:
        """Links to directories that have come."""
        found = False
        while self._perhaps_links:
            path = self._perhaps_links.pop()
            if os.path.islink(path) and os.path.isdir(path):
                self._take_directory("created", path)
                found = True
        return found

    def _waits_for_missing(self) -> Iterator[float]:
        now = time.monotonic()
        for since in tuple(self._missing.values()):
            if since:
                yield _WHILE_MISSING if now - since < _LONG else _WHILE_LONG_MISSING

    def _take_other(self, path: str) -> bool:
        """A watched directory has gone without an event, or another one has taken its place."""
        with self._lock:
            now = _identity(path)
            known = self._identities.get(path)
            if known is None or now == known or (now is not None and path in self._polled):
                return False  # it lay in one that was dropped, or came anew; and what is polled tells by itself
            self._lose(path)
            if now is not None:
                self._begin(path, self._given.get(path, True), telling=True)
        self._note("deleted" if now is None else "moved", path, True)
        return True

    def _look_at_polled(self) -> None:
        may_watch = self._events is not None
        for directory, (polled, _reason) in tuple(self._polled.items()):
            if may_watch and (identity := self._identities.get(directory)) is not None:
                with self._lock:
                    self._add_one(directory, identity)  # a watch may have come free
                may_watch = directory not in self._polled
            for kind, path, is_directory in polled.changes():
                if is_directory:
                    self._take_directory(kind, path)
                else:
                    # Nobody will tell that it is complete: not as an event of writing.
                    self._note({"created": "moved", "modified": "attrib"}.get(kind, kind), path, False)


def _events(tell: Callable[[list[FileEvent]], None]) -> Events:
    """The system's way of telling."""
    if sys.platform == "linux":
        from pyautoload.reloading.watching.inotify import Inotify

        return Inotify(tell)
    from pyautoload.reloading.watching.watchdog_events import WatchdogEvents

    return WatchdogEvents(tell)


def _unwatched(count: int, reason: str) -> str:
    return (
        f"the system sends no events for {count} {'directory' if count == 1 else 'directories'} ({reason}): changes "
        f"there are looked for once a second, which costs more. On Linux raise fs.inotify.max_user_watches and "
        f"fs.inotify.max_user_instances"
    )


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "no watches are left"
    if error.errno == errno.EMFILE:
        return "no more programs of this user may watch, or no files are left to open"
    return error.strerror or str(error)


def _identity(path: str) -> _Identity | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _above(directory: str) -> Iterator[_Identity]:
    """The identities of the directories above one: a link to any of them leads round in a circle."""
    while (parent := os.path.dirname(directory)) != directory:
        directory = parent
        identity = _identity(directory)
        if identity is not None:
            yield identity


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
