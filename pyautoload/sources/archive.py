"""Zip files: what the standard library's zip import reads, listed for the scanner."""

from __future__ import annotations

import os
import stat
import threading
import zipfile
import zipimport
from collections.abc import Iterable
from typing import NamedTuple

from pyautoload.errors import ArchiveError
from pyautoload.sources.regular import open_regular

__all__ = ["ZipArchive"]


_LONGEST = 4096  # characters in the name of a member, as in a path


class _Contents(NamedTuple):
    """What lay in the archive at one time.

    Attributes:
        stamp: modification time in ns, size in bytes, inode and time of change in ns of the archive then.
        names: directory → name → whether that is a directory; ``""`` is the archive's top.
        sizes: file → size in bytes.
    """

    stamp: tuple[int, int, int, int]
    names: dict[str, dict[str, bool]]
    sizes: dict[str, int]


class ZipArchive:
    """A zip file as a source; stored and deflated members. It is listed again when the file has changed.

    Args:
        archive: the path of the file.
    """

    def __init__(self, archive: str) -> None:
        self.archive = archive
        self._contents: _Contents | None = None
        self._importer: zipimport.zipimporter | None = None
        # Thread 1 finds the archive changed and lists it while thread 2 reads: one of them does it for both.
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"ZipArchive({self.archive!r})"

    def list(self, directory: str) -> Iterable[tuple[str, bool]]:
        """The names in a directory of the archive."""
        inner = self._inner(directory)
        names = self._now().names.get(inner)
        if names is None:
            raise FileNotFoundError(f"{directory} is not a directory in the archive {self.archive}")
        return list(names.items())

    def read(self, path: str) -> bytes:
        """The content of a member."""
        contents = self._now()
        if self._inner(path) not in contents.sizes:
            raise FileNotFoundError(f"{path} is not in the archive {self.archive}")
        try:
            importer = self._importer
            if importer is None:
                importer = self._importer = zipimport.zipimporter(self.archive)
            return importer.get_data(path)
        except OSError:
            raise
        except Exception as error:  # a damaged member: zlib, struct and zipimport have errors of their own
            raise ArchiveError(self.archive, f"{self._inner(path)}: {_described(error)}") from error

    def stat(self, path: str) -> tuple[int, int]:
        """The archive's modification time in ns, and the member's size in bytes."""
        contents = self._now()
        inner = self._inner(path)
        if inner not in contents.sizes and inner not in contents.names:
            raise FileNotFoundError(f"{path} is not in the archive {self.archive}")
        return contents.stamp[0], contents.sizes.get(inner, 0)

    def _inner(self, path: str) -> str:
        return path[len(self.archive) + 1 :].replace(os.sep, "/")

    def _now(self) -> _Contents:
        status = os.stat(self.archive)
        if not stat.S_ISREG(status.st_mode):
            raise ArchiveError(self.archive, "it is not a file")
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)
        contents = self._contents
        if contents is not None and contents.stamp == stamp:
            return contents
        with self._lock:
            try:
                if self._contents is not None:
                    # The importer keeps what it read of the directory, too.
                    zipimport.zipimporter(self.archive).invalidate_caches()
                    self._importer = None
                contents = self._contents = _read_contents(self.archive, stamp)
            except OSError:
                raise
            except Exception as error:
                raise ArchiveError(self.archive, _described(error)) from error
        return contents


def _read_contents(archive: str, stamp: tuple[int, int, int, int]) -> _Contents:
    names: dict[str, dict[str, bool]] = {"": {}}
    sizes: dict[str, int] = {}
    descriptor, _ = open_regular(archive)
    with os.fdopen(descriptor, "rb") as opened, zipfile.ZipFile(opened) as file:
        for member in file.infolist():
            path = member.filename.removesuffix("/")
            if not _can_be_imported_from(path):
                continue
            if not member.is_dir():
                sizes[path] = member.file_size
            # Archives need not hold entries for the directories that their members lie in.
            is_directory = member.is_dir()
            while path:
                parent, _, name = path.rpartition("/")
                siblings = names.setdefault(parent, {})
                siblings[name] = siblings.get(name, False) or is_directory
                if is_directory:
                    names.setdefault(path, {})
                path, is_directory = parent, True
    return _Contents(stamp, names, sizes)


def _can_be_imported_from(path: str) -> bool:
    """Whether the stock import would find a member: ``shop//x.py``, ``../x.py`` and ``/x.py`` are never asked for."""
    parts = path.split("/")
    return len(path) <= _LONGEST and not any(part in ("", ".", "..") or "\0" in part for part in parts)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
