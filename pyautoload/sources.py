"""Where files come from: the file system, an archive, or a place of the user's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Protocol

__all__ = ["FILE_SYSTEM", "FileSystem", "Source", "source_for"]


class Source(Protocol):
    """A place that holds directories and files, addressed by paths."""

    def list(self, directory: str) -> Iterable[os.DirEntry[str]]:
        """The entries of a directory: objects with ``name``, ``path``, ``is_dir()``, ``is_file()``, ``is_symlink()``.

        Raises:
            FileNotFoundError, NotADirectoryError: there is no such directory.
        """

    def read(self, path: str) -> bytes:
        """The content of a file. Raises ``OSError`` where there is none."""

    def stat(self, path: str) -> tuple[int, int]:
        """Modification time in ns and size in bytes of a file or directory. Raises ``OSError`` where there is none."""

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a file."""

    def is_dir(self, path: str) -> bool:
        """Whether ``path`` is a directory."""


class FileSystem:
    """The ordinary file system."""

    def list(self, directory: str) -> Iterable[os.DirEntry[str]]:
        """The entries of a directory, as ``os.scandir`` gives them."""
        with os.scandir(directory) as entries:
            return list(entries)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        with open(path, "rb") as file:
            return file.read()

    def stat(self, path: str) -> tuple[int, int]:
        """Modification time in ns and size in bytes."""
        result = os.stat(path)
        return result.st_mtime_ns, result.st_size

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a regular file, or a link to one."""
        try:
            return stat.S_ISREG(os.stat(path).st_mode)
        except (OSError, ValueError):
            return False

    def is_dir(self, path: str) -> bool:
        """Whether ``path`` is a directory, or a link to one."""
        return os.path.isdir(path)


FILE_SYSTEM = FileSystem()


def source_for(path: str) -> Source:
    """The source that holds ``path``."""
    return FILE_SYSTEM
