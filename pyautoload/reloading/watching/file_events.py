"""What is told of a watched directory, whichever way the system has of telling it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

__all__ = ["Events", "FileEvent"]


class FileEvent(NamedTuple):
    """One event.

    Attributes:
        kind: ``created``, ``modified``, ``attrib``, ``closed`` (after writing), ``moved`` (to this place) or
            ``deleted`` (or moved away); ``gone``: the watch itself has ended; ``overflow``: events were lost.
        handle: of the watch.
        name: the path, relative to the watched directory.
        is_directory: whether it is about a directory, as far as the system says so.
    """

    kind: str
    handle: int
    name: str
    is_directory: bool


class Events(Protocol):
    """A way to be told: see ``Inotify`` and ``Watchdog``."""

    covers_below: bool
    tells_closing: bool

    def __init__(self, tell: Callable[[list[FileEvent]], None]) -> None: ...

    def add(self, directory: str) -> int:
        """Watch a directory; raises ``OSError``."""

    def remove(self, handle: int) -> None:
        """End a watch."""

    @property
    def is_alive(self) -> bool:
        """Whether events are still told."""

    def has_told_all(self) -> bool:
        """Whether all that has happened until now was told, as far as that can be known."""

    def close(self) -> None:
        """End."""
