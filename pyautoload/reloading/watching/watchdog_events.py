"""Events of the systems that tell of a directory and all below it at once (macOS, Windows), by way of watchdog."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any

from watchdog import events
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from pyautoload.reloading.watching.file_events import FileEvent

__all__ = ["WatchdogEvents"]

# Events that can mean a change. Opened and closed-without-write do not; "attrib" is what watchdog 7 calls a touch.
_KINDS = frozenset({"created", "modified", "closed", "moved", "deleted", "attrib"})
# The system is asked for these alone: loading a thousand modules opens and closes thousands of files, and each of those
# events would go through three threads while the load goes on. `FileAttribEvent` came with watchdog 7.
WANTED = [
    kind
    for name in ("Created", "Modified", "Closed", "Moved", "Deleted", "Attrib")
    for kind in (getattr(events, f"File{name}Event", None), getattr(events, f"Dir{name}Event", None))
    if kind is not None and kind is not events.DirModifiedEvent
]
_OF_DIRECTORIES = frozenset({"created", "moved", "deleted"})


class WatchdogEvents:
    """Watches directories with all below them.

    Args:
        tell: called with events.
    """

    covers_below = True
    tells_closing = False

    def __init__(self, tell: Callable[[list[FileEvent]], None]) -> None:
        self._tell = tell
        self._observer: Any = Observer()
        self._observer.daemon = True
        self._observer.start()
        self._handles = itertools.count(1)
        # Handle → what watchdog knows the watch by.
        self._watches: dict[int, Any] = {}

    def add(self, directory: str) -> int:
        """Watch a directory with all below it.

        Raises:
            OSError: it cannot be watched.
        """
        handle = next(self._handles)
        # Some systems tell of the real path whatever they were asked for.
        real = os.path.realpath(directory)
        if not os.path.isdir(real):
            raise NotADirectoryError(f"{directory} is not a directory")
        handler = _Handler(handle, real, self._tell)
        self._watches[handle] = self._observer.schedule(handler, real, recursive=True, event_filter=WANTED)
        return handle

    def remove(self, handle: int) -> None:
        """End a watch; it is not an error if it has ended already."""
        watch = self._watches.pop(handle, None)
        if watch is not None and watch not in self._watches.values():
            self._observer.unschedule(watch)

    @property
    def is_alive(self) -> bool:
        """Whether events are still told."""
        return bool(self._observer.is_alive())

    def has_told_all(self) -> bool:
        """Nobody can know that here."""
        return True

    def close(self) -> None:
        """End; nothing is told afterwards."""
        self._observer.stop()
        if self._observer.is_alive() and threading.current_thread() is not self._observer:
            self._observer.join(5)


class _Handler(FileSystemEventHandler):
    """Says whose events they are."""

    def __init__(self, handle: int, directory: str, tell: Callable[[list[FileEvent]], None]) -> None:
        super().__init__()
        self._handle = handle
        self._directory = directory
        self._tell = tell

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called by watchdog."""
        kind = event.event_type
        if kind not in _KINDS or (event.is_directory and kind not in _OF_DIRECTORIES):
            return
        source = os.fsdecode(event.src_path)
        if source == self._directory:
            if kind in ("deleted", "moved"):
                self._tell([FileEvent("gone", self._handle, "", True)])
            return
        if kind != "moved":
            self._tell([self._told(kind, source, event)])
            return
        target = os.fsdecode(event.dest_path)
        self._tell([self._told("deleted", source, event), self._told("moved", target, event)])

    def _told(self, kind: str, path: str, event: FileSystemEvent) -> FileEvent:
        return FileEvent(kind, self._handle, os.path.relpath(path, self._directory), event.is_directory)
