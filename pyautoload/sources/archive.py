"""Zip files: what the standard library's zip import reads, listed for the scanner."""

from __future__ import annotations

import os
import threading
import zipfile
import zipimport
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["ZipArchive"]


class _Contents(NamedTuple):
    """What lay in the archive at one time.

    Attributes:
        stamp: modification time in ns and size in bytes of the archive then.
        names: directory → name → whether that is a directory; ``""`` is the archive's top.
        sizes: file → size in bytes.
    """

    stamp: tuple[int, int]
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
            raise FileNotFoundError(f"{directory} is no directory in the archive {self.archive}")
        return list(names.items())

    def read(self, path: str) -> bytes:
        """The content of a member."""
        contents = self._now()
        if self._inner(path) not in contents.sizes:
            raise FileNotFoundError(f"{path} is not in the archive {self.archive}")
        importer = self._importer
        if importer is None:
            importer = self._importer = zipimport.zipimporter(self.archive)
        return importer.get_data(path)

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
        stamp = (status.st_mtime_ns, status.st_size)
        contents = self._contents
        if contents is not None and contents.stamp == stamp:
            return contents
        with self._lock:
            if self._contents is not None:
                # The importer keeps what it read of the directory, too.
                zipimport.zipimporter(self.archive).invalidate_caches()
                self._importer = None
            contents = self._contents = _read_contents(self.archive, stamp)
        return contents


def _read_contents(archive: str, stamp: tuple[int, int]) -> _Contents:
    names: dict[str, dict[str, bool]] = {"": {}}
    sizes: dict[str, int] = {}
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            path = member.filename.rstrip("/")
            if not member.is_dir():
                sizes[path] = member.file_size
            # Archives need not hold entries for the directories that their members lie in.
            is_directory = member.is_dir()
            while path:
                parent, _, name = path.rpartition("/")
                names.setdefault(parent, {})[name] = is_directory
                if is_directory:
                    names.setdefault(path, {})
                path, is_directory = parent, True
    return _Contents(stamp, names, sizes)
