"""What has changed so far in one reload, in the terms in which dependents ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from pyautoload.reloading.journal import MISSING

__all__ = ["Facts", "ValueFact"]


class ValueFact(NamedTuple):
    """A name of a module is bound to something else now; ``MISSING`` on either side for names that came or went.

    Attributes:
        old: what it was before the reload.
        new: what it is now.
        tick: when that was noted.
        between: what it was in the course of the reload, where the module ran more than once.
    """

    old: Any
    new: Any
    tick: int = 0
    between: tuple[Any, ...] = ()

    @property
    def is_removal(self) -> bool:
        """Whether the name is gone."""
        return self.new is MISSING

    def was(self, value: object) -> bool:
        """Whether ``value`` is what the name stood for earlier."""
        return value is self.old or any(value is item for item in self.between)


class Facts:
    """Everything that has changed in one reload so far, each fact with the tick at which it was noted last.

    Modules of a circle may have to look twice; the tick says what is new to them.
    """

    def __init__(self) -> None:
        # Grows with each fact.
        self.tick = 0
        # Module → name → what it was and is. Example: {"myapp.conf": {"LIMIT": ValueFact(5, 7)}}
        self.values: dict[str, dict[str, ValueFact]] = {}
        # Functions that behave differently. Example: {("myapp.tools", "slug"): 3}
        self.bodies: dict[tuple[str, str], int] = {}
        # Module → class → attributes that changed, the class being the same object.
        self.attributes: dict[str, dict[str, dict[str, int]]] = {}
        # Modules whose files have gone.
        self.gone: set[str] = set()

    def value(self, module: str, name: str, old: Any, new: Any) -> None:
        """Note that a name is bound to something else."""
        self.tick += 1
        names = self.values.setdefault(module, {})
        before = names.get(name)
        if before is None:
            names[name] = ValueFact(old, new, self.tick)
        else:
            names[name] = ValueFact(before.old, new, self.tick, (*before.between, before.new))

    def body(self, module: str, *functions: str) -> None:
        """Note that functions behave differently; what is made within a function counts as that."""
        self.tick += 1
        self.bodies.update(((module, name.partition(".<locals>")[0]), self.tick) for name in functions)

    def note_bodies(self, functions: Iterable[tuple[str, str]]) -> None:
        """Note functions of any modules that behave differently, unless that is known."""
        fresh = [function for function in functions if function not in self.bodies]
        if fresh:
            self.tick += 1
            self.bodies.update((function, self.tick) for function in fresh)

    def attribute(self, module: str, cls: str, names: Iterable[str]) -> None:
        """Note that attributes of a class have changed."""
        self.tick += 1
        known = self.attributes.setdefault(module, {}).setdefault(cls, {})
        known.update((name, self.tick) for name in names)

    def modules(self) -> set[str]:
        """The modules that anything is known of."""
        return {*self.values, *self.attributes, *self.gone, *(module for module, _ in self.bodies)}

    def knows(self, module: str) -> bool:
        """Whether values or classes of a module have changed, or it has gone."""
        return module in self.values or module in self.attributes or module in self.gone
