"""What a source must be able to do, and what the rest of the project asks of a place that holds files."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol
else:
    Protocol = object

__all__ = ["Place", "Source"]


class Source(Protocol):
    """What users implement to load modules from a place of their own: three questions about absolute paths.

    It is asked only about paths at and below the root that it was given for, from several threads at a time.
    """

    def list(self, directory: str) -> Iterable[tuple[str, bool]]:
        """The names in a directory, each with whether it is a directory itself.

        Raises:
            FileNotFoundError: there is no such directory.
        """

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: there is no such file.
        """

    def stat(self, path: str) -> tuple[int, int]:
        """When a file or directory was last changed, in ns, and its size in bytes (0 for a directory).

        Any number will do for the time, if it is another one after each change; a directory changes when a name in it
        comes or goes.

        Raises:
            FileNotFoundError: there is no such path.
        """


class Place(Protocol):
    """What the scanner and the loader ask of the file system or of a mounted source."""

    def list(self, directory: str) -> Iterable[os.DirEntry[str]]:
        """The entries of a directory, as ``os.scandir`` gives them. Raises ``OSError`` where there is none."""

    def read(self, path: str) -> bytes:
        """The content of a file. Raises ``OSError`` where there is none."""

    def stat(self, path: str) -> tuple[int, int]:
        """Modification time in ns and size in bytes. Raises ``OSError`` where there is nothing."""

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a file."""

    def is_dir(self, path: str) -> bool:
        """Whether ``path`` is a directory."""
