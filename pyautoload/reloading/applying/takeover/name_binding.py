"""The names of a module are bound while its code runs again: to the old object at once where that is the same.

So all that the code makes of it from there on (defaults, closures, base classes) holds the old one.
"""

from __future__ import annotations

import re
import sys
import typing
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from types import FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.applying.takeover.container_content import FILLED_IN_PLACE, refill
from pyautoload.reloading.applying.takeover.module_functions import DEFINITIONS
from pyautoload.reloading.applying.takeover.reference_counts import UNHELD_VALUE
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.objects.safe_inspection import held_by, is_a
from pyautoload.reloading.objects.values import ATOMS, is_plain

__all__ = ["NameBinding"]

# Objects written in C that are no more than who they are, or cannot change.
_GIVEN_AT_ONCE = frozenset({object, tuple, frozenset, typing.TypeVar, typing.ParamSpec, re.Pattern, ContextVar})


class _Binding(dict[str, Any]):
    """The local names of a module's code: empty, so that reading goes on to the module's dict; writing asks first."""

    def __init__(self, names: dict[str, Any], bound: Callable[[str, Any], Any]) -> None:
        self._names = names
        self._bound = bound

    def __setitem__(self, name: str, value: Any) -> None:
        self._names[name] = self._bound(name, value)

    def __delitem__(self, name: str) -> None:
        del self._names[name]


class NameBinding:
    """Decides what is bound, for all modules that one reload runs again."""

    def __init__(self, state: TakeoverState) -> None:
        self._state = state

    def binding(self, module: str, names: dict[str, Any]) -> dict[str, Any]:
        """What the code of a module binds its names in, as ``exec`` takes it: ``names`` with a say in each binding."""
        return _Binding(names, lambda name, value: self._bound(module, name, value))

    def _bound(self, module: str, name: str, new: Any) -> Any:
        """What is bound to a name: the old object where it is the same as the new one."""
        former = self._state.formers[module]
        old = former.names.get(name, MISSING)
        kind = type(new)
        if (
            old is new
            or type(old) is not kind
            or name in former.imported
            or kind in ATOMS
            or id(old) in self._state.given
        ):
            return new
        if kind is FunctionType:
            if weakref.getweakrefcount(new):
                return new  # who holds it weakly would lose it
            if sys.getrefcount(new) > UNHELD_VALUE or (new.__module__, new.__qualname__) != (module, name):
                return new
            if old.__qualname__ != name or old.__code__.co_freevars != new.__code__.co_freevars:
                return new
            self._state.given[id(old)] = old
            return self._state.reconciler(module).merged(old, new)
        if kind not in _GIVEN_AT_ONCE and kind not in FILLED_IN_PLACE and not (is_plain(kind) and kind is not object):
            return new  # it may hold what cannot be seen, and be used up: a file, an iterator
        if (module in self._state.anew and kind not in _GIVEN_AT_ONCE) or is_a(new, (type, ModuleType, *DEFINITIONS)):
            return new
        given = former.shapes.get(name, MISSING)
        comparison = self._state.comparison()
        if given is MISSING or (module, name) in self._state.apart:
            return new
        if not comparison.same(given, new) or comparison.functions:
            return new
        self._state.given[id(old)] = old
        self._state.counterparts.note(module, name, given, new)
        held = held_by(old)
        if held:
            content = dict(held)
            self._state.journal.note(lambda: _restore(held, content))
        elif kind in FILLED_IN_PLACE:
            copy = kind(old)
            self._state.journal.note(lambda: refill(old, copy))
        return old


def _restore(names: dict[str, Any], content: dict[str, Any]) -> None:
    names.clear()
    names.update(content)
