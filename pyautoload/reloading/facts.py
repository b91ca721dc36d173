"""What has changed so far in one reload, in the terms in which dependents ask for it."""

from __future__ import annotations

from typing import Any, NamedTuple

from pyautoload.reloading.journal import MISSING

__all__ = ["Facts", "ValueFact"]


class ValueFact(NamedTuple):
    """A name of a module is bound to something else now; ``MISSING`` on either side for names that came or went."""

    old: Any
    new: Any

    @property
    def is_removal(self) -> bool:
        """Whether the name is gone."""
        return self.new is MISSING


class Facts:
    """Everything that has changed in one reload so far."""

    def __init__(self) -> None:
        # Module → name → what it was and is. Example: {"myapp.conf": {"LIMIT": ValueFact(5, 7)}}
        self.values: dict[str, dict[str, ValueFact]] = {}
        # Functions that behave differently. Example: {("myapp.tools", "slug")}
        self.bodies: set[tuple[str, str]] = set()
        # Module → class → attributes that changed, the class being the same object.
        self.attributes: dict[str, dict[str, set[str]]] = {}
        # Modules whose files have gone.
        self.gone: set[str] = set()

    def value(self, module: str, name: str, old: Any, new: Any) -> None:
        """Note that a name is bound to something else."""
        names = self.values.setdefault(module, {})
        before = names.get(name)
        names[name] = ValueFact(before.old if before is not None else old, new)

    def attribute(self, module: str, cls: str, names: set[str]) -> None:
        """Note that attributes of a class have changed."""
        self.attributes.setdefault(module, {}).setdefault(cls, set()).update(names)

    def modules(self) -> set[str]:
        """The modules that anything is known of."""
        return {*self.values, *self.attributes, *self.gone, *(module for module, _ in self.bodies)}

    def knows(self, module: str) -> bool:
        """Whether values or classes of a module have changed, or it has gone."""
        return module in self.values or module in self.attributes or module in self.gone
