"""The selection: which tests an edit can affect, and why."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyautoload.testing.recorded_dependencies import Recording, Used
from pyautoload.testing.snapshot import CONFIGURATION, Snapshot
from pyautoload.testing.value_dependencies import dependents, edges

__all__ = ["PASSING", "Selection", "select"]

# What people read, and tests only by way of `open`, which is noticed.
_FOR_PEOPLE = (".md", ".rst", ".adoc", "LICENSE", "NOTICE", "AUTHORS", "CODEOWNERS")
PASSING = ("*~", "#*#", ".#*", "*.swp", "*.swo", "*.tmp", "*.orig", "*.rej", "4913", "*.log", "*.pyc", "*.lock")
# Who loads all files of a directory gets a new one, too.
_CACHES = frozenset(["cache", "lrucache", "cachedproperty", "memoize", "memoized", "cached"])
_LOADS_ALL = frozenset(["eagerload", "eagerloadall", "itermodules", "walkpackages"])


@dataclass
class Selection:
    """What is to run.

    Attributes:
        everything: why everything is.
        files: file → why all tests in it are.
        tests: test → why.
        changed: the files that have changed.
        broken: file → why it is no longer a Python file.
    """

    everything: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to run."""
        return self.everything is None and not self.files and not self.tests


@dataclass
class _Changes:
    shells: dict[str, str] = field(default_factory=dict)
    # File → function → what happened to it.
    blocks: dict[str, dict[str, str]] = field(default_factory=dict)
    # File → function that calls one of those → which one.
    callers: dict[str, dict[str, str]] = field(default_factory=dict)
    # Files whose content differs, directories whose names do.
    contents: dict[str, str] = field(default_factory=dict)
    listings: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    # Of a kind that only those notice who open it, if they do.
    unplaced: list[str] = field(default_factory=list)


def select(recording: Recording, now: Snapshot, directory: str) -> Selection:
    """Compare the files with those that the recording was made with.

    Args:
        recording: of earlier runs.
        now: the files as they are.
        directory: of the project.
    """
    changes = _changes(recording.snapshot, now, directory, recording)
    selection = Selection(changed=sorted(changes.contents))
    selection.broken = {path: facts.error for path, facts in now.facts.items() if facts.error}
    if not changes.contents and not changes.listings and not changes.new:
        return selection
    selection.everything = _everything(recording, changes, now, directory)
    if selection.everything is not None:
        return selection
    _Selector(recording, now, changes, directory).fill(selection)
    return selection


def shown(path: str, directory: str) -> str:
    """A path relative to the project."""
    return path.removeprefix(directory.rstrip(os.sep) + os.sep)


def _changes(before: Snapshot, now: Snapshot, directory: str, recording: Recording) -> _Changes:
    changes = _Changes()
    for path in sorted(before.stamps.keys() | now.stamps.keys()):
        name = shown(path, directory)
        if path.endswith(".py"):
            _python_changes(path, name, before, now, changes)
        elif path not in before.digests and before.stamps.get(path) != now.stamps.get(path):
            changes.unplaced.append(path)
    for path in before.digests.keys() | now.digests.keys():
        if path in before.digests and before.digests[path] != now.digests.get(path):
            changes.contents.setdefault(path, f"{shown(path, directory)} was read, and has changed")
    for path in before.listings:
        if before.listings[path] != now.listings.get(path):
            changes.listings[path] = f"{shown(path, directory) or '.'} was listed, and has other files"
    changes.unplaced = [path for path in changes.unplaced if _matters(path, directory)]
    for path in changes.unplaced:
        changes.contents.setdefault(path, f"{shown(path, directory)} has changed")
    return changes


def _python_changes(path: str, name: str, before: Snapshot, now: Snapshot, changes: _Changes) -> None:
    old, new = before.facts.get(path), now.facts.get(path)
    if old is None and new is None:
        return
    if old is None or new is None:
        what = f"{name} is new" if old is None else f"{name} is gone"
        changes.contents[path] = changes.shells[path] = what
        if old is None:
            changes.new.append(path)
        else:
            changes.blocks[path] = dict.fromkeys(old.blocks, what)
        return
    if old.content == new.content:
        return
    changes.contents[path] = f"{name} has changed"
    if new.error or old.error:
        what = f"{name} cannot be compiled" if new.error else f"{name} can be compiled again"
        changes.shells[path] = what
        changes.blocks[path] = dict.fromkeys(old.blocks, what)
        return
    if old.shell != new.shell:
        changes.shells[path] = f"{name}: what it does when it is imported has changed"
    changed = {key for key in old.blocks if old.blocks[key] != new.blocks.get(key)}
    if changed:
        changes.blocks[path] = {key: f"{name}: {key}() has changed" for key in changed}


def _matters(path: str, directory: str) -> bool:
    name = os.path.basename(path)
    if name in CONFIGURATION and os.path.dirname(path) == directory:
        return True
    if name.startswith(".") or name.endswith(_FOR_PEOPLE):
        return False
    return not any(fnmatch.fnmatchcase(name, pattern) for pattern in PASSING)


