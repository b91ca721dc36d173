"""Need: what a module has to do because others, on which it depends, have changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyautoload.reloading.facts import ValueFact

__all__ = ["Need"]


@dataclass
class Need:
    """What a dependent needs.

    Attributes:
        rebinds: global name → what it has to be bound to.
        changed: global names whose values have changed and that import-time code uses.
        calls: functions that behave differently and that import-time code calls.
        missing: an import of the module will fail.
        through: a value reached through a namespace at import time has changed.
        star: what a ``from x import *`` gives is another list of names.
        contested: names that a star import gives anew and that another statement binds, too: all has to run, in order.
    """

    rebinds: dict[str, ValueFact] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)
    missing: bool = False
    through: set[str] = field(default_factory=set)
    star: bool = False
    contested: set[str] = field(default_factory=set)

    @property
    def runs(self) -> bool:
        """Whether import-time code has to run again."""
        return bool(self.changed or self.calls or self.missing or self.through or self.star)

    def __bool__(self) -> bool:
        return self.runs or bool(self.rebinds)
