"""What ``functools.lru_cache`` remembers: answers that may be those of before go, the others stay."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any

from pyautoload.reloading.calls import CallSearch
from pyautoload.reloading.functions import CACHED
from pyautoload.reloading.identity import Function, key_of
from pyautoload.reloading.kinds import held_by, is_a

if TYPE_CHECKING:
    from pyautoload.reloading.facts import Facts
    from pyautoload.reloading.graph import Graph

__all__ = ["Caches"]


class Caches:
    """The caches of the modules that one reload may concern.

    Args:
        graph: the dependencies.
        search: tells what a function comes to.
        facts: what has changed so far.
    """

    def __init__(self, graph: Graph, search: CallSearch, facts: Facts) -> None:
        self.graph = graph
        self.search = search
        self.facts = facts
        # The modules that the reload may concern.
        self.within: set[str] = set()
        # Their caches with the functions in them, looked up once.
        self._before: list[tuple[Any, Function]] | None = None

    def clear_before(self, module: str, values: Iterable[str], *, is_changed: bool) -> None:
        """A module is about to run: what it calls must not answer from before.

        Args:
            module: its name.
            values: names of it that will be bound to something else.
            is_changed: whether its source has changed, so that it may call what it has not called until now.
        """
        if not self.graph.cachers or not (self.facts.tick or values):
            return
        if self._before is None:
            self._before = self._in(self.within)
        called_by = self.graph.called_by
        concerned = (
            item for item in self._before if is_changed or item[1][0] == module or module in called_by(*item[1])
        )
        own = {*self.facts.values.get(module, ()), *values}
        self._clear(concerned, {**self.facts.values, module: own})

    def clear(self) -> None:
        """Everything has run."""
        if self.graph.cachers:
            self._clear(self._in(self.graph.affected(self.facts.modules())), self.facts.values)

    def _in(self, modules: set[str]) -> list[tuple[Any, Function]]:
        found: list[tuple[Any, Function]] = []
        for name in self.graph.cachers & modules:
            for cache in _caches_of(getattr(sys.modules.get(name), "__dict__", {}), name):
                function = held_by(cache).get("__wrapped__")
                if is_a(function, FunctionType):
                    found.append((cache, key_of(function)))
        return found

    def _clear(self, caches: Iterable[tuple[Any, Function]], values: Mapping[str, Iterable[str]]) -> None:
        for cache, key in caches:
            if cache.cache_info().currsize and (
                key in self.facts.bodies or self.search.reaches(key, self.facts, values)
            ):
                cache.cache_clear()


def _caches_of(names: Mapping[str, Any], module: str) -> Iterator[Any]:
    """The caches that a module, or a class of it, holds under a name."""
    for value in list(names.values()):
        kind = type(value)
        if kind is CACHED:
            yield value
        elif issubclass(kind, type) and value.__module__ == module:
            yield from _caches_of(value.__dict__, "")
        elif kind in (staticmethod, classmethod) and type(value.__func__) is CACHED:
            yield value.__func__
