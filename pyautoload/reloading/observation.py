"""Observation: the file system is asked to tell of changes; where it does not, files are looked at once a second."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from watchdog import events
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

__all__ = ["STRUCTURAL", "Observation"]

# Events that can mean a change. Opened and closed-without-write do not; "attrib" is what watchdog 7 calls a touch.
_KINDS = frozenset({"created", "modified", "closed", "moved", "deleted", "attrib"})
# After these a directory has other entries.
STRUCTURAL = frozenset({"created", "moved", "deleted"})
# The system is asked for these alone: loading a thousand modules opens and closes thousands of files, and each of those
# events would go through three threads while the load goes on. `FileAttribEvent` came with watchdog 7.
_WANTED = [
    kind
    for name in ("Created", "Modified", "Closed", "Moved", "Deleted", "Attrib")
    for kind in (getattr(events, f"File{name}Event", None), getattr(events, f"Dir{name}Event", None))
    if kind is not None and kind is not events.DirModifiedEvent
]


class _Handler(FileSystemEventHandler):
    def __init__(self, note: Callable[[str, str, bool], None]) -> None:
        super().__init__()
        self._note = note

    def dispatch(self, event: FileSystemEvent) -> None:
        kind = event.event_type
        if kind not in _KINDS or (event.is_directory and kind not in STRUCTURAL):
            return
        self._note(kind, os.fsdecode(event.src_path), event.is_directory)
        if kind == "moved":
            self._note(kind, os.fsdecode(event.dest_path), event.is_directory)


class Observation:
    """Observes directories.

    Args:
        directories: to be watched with all below them.
        note: called with the kind of an event, the path, and whether that is a directory; in another thread.
        polling: look at the files at intervals in place of asking the system for events.
    """

    def __init__(self, directories: list[str], note: Callable[[str, str, bool], None], *, polling: bool) -> None:
        self._directories = directories
        self._handler = _Handler(note)
        self._observer: Any = None
        # Directory → what watchdog knows it by, `None` for one that cannot be watched.
        self._watched: dict[str, Any] = {}
        # Whether changes are looked for at intervals.
        self.polls = polling

    def start(self) -> None:
        """Begin; where the system's limit of watches is reached, by polling, with a warning."""
        try:
            self._observe(PollingObserver if self.polls else Observer)
        except OSError as error:
            self.stop()
            warnings.warn(
                f"the system does not allow to watch {', '.join(self._directories)} ({error}): changes are looked for "
                f"once a second, which costs more. On Linux raise fs.inotify.max_user_watches",
                RuntimeWarning,
                stacklevel=4,
            )
            self.polls = True
            self._observe(PollingObserver)

    def stop(self) -> None:
        """End; nothing is told any more."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            if observer.is_alive() and threading.current_thread() is not observer:
                observer.join(5)

    @property
    def is_alive(self) -> bool:
        """Whether changes are still told."""
        return self._observer is not None and self._observer.is_alive()

    def also(self, directories: Iterable[str]) -> None:
        """Watch further directories, not what lies below them: files outside the roots that are read at import."""
        for directory in directories:
            if directory in self._watched or self._observer is None:
                continue
            try:
                self._watched[directory] = self._schedule(directory, recursive=False)
            except OSError:
                self._watched[directory] = None  # gone meanwhile, or no watches left: not to be tried each time

    def _observe(self, kind: Any) -> None:
        self._observer = kind()
        self._observer.daemon = True
        self._watched = {}
        self._observer.start()
        for directory in self._directories:
            self._watched[directory] = self._schedule(directory, recursive=True)

    def _schedule(self, directory: str, *, recursive: bool) -> Any:
        return self._observer.schedule(self._handler, directory, recursive=recursive, event_filter=_WANTED)
