"""A source of the user's own, or an archive, asked in the words of the file system."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import cast

from pyautoload.sources.protocol import Source

__all__ = ["Mounted"]


class MountedEntry:
    """What ``os.scandir`` would give for an entry of a source."""

    __slots__ = ("_is_directory", "name", "path")

    def __init__(self, directory: str, name: str, is_directory: bool) -> None:
        self.name = name
        self.path = f"{directory}{os.sep}{name}"
        self._is_directory = is_directory

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a directory."""
        return self._is_directory

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a file."""
        return not self._is_directory

    def is_symlink(self) -> bool:
        """Sources have no links."""
        return False


class Mounted:
    """Joins a ``Source`` to what the rest of the project asks.

    Args:
        source: answers ``list``, ``read`` and ``stat``.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    def __repr__(self) -> str:
        return f"<Mounted {self.source!r}>"

    def list(self, directory: str) -> Iterable[os.DirEntry[str]]:
        """The entries of a directory."""
        entries = [MountedEntry(directory, name, is_directory) for name, is_directory in self.source.list(directory)]
        return cast("Iterable[os.DirEntry[str]]", entries)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        return self.source.read(path)

    def stat(self, path: str) -> tuple[int, int]:
        """Modification time in ns and size in bytes."""
        return self.source.stat(path)

    def is_dir(self, path: str) -> bool:
        """Whether ``path`` is a directory: whether it can be listed."""
        try:
            self.source.list(path)
        except OSError:
            return False
        return True

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is there and is not a directory."""
        try:
            self.source.stat(path)
        except OSError:
            return False
        return not self.is_dir(path)
