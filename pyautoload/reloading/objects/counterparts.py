"""Counterparts: what was made anew for a value that stays, and is given up with that.

Nobody else may hold it: what is one object in a fresh process would be two. Such a value gives way in the next attempt.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from pyautoload.reloading.objects.safe_inspection import held_by, is_a
from pyautoload.reloading.objects.values import NOT_STATE, Shape, parts_of, shape_of

__all__ = ["Counterparts", "ids_within"]

# Kinds of which nobody asks which one it is: they are compared by what they hold, or made on each use.
_ANY_WILL_DO = frozenset(
    {tuple, frozenset, re.Pattern, types.GenericAlias, types.MethodType, type(int | str), object, *NOT_STATE}
)


class Counterparts:
    """The new objects that were given up, for all modules that one reload runs again."""

    def __init__(self) -> None:
        # id of a new object → that, and the values whose part it was, by module and name.
        # Example: {140…: (<Color red>, {("app.theme", "STYLES")})}
        self._found: dict[int, tuple[Any, set[tuple[str, str]]]] = {}
        # id of a new object → how many of the others refer to it.
        self._inner: dict[int, int] = {}

    def note(self, module: str, name: str, before: Any, new: Any) -> None:
        """A value stays, and what was made for it is given up.

        Args:
            module: whose value.
            name: by which it holds that; of an attribute of a class with its qualified name.
            before: the shape of the one that stays.
            new: what is given up.
        """
        waiting, seen = [(before, new)], set[int]()
        self._inner[id(new)] = self._inner.get(id(new), 0) - 1  # that it is given up is no reference
        while waiting:
            shape, made = waiting.pop()
            if is_a(made, FunctionType) and shape is not made:
                self._inner[id(made)] = self._inner.get(id(made), 0) + 1
            if type(shape) is not Shape or shape.value is made:
                continue
            self._inner[id(made)] = self._inner.get(id(made), 0) + 1
            if id(made) in seen or shape.is_cut:
                continue
            seen.add(id(made))
            if not _will_any_do(type(made)):
                self._found.setdefault(id(made), (made, set()))[1].add((module, name))
            parts = parts_of(made, type(made))
            waiting += [(shape.parts[key], part) for key, part in parts.items() if key in shape.parts]

    def count(self, new: Any) -> int:
        """How many references to an object are only because it was noted."""
        return (id(new) in self._found) + self._inner.get(id(new), 0)

    def held(self, standing: set[int]) -> set[tuple[str, str]]:
        """The values of whose counterparts somebody holds a part.

        Args:
            standing: ids of all that the modules hold now.
        """
        return {place for key in self._found.keys() & standing for place in self._found[key][1]}


def _will_any_do(kind: type) -> bool:
    return kind in _ANY_WILL_DO or kind.__module__ == "typing"


def ids_within(shapes: Iterable[Any]) -> set[int]:
    """The ids of all objects in shapes, and of what the functions among them hold."""
    found, waiting = set[int](), list(shapes)
    while waiting:
        item = waiting.pop()
        key = id(item.value) if type(item) is Shape else id(item)
        if key in found:
            continue
        if type(item) is Shape:
            found.add(key)
            waiting += item.parts.values()
        elif is_a(item, FunctionType):
            found.add(key)
            waiting += _held_by_function(item)
        elif is_a(item, (staticmethod, classmethod, property)):
            found.add(key)
            parts = (getattr(item, name, None) for name in ("__func__", "fget", "fset", "fdel"))
            waiting += [part for part in parts if is_a(part, FunctionType)]
    return found


def _held_by_function(function: FunctionType) -> list[Any]:
    held = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    held += held_by(function).values()
    return [shape_of(item) for item in held]
