"""Which objects are alive, and who holds them: also on Python 3.13 without a GIL, where the collector sees but a part.

Once a second thread has been started there, functions, classes and modules become immortal: they, the dicts of modules
and much else are left out of ``gc.get_objects()`` and ``gc.get_referrers()``, and their count of references is one huge
number. They are still held by what is listed, and found from there.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

__all__ = ["holders", "is_immortal", "living_objects", "reference_counts"]

# What the count shows for an object that the interpreter never frees.
_IMMORTAL = 1 << 28
_HOLD_NOTHING = frozenset({str, bytes, int, float, bool, complex, type(None)})
# Whether the collector lists all objects.
_LISTS_ALL: bool = sys.version_info[:2] != (3, 13) or getattr(sys, "_is_gil_enabled", lambda: True)()


def is_immortal(item: object) -> bool:
    """Whether an object is never freed: its count of references says nothing."""
    return sys.getrefcount(item) >= _IMMORTAL


def living_objects() -> list[object]:
    """All objects that may hold others."""
    found: list[object] = gc.get_objects()
    if _LISTS_ALL:
        return found
    for _ in _reached(found):
        pass
    return found


def _reached(found: list[object]) -> Iterator[list[object]]:
    """Add what is held to what is listed, step by step; gives what was held by each step's objects."""
    seen = set(map(id, found))
    seen.add(id(found))
    front = [*found, sys.modules]
    while front:
        held = gc.get_referents(*front)
        yield held
        by_id = dict(zip(map(id, held), held, strict=True))
        fresh = by_id.keys() - seen
        seen |= fresh
        front = [item for item in map(by_id.__getitem__, fresh) if type(item) not in _HOLD_NOTHING]
        found += front


def holders(targets: list[object]) -> list[object]:
    """The objects that hold one of ``targets``; ``targets`` itself is among them."""
    if _LISTS_ALL:
        return gc.get_referrers(*targets)
    wanted = set(map(id, targets))
    return [item for item in living_objects() if not wanted.isdisjoint(map(id, gc.get_referents(item)))]


def reference_counts(items: Iterable[object]) -> Counter[int]:
    """How many references other objects have to each of some, by their ids, where the interpreter does not count."""
    wanted = set(map(id, items))
    counts: Counter[int] = Counter()
    if wanted:
        for held in _reached(gc.get_objects()):
            counts.update(filter(wanted.__contains__, map(id, held)))
    return counts
