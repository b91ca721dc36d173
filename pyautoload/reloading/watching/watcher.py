"""Watcher: events of the file system, taken as hints, collected until it is quiet, then handed over as one batch."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable

from pyautoload import log
from pyautoload.printable import text_of
from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.watching.checkout import Checkout
from pyautoload.reloading.watching.observation import STRUCTURAL, Observation
from pyautoload.reloading.watching.status import Seen

__all__ = ["Watcher"]

# So many events say "look at everything" better than one by one; an overflow of the system's queue comes after
# thousands of them, so that it is covered too.
_MANY = 400
# So many events of other files without a pause (seconds) may have come with an overflow, too: Linux keeps 16,384.
_FLOOD = 4_000
_PAUSE = 1.0
# However busy a directory is: after so many seconds a batch is handed over, later for many files and while git writes.
_LONGEST = 0.5
_LONGEST_FOR_MANY = 2.0
_LONGEST_FOR_GIT = 10.0
# One file that was written and closed is complete, so that a fifth of the usual quiet is enough. Should another one
# follow without which it cannot be applied, both are tried again.
_OF_ONE_COMPLETE = 0.2
# So many files are no edit by hand: there may be pauses between them.
_SEVERAL = 8
_MANY_FILES = 64
# A file that was opened for writing and is not closed is waited for that long (seconds) after each time that it is
# written to, as on a busy machine the writer may have to wait in between; but not for ever, as a log file stays open.
_WRITING = 0.5
_LONGEST_WRITING = 5.0
# What failed unexpectedly may fail again at once: not more often than every so many seconds.
_AFTER_AN_ERROR = 0.05
# Directories are looked at for the first time so many seconds after they began to be watched.
_FIRST_CHECK = 0.5


class Watcher:
    """Watches directories and calls ``apply`` with each batch, in a thread of its own.

    Args:
        directories: to be watched with all below them.
        apply: called with a batch; what it raises is its own affair and must not happen.
        debounce: seconds without an event after which a batch is complete.
        polling: look at the files at intervals in place of asking the system for events.
        wanted: whether a path is of any interest.
        idle: called while nothing happens; says in how many seconds it wants to be called again, if at all.
        is_left_out: whether a directory is not watched; hidden ones are not by default.
        applies: whether ``apply`` is called; otherwise batches stay until they are taken.
    """

    def __init__(
        self,
        directories: Iterable[str],
        apply: Callable[[Batch], None],
        *,
        debounce: float,
        polling: bool,
        wanted: Callable[[str], bool],
        idle: Callable[[], float | None],
        is_left_out: Callable[[str], bool] | None = None,
        applies: bool = True,
    ) -> None:
        self._directories = list(directories)
        self._checkout = Checkout(self._directories)
        self._apply = apply
        self._applies = applies
        self._debounce = debounce
        self._wanted = wanted
        self._idle = idle
        self._observation = Observation(
            self._directories,
            self._note,
            self.look_at_everything,
            polling=polling,
            is_wanted=wanted,
            **({} if is_left_out is None else {"is_left_out": is_left_out}),
        )
        # When the directories are to be looked at next, by the monotonic clock.
        self._check_at = 0.0
        self._thread: threading.Thread | None = None
        # Thread 1 (the observer) notes events while thread 2 (ours) takes a batch.
        self._condition = threading.Condition()
        self._paths: set[str] = set()
        self._changed_directories: set[str] = set()
        self._created: set[str] = set()
        # Whether the last event says that a file is complete.
        self._completed = False
        # Files that were written to and not closed yet → when first and when last, by the monotonic clock.
        self._writing: dict[str, tuple[float, float]] = {}
        self._tells_closing = False
        # Real file → the links to it that are wanted.
        self._links: dict[str, set[str]] = {}
        self._count = 0
        self._everything = False
        # When the first and the last event came; the first one by the clock that files go by, too.
        self._first = self._last = self._began = 0.0
        # Whether git was at work since the first event.
        self._by_git = False
        # Events of files that are of no interest, in a row without a pause, and when the last of them came.
        self._ignored = 0
        self._last_ignored = 0.0
        self._stopping = False
        # Whether there is something to do since `idle` was called last.
        self._poked = False
        # Whether something was noted that nobody has taken yet: read without the lock, by `reload_if_changed`.
        self.pending = False

    # Life

    def start(self) -> None:
        """Begin to watch."""
        self._observation.start()
        self._tells_closing = self._observation.tells_closing
        self._check_at = time.monotonic() + _FIRST_CHECK
        self._thread = threading.Thread(target=self._work, name="pyautoload-reload", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether edits are still applied."""
        return self._thread is not None and self._thread.is_alive() and self._observation.is_alive

    @property
    def polls(self) -> bool:
        """Whether changes are looked for at intervals, at least in some directories."""
        return self._observation.polls

    @property
    def tells_closing(self) -> bool:
        """Whether it is known of each file when it is complete."""
        return self._tells_closing and not self._observation.polls

    def seen(self) -> Seen:
        """What is watched, and how."""
        return self._observation.seen()

    def missing(self) -> list[str]:
        """Directories that are to be watched and are not there."""
        return self._observation.missing()

    def stop(self) -> None:
        """End watching; returns when no batch is being applied any more."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._observation.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)

    def also(self, directories: Iterable[str]) -> None:
        """Watch further directories, not what lies below them: files outside the roots that are read at import."""
        self._observation.also(directories)

    def follow(self, path: str, real: str) -> None:
        """A wanted file is a link: who edits the file that it leads to edits it."""
        with self._condition:
            self._links.setdefault(real, set()).add(path)
        self._observation.also([os.path.dirname(real)])

    def found(self, paths: Iterable[str], directories: Iterable[str], created: Iterable[str]) -> None:
        """Changes were found that no event told of."""
        with self._condition:
            self._unlocked_begin()
            self._paths.update(paths)
            self._changed_directories.update(directories)
            self._created.update(created)
            self.pending = True
            self._condition.notify_all()

    # Events

    def _note(self, kind: str, path: str, is_directory: bool) -> None:
        if path in self._links:
            for link in tuple(self._links[path]):
                self._note(kind, link, False)
        if not is_directory and not self._wanted(path):
            self._note_flood()
            return
        with self._condition:
            now = self._unlocked_begin()
            self._paths.add(path)
            self._completed = kind in ("closed", "moved")
            self._note_writing(kind, path, is_directory, now)
            if is_directory and kind == "deleted":
                self._check_at = 0.0  # soon there may be another one
            if kind in STRUCTURAL:
                self._changed_directories.add(os.path.dirname(path))
                if kind != "deleted":
                    self._created.add(path)
                if is_directory:
                    self._changed_directories.add(path)
                    self._everything = self._everything or kind == "moved"
            self.pending = True
            # Once to begin to wait for quiet, and once more when a single file is complete; not for each of a thousand.
            if self._count == 1 or (self._completed and len(self._paths) == 1):
                self._condition.notify_all()

    def _unlocked_begin(self) -> float:
        """There is one more event now."""
        now = time.monotonic()
        if not self._count:
            self._first, self._began = now, time.time()
        self._last = now
        self._count += 1
        return now

    def _note_flood(self) -> None:
        """Events of other files may have filled the system's queue, so that those of ours were lost."""
        now = time.monotonic()
        self._ignored = self._ignored + 1 if now - self._last_ignored < _PAUSE else 1
        self._last_ignored = now
        if self._ignored >= _FLOOD:
            self._ignored = 0
            self.look_at_everything()

    def _note_writing(self, kind: str, path: str, is_directory: bool, now: float) -> None:
        """Files that are still being written are waited for, where the system tells when they are closed."""
        if kind == "closed":
            self._tells_closing = True
            self._writing.pop(path, None)
        elif kind in ("modified", "created") and not is_directory:
            self._writing[path] = self._writing.get(path, (now,))[0], now
        elif kind in ("moved", "deleted"):
            self._writing.pop(path, None)

    def _unlocked_written(self) -> dict[str, tuple[float, float]]:
        """The files that are in the midst of being written."""
        if not self._tells_closing:
            return {}
        now = time.monotonic()
        return {
            path: (first, last)
            for path, (first, last) in self._writing.items()
            if now - last < _WRITING and now - first < _LONGEST_WRITING
        }

    def look_at_everything(self) -> None:
        """Hand over a batch that asks to look at all files."""
        with self._condition:
            self._unlocked_begin()
            self._everything = self.pending = True
            self._condition.notify_all()

    def take(self) -> Batch | None:
        """Everything noted so far, but for files that are being written; ``None`` when there is nothing."""
        with self._condition:
            if not self._count:
                return None
            writing = self._unlocked_written()
            if writing and not self._everything and self._paths == writing.keys():
                self._first = time.monotonic()
                return None
            # What git has written is complete when it lets go of its lock; the events may still be on their way.
            by_git = self._by_git or (len(self._paths) > 1 and self._checkout.has_ended_since(self._began))
            everything = self._everything or by_git or self._count > _MANY
            batch = Batch(self._paths - writing.keys(), self._changed_directories, self._created, everything)
            self._paths, self._changed_directories, self._created = set(writing), set(), set()
            self._writing, self._completed = writing, False
            self._first = time.monotonic()
            self._count, self._everything, self._by_git, self.pending = len(writing), False, False, bool(writing)
            return batch

    # The thread

    def _work(self) -> None:
        while not self._stopping:
            try:
                self._work_once()
            except BaseException as error:  # noqa: BLE001 - raised by code of the user's; the next edit comes all the same
                self._survive(error)

    def _work_once(self) -> None:
        if not self._wait_for_quiet():
            return
        batch = self.take()
        if batch is not None and not self._stopping:
            self._apply(batch)

    def _survive(self, error: BaseException) -> None:
        with contextlib.suppress(BaseException):  # even telling it is code of the user's: handlers of `logging`
            log.warning("watcher", "watching goes on after %s: %s", type(error).__name__, text_of(error))
        with self._condition:
            if not self._stopping:
                self._condition.wait(_AFTER_AN_ERROR)

    def _wait_for_quiet(self) -> bool:
        """Wait for an event and then until none has come for a while; ``False`` when there is none."""
        with self._condition:
            if not self._has_work() and not self._stopping:
                self._poked = False
                wanted = self._unlocked_idle()
                left = self._check_at - time.monotonic()
                wanted = left if wanted is None else min(wanted, left)
                if not self._has_work() and not self._stopping and not self._poked:
                    self._condition.wait(wanted)
            while self._has_work() and not self._stopping:
                left = self._time_left(time.monotonic())
                if left <= 0:
                    return True
                self._condition.wait(min(left, self._debounce))
        return False

    def _has_work(self) -> bool:
        return bool(self._count) and self._applies

    def settle(self) -> None:
        """Wait until what has changed is known and complete; where nothing has, that is at once."""
        self._observation.settle()
        if not self.pending:
            return
        with self._condition:
            while self._count and not self._stopping and (left := self._time_left(time.monotonic())) > 0:
                self._condition.wait(min(left, self._debounce))

    def _time_left(self, now: float) -> float:
        if self._checkout.is_running():
            self._last = now
            self._by_git = True
            longest = _LONGEST_FOR_GIT
        else:
            longest = _LONGEST_FOR_MANY if len(self._paths) >= _MANY_FILES else _LONGEST
        return min(self._last + self._quiet(), self._first + longest) - now

    def _quiet(self) -> float:
        """How long no event must have come: less after one complete file, more while many files are written."""
        if self._unlocked_written():
            return max(self._debounce, _WRITING)
        count = len(self._paths)
        if count == 1 and self._completed:
            return self._debounce * _OF_ONE_COMPLETE
        return self._debounce * (5 if count >= _MANY_FILES else 3 if count >= _SEVERAL else 1)

    def more_comes(self, seconds: float) -> bool:
        """Wait for another event, at most so long; says whether there is one."""
        end = time.monotonic() + seconds
        with self._condition:
            while not self._count and not self._stopping and (left := end - time.monotonic()) > 0:
                self._condition.wait(left)
            return bool(self._count)

    def _unlocked_idle(self) -> float | None:
        self._condition.release()
        try:
            if time.monotonic() >= self._check_at:
                self._check_at = time.monotonic() + self._observation.check()
            return self._idle()
        finally:
            self._condition.acquire()

    def wake(self) -> None:
        """There is something to do while nothing happens."""
        with self._condition:
            self._poked = True
            self._condition.notify_all()
