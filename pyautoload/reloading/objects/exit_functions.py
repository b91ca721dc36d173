"""Exit functions: what modules have registered with ``atexit`` is there once, however often they run again.

Python does not tell what is registered. But ``unregister(x)`` compares ``x`` with each entry, so that an object which
notes what it is compared with gets to see them all, and can choose single ones to be removed.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Collection
from types import MethodType
from typing import Any

__all__ = ["ExitFunctions"]


class ExitFunctions:
    """The exit functions as they are when this is made."""

    def __init__(self) -> None:
        self._before = _look()

    def settle(self, twins: dict[int, tuple[Any, Any, Any]], is_gone: Callable[[Any], bool]) -> None:
        """Remove earlier entries that have come again, or whose functions are gone.

        Args:
            twins: id of an old or a new object → old, new, and the one of them that stays.
            is_gone: whether a function is not there any more.
        """
        found = self._compared()
        if found is None:
            return
        start, came = found
        gone = set[int]()
        for place, old in enumerate(self._before):
            again = [(k, new) for k, new in enumerate(came) if _is_same(new, old) or _stands_for(new, old, twins)]
            if is_gone(old) or (again and not _has_former_owner(again[0][1], twins)):
                gone.add(start + place)
            elif again:  # its object has stayed, and what came is a method of one that nobody has
                gone.add(self._first(start) + again[0][0])
        if gone:
            _look(gone)

    def put_back(self) -> None:
        """Remove what has come."""
        found = self._compared()
        if found is None or not found[1]:
            return
        start, came = found
        first = self._first(start)
        _look(range(first, first + len(came)))

    def _first(self, start: int) -> int:
        """Where what has come begins."""
        return 0 if start else len(self._before)

    def _compared(self) -> tuple[int, list[Any]] | None:
        """Where the former entries begin, and what has come; which of both is first depends on the Python version."""
        now, count = _look(), len(self._before)
        for start in (0, len(now) - count):
            part = now[start : start + count]
            if start >= 0 and len(part) == count and all(map(_is_same, part, self._before)):
                return start, now[:start] + now[start + count :]
        return None  # somebody has removed some


class _Probe:
    """Notes what it is compared with; is equal at some places, which ``unregister`` removes then."""

    def __init__(self, places: Collection[int]) -> None:
        self.found: list[Any] = []
        self._places = places

    def __eq__(self, other: object) -> bool:
        self.found.append(other)
        return len(self.found) - 1 in self._places

    __hash__ = None  # type: ignore[assignment]


def _look(removing: Collection[int] = ()) -> list[Any]:
    probe = _Probe(removing)
    atexit.unregister(probe)  # type: ignore[arg-type]
    return probe.found


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if type(one) is not MethodType or type(other) is not MethodType:
        return False
    return one.__self__ is other.__self__ and one.__func__ is other.__func__


def _stands_for(new: Any, old: Any, twins: dict[int, tuple[Any, Any, Any]]) -> bool:
    """Whether an entry that has come is what an earlier one is now."""
    if type(new) is not MethodType or type(old) is not MethodType:
        return id(new) in twins and twins[id(new)][0] is old
    owner = twins[id(new.__self__)][0] if id(new.__self__) in twins else new.__self__
    return owner is old.__self__ and getattr(new, "__name__", None) == getattr(old, "__name__", None)


def _has_former_owner(new: Any, twins: dict[int, tuple[Any, Any, Any]]) -> bool:
    """Whether an entry that has come is a method of an object in whose place the former one has stayed."""
    twin = twins.get(id(new.__self__)) if type(new) is MethodType else None
    return twin is not None and twin[1] is new.__self__ and twin[2] is twin[0]
