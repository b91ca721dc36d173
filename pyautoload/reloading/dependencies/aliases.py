"""Aliases: the names of other modules that a module uses or holds, worked out from its code and what is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["WHOLE", "Alias", "AliasResolver", "overridden"]

# Stands for all names of a module that is used as an object.
WHOLE = "."


class Alias(NamedTuple):
    """One name of another module that a module uses or holds.

    Attributes:
        module: the other module.
        attribute: its name there, ``"*"`` for all, ``None`` for the module itself, ``WHOLE`` for a module that is given
            to other code, so that any of its names may be used.
        local: the global name that holds it here, ``None`` where it is reached through a namespace or in a function.
        used: whether import-time code uses it.
    """

    module: str
    attribute: str | None
    local: str | None
    used: bool


class AliasResolver:
    """From what code says to the modules that it means.

    Args:
        records: of the loaded modules.
        binder: of the loader, for names.
    """

    def __init__(self, records: Records, binder: Binder) -> None:
        self.records = records
        self.binder = binder

    def of(self, record: Record, early: set[str]) -> Iterator[Alias]:
        """What a module uses and holds of others.

        Args:
            record: of the module.
            early: takes the modules that it needs when it is executed.
        """
        facts = record.scanned()
        module = sys.modules.get(record.name)
        for module_name, attribute, local in facts.imports:
            used = local is not None and local in facts.loads
            if used and local in facts.bare:
                yield from self._given_away(module_name, attribute, local)
            for alias in self.of_import(module_name, attribute, local, used):
                if local is not None or attribute == "*":
                    early.add(alias.module)
                yield alias
        for chains, used in ((facts.chains, True), (facts.late_chains, False)):
            for chain in chains:
                for alias in self._follow(module, chain, used):
                    if used:
                        early.add(alias.module)
                    yield alias

    def of_import(self, name: str, attribute: str | None, local: str | None, used: bool) -> Iterator[Alias]:
        """What one import gives: a module, a name of it, or both.

        Args:
            name: of the module that the statement names.
            attribute: the name taken from it, ``"*"`` for all, ``None`` where the module itself is imported.
            local: the global name that is bound.
            used: whether import-time code uses it.
        """
        if not self._is_ours(name):
            return
        if attribute is None:
            yield Alias(name, None, local, used)
            return
        submodule = f"{name}.{attribute}"
        if submodule in self.records or (self.binder.registry.is_loaded(submodule) and attribute != "*"):
            yield Alias(submodule, None, local, used)
        yield Alias(name, attribute, local, used)
        yield from self._behind(name, attribute, local, used)

    def _given_away(self, name: str, attribute: str | None, local: str | None) -> Iterator[Alias]:
        """A module that import-time code does something with as a whole: all of its names count as used."""
        target = name if attribute is None else f"{name}.{attribute}"
        if target in self.records:
            yield Alias(target, WHOLE, local, True)

    def _behind(self, name: str, attribute: str, local: str | None, used: bool) -> Iterator[Alias]:
        """The module that the expected name ``attribute`` of a namespace comes from."""
        space = self.binder.registry.namespace(name)
        if space is None or attribute == "*":
            return
        stem, _ = self.binder.naming.stem_for(attribute, space)
        if stem is not None and (full := f"{name}.{stem}" if name else stem) in self.records:
            yield Alias(full, attribute, local, used)

    def _follow(self, module: object, chain: tuple[str, ...], used: bool) -> Iterator[Alias]:
        """What a dotted read reaches: ``myapp.models.User`` is ``User`` of ``myapp.models``."""
        value = getattr(module, "__dict__", {}).get(chain[0])
        for attribute in chain[1:]:
            if not is_a(value, ModuleType) or not self._is_ours(value.__name__):
                return
            following = value.__dict__.get(attribute)
            if is_a(following, ModuleType) and following.__name__ == f"{value.__name__}.{attribute}":
                value = following
                continue
            yield Alias(value.__name__, attribute, None, used)
            yield from self._behind(value.__name__, attribute, None, used)
            return

    def _is_ours(self, name: str) -> bool:
        return (
            name in self.records or self.binder.registry.is_loaded(name) or self.binder.registry.get(name) is not None
        )


def overridden(source: str, module: object, names: Iterable[str]) -> Iterator[tuple[str, object]]:
    """What a star import gave and the importing module has bound anew: until then import-time code may have used it.

    Args:
        source: the module from which it came.
        module: that imported it.
        names: those that matter.
    """
    given, held = getattr(sys.modules.get(source), "__dict__", {}), getattr(module, "__dict__", {})
    for name in names:
        if name in given and name in held and given[name] is not held[name]:
            yield name, given[name]
