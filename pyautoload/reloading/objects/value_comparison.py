"""Comparison: whether a value holds what another one held.

The comparison is structural and exact: types count, ``-0.0`` is not ``0.0``, the user's ``__eq__`` is never asked, and
which names share one object counts, too. Functions and classes compare by what they are called: what changed in them is
brought into the living ones, so a list of them is the same list.
"""

from __future__ import annotations

import collections
import types
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any

from pyautoload.reloading.code.codediff import same_code
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.objects.values import ATOMS, DEEPEST, NUMBERS, Shape, is_plain, parts_of

__all__ = ["Comparison"]

# What cannot be told apart, as it is made without arguments and holds nothing that could be seen.
_BARE = frozenset({"object", "lock", "RLock"})


class Comparison:
    """Compares what was with what is now.

    Args:
        twins: class that went → class that stands for it now, both ways of saying it count as one.
        merged: class that was made → class that has taken its content, each by the id of the former.
        inside: look into objects that are the very same ones, too: they may hold something else by now.
    """

    def __init__(
        self,
        twins: Mapping[int, Any] | None = None,
        merged: Mapping[int, tuple[Any, Any]] | None = None,
        *,
        inside: bool = False,
    ) -> None:
        self._twins = twins or {}
        self._merged = merged or {}
        self._inside = inside
        # Functions that stand for each other: what was held, and what is held in its place now.
        self.functions: list[tuple[FunctionType, FunctionType]] = []
        # Containers that find what they hold by hashes of the user's making.
        self.hashed: list[Any] = []
        # id of a shape → the object that it was found to be the same as.
        self._paired: dict[int, Any] = {}
        # Ids of a shape and of an object that were found to differ.
        self._different: set[tuple[int, int]] = set()
        self._keep: list[Any] = []

    def same(self, before: Any, now: Any) -> bool:
        """Whether ``now`` holds what ``before``, a shape or an atom, held."""
        return self._same(before, now, 0)

    def _same(self, before: Any, now: Any, depth: int) -> bool:
        kind = type(now)
        if type(before) is not Shape:
            return before is now or self._same_leaf(before, now, kind)
        if before.value is now and not self._inside:
            return True
        if kind is not before.kind and self._twins.get(id(before.kind)) is not kind:
            return False
        paired = self._paired.get(id(before), MISSING)
        if (id(before), id(now)) in self._different:
            return False
        if paired is not MISSING:
            return paired is now or kind in (tuple, frozenset)
        self._paired[id(before)] = now
        self._keep += (before, now)
        if depth >= DEEPEST or before.is_cut or self._same_parts(before, now, kind, depth):
            return True
        self._different.add((id(before), id(now)))
        return False

    def _same_parts(self, before: Shape, now: Any, kind: type, depth: int) -> bool:
        parts = parts_of(now, kind)
        if issubclass(kind, (dict, set, frozenset)) and any(type(key).__hash__ not in _BUILTIN_HASHES for key in now):
            self.hashed.append(before.value)
        if not parts and not before.parts:
            return before.value is now or kind.__qualname__ in _BARE or _is_empty(now) or is_plain(kind)
        if parts.keys() != before.parts.keys():
            return False
        return all(self._same(before.parts[key], part, depth + 1) for key, part in parts.items())

    def _same_leaf(self, before: Any, now: Any, kind: type) -> bool:
        if type(before) is not kind:
            return bool(self._named_alike(before, now)) if isinstance(before, type) and isinstance(now, type) else False
        if kind in ATOMS:
            return same_code(before, now) if isinstance(before, CodeType) else bool(before == now)
        if kind in NUMBERS:
            return repr(before) == repr(now)
        return self._named_alike(before, now)

    def _named_alike(self, before: Any, now: Any) -> bool:
        if id(before) in self._twins:
            return False  # who holds the class that went is to hold the one that stands for it
        if type(before) is FunctionType:
            if (before.__module__, before.__qualname__) != (now.__module__, now.__qualname__):
                return False
            if before.__name__ == "<lambda>" and not same_code(before.__code__, now.__code__):
                return False
            if before is not now:
                self.functions.append((before, now))
                return _can_take_over(before, now)
            return True
        if isinstance(before, type):
            return before is now or self._merged.get(id(now), (now, None))[1] is before
        if isinstance(before, types.BuiltinFunctionType) and isinstance(now, types.BuiltinFunctionType):
            return before.__qualname__ == now.__qualname__ and before.__self__ is now.__self__
        return False


_BUILTIN_HASHES: frozenset[Any] = frozenset(
    {object.__hash__, type.__hash__, *(kind.__hash__ for kind in (int, str, bytes, float, complex, tuple, frozenset))}
)


def _can_take_over(before: FunctionType, now: FunctionType) -> bool:
    """Whether a function can be given what another one has: not if a decorator has made another thing of it."""
    old, new = before.__code__, now.__code__
    return before.__globals__ is now.__globals__ and (old.co_freevars, old.co_name, old.co_filename) == (
        new.co_freevars,
        new.co_name,
        new.co_filename,
    )


def _is_empty(value: Any) -> bool:
    kind = type(value)
    return kind in (list, tuple, dict, set, frozenset, collections.deque, bytearray)
