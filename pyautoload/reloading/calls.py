"""Which statements of a module call a given function when they run, directly or through other functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping

from pyautoload.reloading.bodies import FunctionBodies
from pyautoload.reloading.callwalk import CallWalk
from pyautoload.reloading.facts import Facts
from pyautoload.reloading.identity import Function, is_gone
from pyautoload.reloading.statements import Parsed, Statement

__all__ = ["CallSearch"]


class CallSearch:
    """Looks into the source of the functions involved, and resolves names by what is loaded.

    Args:
        parsed_of: the parsed source of a module, ``None`` for one that is not ours.
    """

    def __init__(self, parsed_of: Callable[[str], Parsed | None]) -> None:
        self._parsed_of = parsed_of
        self.bodies = FunctionBodies(parsed_of)

    def statements(self, module: str, targets: set[Function], parsed: Parsed | None = None) -> set[int]:
        """The indices of the statements of ``module`` that may call one of ``targets``.

        Args:
            module: the module's name.
            targets: the functions.
            parsed: the module's source, if another than what is loaded.
        """
        parsed = parsed or self._parsed_of(module)
        if parsed is None or not targets:
            return set()
        return {index for index, item in enumerate(parsed.statements) if self._calls(module, item, targets)}

    def reaches(self, function: Function, facts: Facts, values: Mapping[str, Iterable[str]], limit: int = 50) -> bool:
        """Whether a function comes to anything that has changed, or calls more than ``limit`` others on the way.

        Args:
            function: where to begin.
            facts: functions and classes that have changed.
            values: module → names that are bound to something else.
            limit: how many functions are followed.
        """
        walk = CallWalk(self.bodies, set(facts.bodies), limit, facts, values)
        walk.add(function)
        return walk.run()

    def _calls(self, module: str, item: Statement, targets: set[Function]) -> bool:
        if item.kind == "import" or not (item.uses.names or item.uses.called):
            return False
        walk = CallWalk(self.bodies, targets)
        walk.code(module, item.uses)
        if item.kind == "class":
            walk.bases(module, item)
        elif item.kind == "def" and is_gone(sys.modules.get(module), item.name):
            walk.add((module, item.name))
        return walk.run()
