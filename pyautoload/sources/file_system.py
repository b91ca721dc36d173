"""The ordinary file system as a place that holds files."""

from __future__ import annotations

import os
import stat

from pyautoload.sources.regular import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FILE_SYSTEM", "FileSystem"]


class FileSystem:
    """Directories and files as the operating system has them."""

    def list(self, directory: str) -> Iterable[os.DirEntry[str]]:
        """The entries of a directory."""
        with os.scandir(directory) as entries:
            return list(entries)

    def read(self, path: str) -> bytes:
        """The content of a file; what is not a regular file cannot be read."""
        return read_regular(path)

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
