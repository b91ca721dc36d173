"""The comparison of three states: fresh before an edit, fresh after it, and the living one.

As in a merge: what did not change between the two fresh states is the program's own state. What did change must be in
the living process as it is in the fresh one: code in any case, a value where the living one still has the old one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pyautoload.warm.fingerprint import is_strict

__all__ = ["Difference", "changed", "differences", "home", "pack", "unpack"]

State = Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """Something that is not in the living process as it is in a fresh one.

    Attributes:
        module: where it is.
        name: what it is: ``"Order.total#code"``.
        living: what is there, in words; ``None`` for nothing.
        fresh: what should be there.
    """

    module: str
    name: str
    living: str | None
    fresh: str | None

    def __str__(self) -> str:
        return f"{self.module}: {self.name} is {self.living or 'missing'}, and {self.fresh or 'missing'} when fresh"


def changed(before: State, now: State, unstable: Iterable[str]) -> set[str]:
    """The paths that differ between two fresh states, and not by chance.

    Args:
        before: the fresh state before.
        now: the fresh state after it.
        unstable: paths that differ between two processes that have loaded the same.
    """
    found = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    return found - set(unstable)


def differences(before: State, now: State, living: State, paths: Mapping[str, str]) -> list[Difference]:
    """What the living process does not have as it should.

    Args:
        before: the fresh state before.
        now: the fresh state after it.
        living: of the process, at least at these paths.
        paths: those that have changed → the module that each leads into.
    """
    found = []
    for path, module in sorted(paths.items()):
        old, new, is_there = before.get(path), now.get(path), living.get(path)
        if is_there == new or not (is_strict(path) or is_there == old or is_there is None):
            continue
        found.append(Difference(module, path.removeprefix(f"{module}."), is_there, new))
    return found


def home(path: str, names: AbstractSet[str]) -> str:
    """The module that a path leads into, the innermost of several; an empty text for none."""
    end = len(path)
    while (end := path.rfind(".", 0, end)) > 0:
        if path[:end] in names:
            return path[:end]
    return ""


def pack(state: State) -> bytes:
    """A state in few bytes; equal ones give equal bytes."""
    return zlib.compress(json.dumps(state, sort_keys=True).encode(), 1)


def unpack(packed: bytes | None) -> dict[str, str]:
    """What ``pack`` was given; nothing for ``None``."""
    if packed is None:
        return {}
    state: dict[str, str] = json.loads(zlib.decompress(packed))
    return state
