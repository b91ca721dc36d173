"""Values: what a module held stays, with its state, where its code gives now what it gave before.

Three things are compared: what the code gave last time, what it gives now, and what is there.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from pyautoload.reloading.applying.takeover.class_attributes import ClassAttributes
from pyautoload.reloading.applying.takeover.container_content import FILLED_IN_PLACE, fill_again, refill
from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.module_functions import DEFINITIONS
from pyautoload.reloading.applying.takeover.reference_counts import UNHELD_LOCAL
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.objects.value_comparison import Comparison
from pyautoload.reloading.objects.values import ATOMS, shape_of

__all__ = ["ModuleValues"]


class ModuleValues:
    """Decides which values stay, for all modules that one reload runs again."""

    def __init__(self, state: TakeoverState, attributes: ClassAttributes) -> None:
        self._state = state
        self._attributes = attributes

    def settle(
        self, name: str, names: dict[str, Any], fresh: dict[str, Any], twins: list[tuple[FunctionType, FunctionType]]
    ) -> bool:
        """A module's code has run to its end: what it and its classes hold from now on.

        Args:
            name: of the module.
            names: its dict.
            fresh: what its names hold now, as shapes; those of values that are kept are replaced by the former ones.
            twins: is extended by the functions that living values hold, each with the one that stands for it now.

        Returns:
            Whether any new value was given up for one that stays.
        """
        former, comparison = self._state.formers[name], self._state.comparison()
        self._attributes.settle(name, former, comparison, twins)
        replaced: list[tuple[str, Any, Any]] = []
        given_up = self._keep(former, names, fresh, comparison, twins, replaced)
        del comparison  # it holds what was given up
        any_given_up = bool(given_up)
        for name_of, _, new in given_up:
            self._state.counterparts.note(name, name_of, former.shapes.get(name_of), new)
            del new
        self._replace(names, fresh, replaced)
        self._give_up(former, names, fresh, given_up)
        return any_given_up

    def _keep(
        self,
        former: FormerModule,
        names: dict[str, Any],
        fresh: dict[str, Any],
        comparison: Comparison,
        twins: list[tuple[FunctionType, FunctionType]],
        replaced: list[tuple[str, Any, Any]],
    ) -> list[tuple[str, Any, Any]]:
        """Values that are as the code gave them before stay; gives these, each with the new one that was given up.

        The functions in them are added to ``twins``, each with the one that the new value holds; values that are
        others now to ``replaced``, by their names, the old one and the new one.
        """
        given_up: list[tuple[str, Any, Any]] = []
        module = former.module.__name__
        for name, new in list(names.items()):
            old = former.names.get(name, MISSING)
            if old is new or old is MISSING or name not in fresh or name in former.imported:
                continue
            if is_a(new, DEFINITIONS):
                continue
            given = former.shapes.get(name, MISSING)
            if module in self._state.anew:
                given = shape_of(old)
            comparison.functions.clear()
            comparison.hashed.clear()
            is_apart = module in self._state.cleaned or (module, name) in self._state.apart
            if given is MISSING or is_apart or not comparison.same(given, new):
                if type(old) is type(new) and type(new) not in ATOMS:
                    replaced.append((name, old, new))
                continue
            names[name] = old
            self._state.kept.setdefault(module, set()).add(name)
            given_up.append((name, old, new))
            for container in comparison.hashed:
                self._rehash(container)
            fresh[name] = given
            twins += comparison.functions
        return given_up

    def _replace(self, names: dict[str, Any], fresh: dict[str, Any], replaced: list[tuple[str, Any, Any]]) -> None:
        """Values that are others now; a list, dict or set that only the module holds goes into the former one."""
        while replaced:
            name, old, new = replaced.pop()
            del names[name], fresh[name]
            fills = type(new) in FILLED_IN_PLACE and sys.getrefcount(new) <= UNHELD_LOCAL
            if fills:
                self._fill(old, new)
            else:
                self._state.pair(old, new, new)
            names[name] = old if fills else new
            fresh[name] = shape_of(names[name])
            del new

    def _give_up(
        self,
        former: FormerModule,
        names: dict[str, Any],
        fresh: dict[str, Any],
        given_up: list[tuple[str, Any, Any]],
    ) -> None:
        """New values that others hold by now stand for both, unless the program has changed the old ones."""
        while given_up:
            name, old, new = given_up.pop()
            if sys.getrefcount(new) > UNHELD_LOCAL + self._state.counterparts.count(new) and type(new) not in ATOMS:
                is_new = Comparison(inside=True).same(former.shapes.get(name), old)
                self._state.pair(old, new, new if is_new else old)
                names[name] = new if is_new else old
                if is_new:
                    fresh[name] = shape_of(new)
                    self._state.kept[former.module.__name__].discard(name)
            del new

    def _fill(self, old: Any, new: Any) -> None:
        """A list, dict or set of before gets what the new one holds: others may hold it."""
        content = type(old)(old)
        self._state.journal.note(lambda: refill(old, content))
        refill(old, new)
        self._state.changed_in_place.add(id(old))

    def _rehash(self, container: Any) -> None:
        """A dict or set that stays finds its keys again, whatever their hash is now."""
        fill_again(container)
        self._state.journal.afterwards(lambda: fill_again(container))
