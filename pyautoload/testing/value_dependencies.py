"""Edges: which file takes values from which other files when it is imported, or in one of its functions.

More edges than there are cost a test that need not have run; one too few would miss one. So names that may mean several
files mean all of them, and who asks a package by computed names takes from everything in it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyautoload.testing.source_summary import FileFacts, normal

__all__ = ["Known", "dependents", "edges"]


class Known(NamedTuple):
    """What runs have told of modules.

    Attributes:
        modules: name → file, of the project.
        libraries: top-level names of modules that are not of the project.
        dynamic: file → names of modules that were imported from it by a call.
        importers: file → files that were first imported by it.
        ran: file → files whose functions ran while it was imported.
    """

    modules: Mapping[str, str]
    libraries: frozenset[str]
    dynamic: Mapping[str, Iterable[str]]
    importers: Mapping[str, Iterable[str]]
    ran: Mapping[str, Iterable[str]]


class _Names:
    """Finds the files that a module's name may mean."""

    def __init__(self, files: Iterable[str], known: Known) -> None:
        self._known = known
        self.files = frozenset(files)
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._of: dict[str, list[str]] = defaultdict(list)
        for name, file in known.modules.items():
            self._exact[name].add(file)
            self._of[file].append(name)
        # Every end of a path, as a dotted name → files, and directories that have some, with a separator at their end.
        self._ends: dict[str, set[str]] = defaultdict(set)
        self._below: dict[str, set[str]] = defaultdict(set)
        # The same, by the names of these files, as far as somebody has asked.
        self._named: dict[str, dict[str, set[str]]] = {}
        for file in self.files:
            stem = file[:-3]
            if os.path.basename(stem) == "__init__":
                stem = os.path.dirname(stem)
            self._note(stem, file)
            directory = os.path.dirname(file)
            while len(directory) > 1 and file not in self._below[directory]:
                self._below[directory].add(file)
                parent = os.path.dirname(directory)
                if parent == directory:
                    break
                directory = parent
        for directory in list(self._below):
            self._note(directory, directory + os.sep)

    def _note(self, path: str, meant: str) -> None:
        parts = path.split(os.sep)
        for count in range(1, min(len(parts), 8) + 1):
            self._ends[".".join(parts[-count:])].add(meant)

    def of(self, file: str) -> list[str]:
        """The names that a file was imported under."""
        return self._of.get(file, [])

    def below(self, directory: str) -> set[str]:
        """All files in a directory and those in it."""
        return self._below.get(directory.rstrip(os.sep), set())

    def named_below(self, directory: str) -> dict[str, set[str]]:
        """The same files, by the names that they may be reached under."""
        found = self._named.get(directory)
        if found is None:
            found = self._named[directory] = defaultdict(set)
            for file in self.below(directory):
                found[_named(file)].add(file)
        return found

    def __getitem__(self, name: str) -> set[str]:
        """The files, and directories, that a dotted name may mean."""
        top = name.partition(".")[0]
        exact = self._exact.get(name)
        if exact:
            return exact | {
                found for found in self._ends.get(name, ()) if found.endswith(os.sep) and _is_package_of(found, exact)
            }
        if top in self._known.libraries and top not in self._exact:
            return set()
        return self._ends.get(name, set())


def _is_package_of(directory: str, files: Iterable[str]) -> bool:
    return any(os.path.dirname(file) + os.sep == directory for file in files)


def edges(facts: Mapping[str, FileFacts], known: Known, collected: Iterable[str]) -> dict[str, set[str]]:
    """File → files that it takes values from.

    Args:
        facts: of all files of the project.
        known: what runs have told.
        collected: the test files, which the `conftest.py` of their directories serve.
    """
    names = _Names(facts, known)
    tests = frozenset(collected)
    found = {}
    for file, each in facts.items():
        taken = _taken(file, each, names, known)
        taken.update(_above(file, "__init__.py", facts))
        if file in tests:
            taken.update(_above(file, "conftest.py", facts))
        taken.discard(file)
        found[file] = taken
    for file, others in known.importers.items():
        found.setdefault(file, set()).update(others)
    for file, others in known.ran.items():
        found.setdefault(file, set()).update(other for other in others if other != file)
    return found


def dependents(graph: Mapping[str, set[str]], changed: Iterable[str]) -> dict[str, str]:
    """Files that take values from changed ones, directly or through others → the changed file."""
    reverse: dict[str, list[str]] = defaultdict(list)
    for file, others in graph.items():
        for other in others:
            reverse[other].append(file)
    reached = {file: file for file in changed}
    waiting = list(reached)
    while waiting:
        file = waiting.pop()
        for other in reverse.get(file, ()):
            if other not in reached:
                reached[other] = reached[file]
                waiting.append(other)
    return reached


def _above(file: str, name: str, facts: Mapping[str, FileFacts]) -> Iterable[str]:
    directory = os.path.dirname(file)
    while True:
        path = os.path.join(directory, name)
        if path in facts:
            yield path
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def _taken(file: str, facts: FileFacts, names: _Names, known: Known) -> set[str]:
    meant: set[str] = set()
    for level, module, wanted in facts.imports:
        if level:
            meant |= _relative(file, level, module, wanted, names)
        else:
            meant |= _absolute(module, wanted, names)
    for text in facts.strings:
        meant |= _absolute(text.replace(":", "."), [], names)
    for text in known.dynamic.get(file, ()):
        meant |= _absolute(text, [], names)
    if facts.is_lazy:
        meant |= names.below(os.path.dirname(file))
    own = frozenset(facts.names)
    taken = {each for each in meant if not each.endswith(os.sep)}
    packages = {each for each in meant if each.endswith(os.sep)}
    packages |= {os.path.dirname(each) for each in taken if os.path.basename(each) == "__init__.py"}
    for package in packages:
        if facts.is_dynamic:
            taken |= names.below(package)
            continue
        by_name = names.named_below(package)
        for name in own:
            if name in by_name:
                taken |= by_name[name]
    return taken


def _named(file: str) -> str:
    """By which name a file may be reached through its package."""
    stem = os.path.basename(file)[:-3]
    return normal(os.path.basename(os.path.dirname(file)) if stem == "__init__" else stem)


def _absolute(module: str, wanted: list[str], names: _Names) -> set[str]:
    parts = module.split(".")
    meant = set()
    for count in range(1, len(parts) + 1):
        meant |= names[".".join(parts[:count])]
    for name in wanted:
        meant |= names[f"{module}.{name}"]
    return meant


def _relative(file: str, level: int, module: str, wanted: list[str], names: _Names) -> set[str]:
    base = os.path.dirname(file)
    for _ in range(level - 1):
        base = os.path.dirname(base)
    place = os.path.join(base, *module.split(".")) if module else base
    meant = set()
    for path in [place, *(os.path.join(place, name) for name in wanted)]:
        meant |= {each for each in (f"{path}.py", os.path.join(path, "__init__.py")) if each in names.files}
        if names.below(path):
            meant.add(path + os.sep)
    for name in names.of(file):
        parts = name.split(".")
        parts = parts[: len(parts) - level + (os.path.basename(file) == "__init__.py")]
        if parts:
            meant |= _absolute(".".join([*parts, *([module] if module else [])]), wanted, names)
    return meant
