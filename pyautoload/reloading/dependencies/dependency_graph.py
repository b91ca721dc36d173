"""Graph: which module depends on which, name by name, and which functions import-time code may have called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyautoload.reloading.dependencies.aliases import WHOLE, Alias, AliasResolver
from pyautoload.reloading.dependencies.index import Index
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records
from pyautoload.reloading.records.source_reading import complete

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["HELD_ONLY", "USED", "Graph"]

USED = "used at import time"
HELD_ONLY = "held only"
# So many new modules are looked at in the order of loading.
_FEW = 64


class Graph:
    """Dependencies between managed modules, worked out lazily from records.

    Args:
        records: of the loaded modules.
        binder: of the loader, for names.
    """

    def __init__(self, records: Records, binder: Binder) -> None:
        self.records = records
        self._resolver = AliasResolver(records, binder)
        # Module → what it uses and holds of others.
        self._aliases: dict[str, tuple[Alias, ...]] = {}
        # Module → those that import it. Example: {"myapp.base": ("myapp.user", "myapp.order")}
        self._importers: Index[str] = Index()
        # Module → modules imported at module level, for the order of execution.
        self._imports: dict[str, tuple[str, ...]] = {}

    # Keeping up to date

    def update(self, limit: int | None = None) -> int:
        """Look at modules that were loaded since the last time.

        Args:
            limit: at most so many.

        Returns:
            How many were looked at.
        """
        done = 0
        fresh = self.records.fresh
        while fresh and (limit is None or done < limit):
            # A list gives up its last element at once, its first one only after moving all the others.
            name = fresh.pop(0) if len(fresh) < _FEW else fresh.pop()
            record = self.records.get(name)
            if record is not None:
                self.renew(record)
            done += 1
        return done

    def renew(self, record: Record) -> None:
        """Look at a module: it is new, or its code has changed."""
        self._drop_edges(record.name)
        complete(record)
        record.facts = None
        facts, early = record.scanned(), set[str]()
        aliases = tuple(self._resolver.of(record, early))
        self._aliases[record.name] = aliases
        self._imports[record.name] = tuple(early)
        for module in {alias.module for alias in aliases}:
            self._importers.add(module, record.name)
        # What follows from these is known now; there may be ten thousand records.
        record.facts = facts._replace(imports=(), chains=(), late_chains=(), bare=(), active=())

    def forget(self, name: str) -> None:
        """A module is not loaded any more."""
        self._drop_edges(name)
        self._importers.pop(name)

    def _drop_edges(self, name: str) -> None:
        for target in {alias.module for alias in self._aliases.pop(name, ())}:
            self._importers.discard(target, name)
        self._imports.pop(name, None)

    # Questions of a reload

    def aliases(self, name: str) -> tuple[Alias, ...]:
        """What a module uses and holds of others."""
        return self._aliases.get(name, ())

    def importers(self, name: str) -> set[str]:
        """The modules that import ``name``, or reach into it."""
        return set(self._importers.get(name))

    def is_used(self, module: str, names: set[str]) -> bool:
        """Whether import-time code of another module uses one of the names of a module."""
        return any(
            alias.used and alias.module == module and alias.attribute in (*names, WHOLE, "*")
            for importer in self.importers(module) - {module}
            for alias in self.aliases(importer)
        )

    # Questions of users

    def dependencies(self, name: str) -> dict[str, str]:
        """Module → kind of the dependency, for everything that ``name`` depends on."""
        found: dict[str, str] = {}
        for alias in self.aliases(name):
            if alias.module not in self.records or alias.module == name:
                continue
            if alias.used or alias.module not in found:
                found[alias.module] = USED if alias.used else HELD_ONLY
        return dict(sorted(found.items()))

    def dependents(self, name: str, *, transitive: bool = False) -> dict[str, str]:
        """Module → kind of the dependency, for everything that depends on ``name``."""
        found: dict[str, str] = {}
        pending = [name]
        while pending:
            current = pending.pop()
            for importer in self.importers(current):
                kind = self.dependencies(importer).get(current)
                if kind is None or importer == name:
                    continue
                if importer not in found and transitive:
                    pending.append(importer)
                if found.get(importer) != USED:
                    found[importer] = kind
        return dict(sorted(found.items()))

    # Order

    def affected(self, names: Iterable[str]) -> set[str]:
        """``names`` and every module that imports one of them, directly or not."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self._importers.get(name)
        return found

    def ordered(self, names: set[str]) -> list[str]:
        """``names``, each after those that it imports; within a circle as they were loaded."""
        known = [record for name in names if (record := self.records.get(name)) is not None]
        known.sort(key=lambda record: record.order)
        result: list[str] = []
        seen: set[str] = set()
        for record in known:
            stack = [(record.name, iter(self._before(record.name, names)))]
            if record.name in seen:
                continue
            seen.add(record.name)
            while stack:
                name, before = stack[-1]
                following = next((item for item in before if item not in seen), None)
                if following is None:
                    result.append(name)
                    stack.pop()
                    continue
                seen.add(following)
                stack.append((following, iter(self._before(following, names))))
        return result + sorted(names - seen)

    def _before(self, name: str, names: set[str]) -> list[str]:
        found = [item for item in self._imports.get(name, ()) if item in names]
        return sorted(found, key=self._order_of) if len(found) > 1 else found

    def _order_of(self, name: str) -> int:
        record = self.records.get(name)
        return record.order if record is not None else 0
