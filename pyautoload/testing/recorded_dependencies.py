"""The recording: what each test used when it ran last, and what came of it; kept in ``.pyautoload/`` of the project."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyautoload.testing.snapshot import Snapshot
from pyautoload.testing.source_summary import FileFacts
from pyautoload.testing.value_dependencies import Known

__all__ = ["Collected", "Recording", "Tested", "Used", "place_of", "read", "write"]

_FORMAT = 2
_SHOWING = re.compile(r"-(?:[vqsx]+|-verbose|-quiet|-exitfirst|-(?:tb|color|capture|durations|show-capture)=.*)\Z")


@dataclass
class Used:
    """What somebody used.

    Attributes:
        blocks: file → functions of it that ran; none where only its import-time code did.
        whole: files of which it is not known which part.
        opened: files that were read.
        listed: directories that were listed.
        modules: names of modules that were imported by a call of a library.
        fixtures: numbers of the fixtures that were used.
        opaque: whether another process was started.
    """

    blocks: dict[str, list[str]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    fixtures: list[int] = field(default_factory=list)
    opaque: bool = False

    def add(self, other: Used) -> None:
        """Take in what was used besides."""
        for file, keys in other.blocks.items():
            self.blocks[file] = sorted({*self.blocks.get(file, ()), *keys})
        for name in ("whole", "opened", "listed", "modules", "fixtures"):
            setattr(self, name, sorted({*getattr(self, name), *getattr(other, name)}))
        self.opaque = self.opaque or other.opaque


@dataclass
class Tested:
    """A test, and what came of it."""

    file: str
    used: Used
    outcome: str = "passed"
    seconds: float = 0.0
    longrepr: str | None = None


@dataclass
class Collected:
    """A file with tests; ``error`` where it could not be collected, with the name under which pytest tells that."""

    used: Used = field(default_factory=Used)
    id: str = ""
    error: str | None = None


@dataclass
class Recording:
    """All that is known of the tests of a project.

    Attributes:
        key: what has to be the same for it to hold: the interpreter, the plugins, the arguments.
        pending: file → tests in it that are still to run, ``None`` for all of them, each with the reason.
        is_all_pending: why everything is still to run.
    """

    key: str = ""
    snapshot: Snapshot = field(default_factory=Snapshot)
    tests: dict[str, Tested] = field(default_factory=dict)
    collected: dict[str, Collected] = field(default_factory=dict)
    fixtures: dict[int, Used] = field(default_factory=dict)
    session: Used = field(default_factory=Used)
    modules: dict[str, Used] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    importers: dict[str, list[str]] = field(default_factory=dict)
    dynamic: dict[str, list[str]] = field(default_factory=dict)
    ambient: list[str] = field(default_factory=list)
    loaded: list[list[Any]] = field(default_factory=list)
    pending: dict[str, dict[str, str] | str] = field(default_factory=dict)
    is_all_pending: str | None = "nothing is recorded yet"

    def known(self) -> Known:
        """What runs have told of modules."""
        libraries = frozenset(name.partition(".")[0] for name, _ in self.loaded)
        libraries -= {name.partition(".")[0] for name in self.names}  # namespaces have no file of their own
        ran = {file: list(used.blocks) for file, used in self.modules.items()}
        dynamic = {file: [*self.dynamic.get(file, ()), *used.modules] for file, used in self.modules.items()}
        return Known(self.names, libraries, {**self.dynamic, **dynamic}, self.importers, ran)

    def all_used(self) -> Iterator[Used]:
        """Of everybody."""
        yield self.session
        for tested in self.tests.values():
            yield tested.used
        for collected in self.collected.values():
            yield collected.used
        yield from self.fixtures.values()
        yield from self.modules.values()

    def opened(self) -> set[str]:
        """All files that anybody reads."""
        return {path for used in self.all_used() for path in used.opened}

    def listed(self) -> set[str]:
        """All directories that anybody lists."""
        return {path for used in self.all_used() for path in used.listed}

    def forget_file(self, file: str) -> None:
        """There are no tests in a file any more."""
        for name in [name for name, tested in self.tests.items() if tested.file == file]:
            del self.tests[name]
        self.collected.pop(file, None)
        self.pending.pop(file, None)

    def clean(self) -> None:
        """Forget fixtures that nobody refers to."""
        needed: set[int] = set()
        waiting = [number for tested in self.tests.values() for number in tested.used.fixtures]
        while waiting:
            number = waiting.pop()
            if number not in needed:
                needed.add(number)
                waiting.extend(self.fixtures[number].fixtures if number in self.fixtures else ())
        self.fixtures = {number: used for number, used in self.fixtures.items() if number in needed}


def key_of(arguments: Sequence[str]) -> str:
    """What a recording holds for."""
    plugins = sorted(
        f"{distribution.metadata['Name']} {distribution.version}"
        for distribution in importlib.metadata.distributions()
        if any(point.group == "pytest11" for point in distribution.entry_points)
    )
    pytest_version = importlib.metadata.version("pytest")
    return json.dumps(
        [_FORMAT, sys.version, sys.prefix, list(sys.flags), pytest_version, plugins, _that_matter(arguments)]
    )


def _that_matter(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that only say what pytest shows."""
    return [each for each in arguments if not _SHOWING.match(each)]