def _everything(recording: Recording, changes: _Changes, now: Snapshot, directory: str) -> str | None:
    """Why everything has to run; ``None`` where it need not."""
    for path in changes.contents:
        if os.path.basename(path) in CONFIGURATION and path.startswith(directory):
            return f"{shown(path, directory)} has changed"
    for path in changes.unplaced:
        return f"{shown(path, directory)} is not known to be read by anybody in particular"
    libraries = recording.known().libraries
    loads_all = any(not _LOADS_ALL.isdisjoint(facts.names) for facts in now.facts.values())
    for path in changes.new:
        stem = os.path.basename(path)[:-3]
        place = os.path.dirname(path)
        if stem == "__init__":
            stem, place = os.path.basename(place), os.path.dirname(place)
        if os.path.join(place, "__init__.py") not in now.facts and stem in libraries:
            return f"{shown(path, directory)} may stand in the place of the library {stem}"
        if loads_all:
            return f"{shown(path, directory)} is new, and whole directories are loaded"
    return None


def _add_callers(before: Snapshot, changes: _Changes) -> None:
    """Who calls what has changed may have got a value that an earlier test left in a cache: then only that one ran it.

    Where a file has to do with caches by name, its functions' callers count as well, and so on.
    """
    wanted = {_called(key) for keys in changes.blocks.values() for key in keys}
    known: set[str] = set()
    while wanted - known:
        now, known = wanted - known, known | wanted
        for file, facts in before.facts.items():
            goes_on = not _CACHES.isdisjoint(facts.names)
            for key, names in facts.mentions.items():
                found = now.intersection(names)
                if found and key not in changes.blocks.get(file, {}):
                    why = f"{os.path.basename(file)}: {key}() uses {min(found)}, which has changed"
                    changes.callers.setdefault(file, {}).setdefault(key, why)
                    if goes_on:
                        wanted.add(_called(key))


def _called(key: str) -> str:
    """The name by which a function is called: ``__init__`` by that of its class."""
    parts = key.partition("#")[0].split(".")
    return parts[-2] if len(parts) > 1 and parts[-1].startswith("__") else parts[-1]


class _Selector:
    def __init__(self, recording: Recording, now: Snapshot, changes: _Changes, directory: str) -> None:
        self._recording = recording
        self._changes = changes
        self._now = now
        for path, used in recording.modules.items():
            why = self._used_directly(used)
            if why is None and used.opaque:
                why = f"{shown(path, directory)} starts another process when it is imported"
            if why is not None and path not in changes.shells:
                changes.shells[path] = why
        self._reached = dependents(self._graph(), changes.shells) if changes.shells else {}
        _add_callers(recording.snapshot, changes)
        self._fixtures: dict[int, str | None] = {}

    def _graph(self) -> dict[str, set[str]]:
        known, collected = self._recording.known(), self._recording.collected
        graph = edges(self._recording.snapshot.facts, known, collected)
        for file, others in edges(self._now.facts, known, collected).items():
            graph.setdefault(file, set()).update(others)
        return graph

    def fill(self, selection: Selection) -> None:
        recording, changes = self._recording, self._changes
        selection.everything = self._why(recording.session) or self._of_files(recording.ambient)
        if selection.everything is not None:
            return
        for path in changes.new:
            selection.files[path] = changes.contents[path]
        for path, collected in recording.collected.items():
            why = self._of_files([path]) or self._why(collected.used)
            if why is None and not path.endswith(".py"):
                why = changes.contents.get(path)
            if why:
                selection.files[path] = why
        for name, tested in recording.tests.items():
            if tested.file not in selection.files and (why := self._why(tested.used)):
                selection.tests[name] = why

    def _of_files(self, files: Iterable[str]) -> str | None:
        for file in files:
            origin = self._reached.get(file)
            if origin is not None:
                return self._changes.shells[origin]
        return None

    def _why(self, used: Used) -> str | None:
        """Why what was used is not as it was."""
        why = self._used_directly(used) or self._of_files(used.blocks)
        if why is None and used.modules:
            names = self._recording.names
            why = self._of_files(names[name] for name in used.modules if name in names)
        if why is None and used.opaque:
            why = "it starts another process, about which nothing is recorded"
        if why is not None:
            return why
        for number in used.fixtures:
            if (why := self._of_fixture(number)) is not None:
                return why
        return None

    def _of_fixture(self, number: int) -> str | None:
        if number not in self._fixtures:
            self._fixtures[number] = None  # one that uses itself, by way of others
            used = self._recording.fixtures.get(number)
            self._fixtures[number] = "a fixture about which nothing is recorded" if used is None else self._why(used)
        return self._fixtures[number]

    def _used_directly(self, used: Used) -> str | None:
        changes = self._changes
        for file, keys in used.blocks.items():
            changed = changes.blocks.get(file)
            if changed:
                for key in keys:
                    if key in changed:
                        return changed[key]
        for file, keys in used.blocks.items():
            calling = changes.callers.get(file, {})
            for key in keys:
                if key in calling:
                    return calling[key]
        for path in (*used.whole, *used.opened):
            if path in changes.contents:
                return changes.contents[path]
        for path in used.listed:
            if path in changes.listings:
                return changes.listings[path]
        return None
