"""Class attributes: what the program has put into them stays where the code gives what it gave before."""

from __future__ import annotations

import enum
from types import FunctionType
from typing import Any

from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.objects.class_identity import class_putter
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.objects.value_comparison import Comparison
from pyautoload.reloading.objects.values import NOT_OWN, NOT_STATE

__all__ = ["ClassAttributes"]


class ClassAttributes:
    """Keeps what class attributes hold, for all modules that one reload runs again."""

    def __init__(self, state: TakeoverState) -> None:
        self._state = state

    def settle(
        self,
        name: str,
        former: FormerModule,
        comparison: Comparison,
        twins: list[tuple[FunctionType, FunctionType]],
    ) -> None:
        """The module has run to its end.

        Args:
            name: of the module.
            former: what it was.
            comparison: of what its code gave and what it gives now.
            twins: is extended by the functions that living values hold, each with the one that stands for it now.
        """
        if name in self._state.anew:
            return
        classes = [(cls, before) for cls, before in self._state.members_before.items() if cls.__module__ == name]
        # Descriptors that the class statements have recreated: what is made of them goes with them.
        made_anew = {id(value) for cls, before in classes for key, value in before.items() if _is_anew(cls, key, value)}
        for cls, before in classes:
            known = former.members.get(cls.__qualname__, {})
            for attribute, value in list(before.items()):
                comparison.functions.clear()
                if not self._is_state(cls, attribute, value, known.get(attribute, MISSING), comparison):
                    continue
                if made_anew and not made_anew.isdisjoint(_elements(value)):
                    continue
                self._keep_attribute(cls, attribute, value, known.get(attribute, MISSING))
                for old, new in comparison.functions:
                    if vars(cls).get(new.__name__) is new:  # what is kept holds the old one: the class has that, too
                        self._state.journal.set_class_attribute(cls, new.__name__, old, class_putter(cls))
                twins += comparison.functions

    def settle_at_once(self, name: str, cls: type) -> None:
        """Keep them as soon as the class is made, where it shows by then: what comes after it sees what stays."""
        former, before = self._state.formers.get(name), self._state.members_before[cls]
        if former is None or name in self._state.anew:
            return
        known, comparison = former.members.get(cls.__qualname__, {}), self._state.comparison()
        if any(_is_anew(cls, attribute, value) for attribute, value in before.items()):
            return
        for attribute in known.keys() & before.keys():
            comparison.functions.clear()
            value = before[attribute]
            if self._is_state(cls, attribute, value, known[attribute], comparison) and not comparison.functions:
                self._keep_attribute(cls, attribute, value, known[attribute])

    def _keep_attribute(self, cls: type, attribute: str, value: Any, given: Any) -> None:
        name, place = cls.__module__, f"{cls.__qualname__}.{attribute}"
        self._state.counterparts.note(name, place, given, vars(cls).get(attribute))
        self._state.journal.set_class_attribute(cls, attribute, value, class_putter(cls))
        self._state.kept.setdefault(name, set()).add(place)
        if given is not MISSING:  # it holds the functions of then
            self._state.kept_members.setdefault(name, {}).setdefault(cls.__qualname__, {})[attribute] = given
        self._state.reconciler(name).attributes.get(cls.__qualname__, set()).discard(attribute)

    def _is_state(self, cls: type, attribute: str, value: Any, given: Any, comparison: Comparison) -> bool:
        """Whether what a class attribute held is the program's own, as the code gives what it gave before.

        Args:
            cls: the class.
            attribute: the name.
            value: what it held.
            given: what the code gave before.
            comparison: compares that with what the code gives now.
        """
        if type(value) in NOT_STATE or attribute in NOT_OWN or is_a(value, type) or hasattr(value, "__get__"):
            return False
        if is_a(cls, enum.EnumMeta) and attribute[:1] == "_":
            return False  # what the enumeration keeps of its members
        if attribute[:2] == "__" or (cls.__module__, f"{cls.__qualname__}.{attribute}") in self._state.apart:
            return False
        changed = self._state.reconciler(cls.__module__).attributes.get(cls.__qualname__)
        if changed and attribute not in self._state.body_names.get(cls, ()):
            return False  # derived from the class by somebody else, and it is another class now
        now = vars(cls).get(attribute, MISSING)
        if now is value:
            return False
        if given is MISSING or now is MISSING:
            return given is now
        return comparison.same(given, now)


def _is_anew(cls: type, attribute: str, value: Any) -> bool:
    """Whether a descriptor of a class, other than functions and what Python makes of them, has given way."""
    return type(value) not in NOT_STATE and hasattr(type(value), "__get__") and vars(cls).get(attribute) is not value


def _elements(value: Any, depth: int = 2) -> set[int]:
    """The ids of what a container holds, and of what containers in it hold."""
    if not depth or not is_a(value, (tuple, list, dict, set, frozenset)):
        return set()
    held = list(value.values()) if is_a(value, dict) else list(value)
    return {id(item) for item in held}.union(*(_elements(item, depth - 1) for item in held))