def place_of(directory: str, arguments: Sequence[str]) -> str:
    """The file for a recording with some arguments of pytest."""
    number = hashlib.blake2b(json.dumps(_that_matter(arguments)).encode(), digest_size=6).hexdigest()
    return os.path.join(directory, ".pyautoload", f"tests-{number}.json")


def read(path: str, key: str) -> tuple[Recording, str | None]:
    """The recording in a file.

    Returns:
        The recording, a new one where there is none that holds; and why one was thrown away.
    """
    try:
        with open(path, encoding="utf-8") as opened:
            content = json.load(opened)
    except FileNotFoundError:
        return Recording(key), None
    except (OSError, ValueError, RecursionError):
        return Recording(key), f"{path} is damaged: everything runs once, and is recorded anew"
    try:
        if content["key"] != key:
            return Recording(key), "another Python, pytest or plugin than in the recording: everything runs once"
        return _from_dict(content), None
    except (KeyError, TypeError, ValueError, AttributeError):
        return Recording(key), f"{path} is not a recording: everything runs once, and is recorded anew"


def write(path: str, recording: Recording) -> None:
    """Write a recording, the file as a whole; where it cannot be written, the next run does without it."""
    directory = os.path.dirname(path)
    temporary = None
    try:
        os.makedirs(directory, exist_ok=True)
        ignore = os.path.join(directory, ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="utf-8") as opened:
                opened.write("*\n")
        number, temporary = tempfile.mkstemp(dir=directory, prefix="tests-", suffix=".tmp")
        with open(number, "w", encoding="utf-8") as opened:
            # As a whole: piece by piece, `dump` takes ten times as long.
            opened.write(json.dumps(recording, default=_as_dict, separators=(",", ":")))
        os.replace(temporary, path)
    except OSError:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def _as_dict(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return vars(value)


def _from_dict(content: dict[str, Any]) -> Recording:
    snapshot = content.pop("snapshot")
    recording = Recording(**content)
    recording.snapshot = Snapshot(
        {path: (stamp[0], stamp[1], stamp[2]) for path, stamp in snapshot["stamps"].items()},
        {path: _facts(facts) for path, facts in snapshot["facts"].items()},
        snapshot["digests"],
        snapshot["listings"],
    )
    recording.tests = {
        name: Tested(**{**tested, "used": Used(**tested["used"])}) for name, tested in content["tests"].items()
    }
    recording.collected = {
        file: Collected(**{**collected, "used": Used(**collected["used"])})
        for file, collected in content["collected"].items()
    }
    recording.fixtures = {int(number): Used(**used) for number, used in content["fixtures"].items()}
    recording.session = Used(**content["session"])
    recording.modules = {file: Used(**used) for file, used in content["modules"].items()}
    return recording


def _facts(content: dict[str, Any]) -> FileFacts:
    facts = FileFacts(**content)
    facts.imports = [(level, module, names) for level, module, names in content["imports"]]
    return facts


def resolved(
    used: dict[str, Any],
    codes: dict[int, tuple[str, int, str]],
    facts: dict[str, FileFacts],
    changing: Iterable[str] = (),
) -> Used:
    """What a message says that somebody used, in terms of blocks.

    Args:
        used: the message.
        codes: number → file, line, name of a code object.
        facts: of the files as they were before the run.
        changing: files that changed meanwhile.
    """
    found = Used(opened=used["opened"], listed=used["listed"], modules=used["modules"], fixtures=used["fixtures"])
    found.opaque = used["opaque"]
    blocks: dict[str, set[str]] = {}
    whole: set[str] = set()
    unsure = frozenset(changing)
    for number in used["codes"]:
        file, line, name = codes[number]
        there = facts[file].places.get(f"{line}:{name}") if file in facts else None
        mine = blocks.setdefault(file, set())
        if there is None or file in unsure:
            if name != "<module>":
                whole.add(file)
            continue
        mine.update(key for key in there if key)
    found.blocks = {file: sorted(keys) for file, keys in blocks.items()}
    found.whole = sorted(whole)
    return found
