"""A source that holds files in memory: what a worker loads its modules from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import count

__all__ = ["MemorySource"]

_times = count(1)


class MemorySource:
    """Files below some roots; each change of a file or directory shows in what ``stat`` says.

    Args:
        roots: directories that are there though nothing may lie in them.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = tuple(roots)
        self.files: Mapping[str, bytes] = {}
        # Directory → name → whether that is a directory.
        self._directories: dict[str, dict[str, bool]] = {root: {} for root in self._roots}
        # Path → when it was changed last, counted.
        self._times: dict[str, int] = {root: next(_times) for root in self._roots}

    def __repr__(self) -> str:
        return f"<MemorySource {len(self.files)} files>"

    def switch(self, files: Mapping[str, bytes]) -> None:
        """Hold other files from now on."""
        before, known = self.files, self._directories
        times = {path: self._times[path] for path in (*files, *known) if path in self._times}
        for path, content in files.items():
            if path not in times or before.get(path) != content:
                times[path] = next(_times)
        directories = known if before.keys() == files.keys() else self._listed(files)
        for directory, names in directories.items():
            if directory not in times or known.get(directory) != names:
                times[directory] = next(_times)
        self.files, self._directories, self._times = files, directories, times

    def _listed(self, files: Iterable[str]) -> dict[str, dict[str, bool]]:
        directories: dict[str, dict[str, bool]] = {root: {} for root in self._roots}
        for path in files:
            is_directory, root = False, self._root_of(path)
            while path != root:
                parent, name = os.path.split(path)
                names = directories.setdefault(parent, {})
                if name in names:
                    break
                names[name] = is_directory
                path, is_directory = parent, True
        return directories

    def _root_of(self, path: str) -> str:
        """The outermost root that a file lies in, so that roots in roots are listed there too."""
        return min((root for root in self._roots if path.startswith(root + os.sep)), key=len)

    # What a source is asked

    def list(self, directory: str) -> Iterable[tuple[str, bool]]:
        """The names in a directory."""
        names = self._directories.get(directory)
        if names is None:
            raise FileNotFoundError(f"{directory} is no directory of what was shipped")
        return list(names.items())

    def read(self, path: str) -> bytes:
        """The content of a file."""
        content = self.files.get(path)
        if content is None:
            raise FileNotFoundError(f"{path} is not in what was shipped")
        return content

    def stat(self, path: str) -> tuple[int, int]:
        """When it was changed last, and its size."""
        content = self.files.get(path)
        if content is None and path not in self._directories:
            raise FileNotFoundError(f"{path} is not in what was shipped")
        return self._times[path], len(content or b"")
