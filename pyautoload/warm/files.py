"""Freshness: whether the files that a template was made from are still what they were."""

from __future__ import annotations

import fnmatch
import importlib.machinery
import os
import sys
import sysconfig
from collections.abc import Iterable
from typing import Any

__all__ = ["Files", "is_library", "is_of_the_project", "is_stable"]

_CONFIGURATION = (
    "*.lock",
    "*lock.json",
    "requirements*.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "pixi.toml",
)
_DISTRIBUTIONS = (".dist-info", ".egg-info", ".egg-link", ".pth", ".egg")
_STABLE = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")})
_LIBRARIES = tuple(
    {os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("purelib", "platlib", "stdlib", "platstdlib")}
)
_SUFFIXES = tuple(importlib.machinery.all_suffixes())
# In every template, whatever the project is.
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_OWN = frozenset([__name__.partition(".")[0]])
Stamp = tuple[int, int, int]


def is_stable(path: str) -> bool:
    """Whether a file belongs to the interpreter itself."""
    return os.path.realpath(path).startswith(_STABLE) and "site-packages" not in path


def is_library(path: str) -> bool:
    """Whether a directory is one that libraries are installed in."""
    return (os.path.abspath(path) + os.sep).startswith(_LIBRARIES)


def is_of_the_project(path: str, directory: str) -> bool:
    """Whether a file is one that people write in the project in a directory, not one of a library installed there."""
    absolute = os.path.abspath(path)
    if absolute.startswith((*_LIBRARIES, _PACKAGE)):
        return False
    return absolute.startswith(directory.rstrip(os.sep) + os.sep)


class Files:
    """What a template depends on. Made before it imports, completed after that.

    Args:
        directory: of the project.
        path: ``sys.path``, for what is installed there.
    """

    def __init__(self, directory: str, path: Iterable[str]) -> None:
        self.directory = directory
        self.path = [each for each in path if each and os.path.isdir(each)]
        # Path → what it was. Example: {"/venv/.../flask/app.py": (1700000000000000000, 61000, 1234)}
        self.stamps: dict[str, Stamp | None] = {}
        # Top-level names of what was imported. Example: {"flask", "jinja2"}
        self.tops: frozenset[str] = frozenset()
        # Place on the path that is the user's own → those names that are found there.
        self._found: dict[str, frozenset[str]] = {}
        self._configuration = self._look_at_configuration()
        self._installed = self._look_at_distributions()

    def add(self, names: Iterable[str]) -> None:
        """Take in the files of imported modules."""
        names = list(names)
        for name in names:
            path = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(path, str) and not is_stable(path):
                self.stamps[path] = _stamp(path)
        self.tops = frozenset(name.partition(".")[0] for name in names) - {"__main__"}
        self._found = self._look_for_names()

    def hidden(self, names: Iterable[str], place: str | None = None) -> dict[str, str]:
        """Which modules of libraries a program would import from elsewhere, and why.

        Args:
            names: of the modules.
            place: what the program looks at first; the project by default.
        """
        place = place or self.directory
        found = _importable(place) - _OWN
        return {name: f"is hidden by a module in {place}" for name in names if name.partition(".")[0] in found}

    def changed_since(self, moment: int) -> str | None:
        """A file that was saved after a moment, in nanoseconds since the epoch, and so perhaps after it was read."""
        return next((path for path, stamp in self.stamps.items() if stamp is not None and stamp[0] >= moment), None)

    def changed(self) -> str | None:
        """What is not as it was, in words; ``None`` for nothing."""
        configuration = self._look_at_configuration()
        if configuration != self._configuration:
            changed = dict(set(configuration.items()) ^ set(self._configuration.items()))
            return f"{os.path.basename(min(changed))} has changed"
        if self._look_at_distributions() != self._installed:
            return "an installed distribution has changed"
        for path, known in self.stamps.items():
            if _stamp(path) != known:
                return f"{path} has changed"
        if self.hidden(self.tops) or self._look_for_names() != self._found:
            return "a file has the name of a library now"
        return None

    def as_dict(self) -> dict[str, Any]:
        """For another process."""
        return {
            "directory": self.directory,
            "path": self.path,
            "stamps": self.stamps,
            "tops": sorted(self.tops),
            "found": {place: sorted(names) for place, names in self._found.items()},
            "configuration": self._configuration,
            "installed": self._installed,
        }

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> Files:
        """What ``as_dict`` gave, after its way through JSON."""
        files = cls(known["directory"], known["path"])
        files.stamps = {path: _tuple(stamp) for path, stamp in known["stamps"].items()}
        files.tops = frozenset(known["tops"])
        files._configuration = {path: _tuple(stamp) for path, stamp in known["configuration"].items()}
        files._installed = {
            path: [(name, stamp) for name, stamp in found] for path, found in known["installed"].items()
        }
        files._found = {place: frozenset(names) for place, names in known["found"].items()}
        return files

    def _look_at_configuration(self) -> dict[str, Stamp | None]:
        try:
            names = os.listdir(self.directory)
        except OSError:
            names = []
        found = [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in _CONFIGURATION)]
        return {path: _stamp(path) for path in (os.path.join(self.directory, name) for name in sorted(found))}

    def _look_at_distributions(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for place in self.path:
            try:
                with os.scandir(place) as entries:
                    installed = [e for e in entries if e.name.endswith(_DISTRIBUTIONS)]
                    found[place] = sorted((e.name, e.stat().st_mtime_ns) for e in installed)
            except OSError:
                found[place] = []  # gone, or in change just now: that is a difference, too
        return found

    def _look_for_names(self) -> dict[str, frozenset[str]]:
        return {place: frozenset(_importable(place) & self.tops) for place in self.path if not is_library(place)}


def _importable(place: str) -> set[str]:
    """The names of the modules and packages in a directory."""
    found = set()
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIXES):
                    found.add(entry.name.partition(".")[0])
                elif os.path.exists(os.path.join(entry.path, "__init__.py")):
                    found.add(entry.name)
    except OSError:
        return set()
    return found


def _tuple(stamp: list[int] | None) -> Stamp | None:
    return (stamp[0], stamp[1], stamp[2]) if stamp is not None else None


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
