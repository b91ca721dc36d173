"""Names by which modules only hold what others have made are bound anew, without running these modules again."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pyautoload.reloading.applying.module_entries import ModuleEntries
from pyautoload.reloading.dependencies.changes import Changes
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.result import ReloadResult
from pyautoload.tree.naming import names_of

__all__ = ["NameRebinding"]


class NameRebinding:
    """Binds names anew, for one attempt.

    Args:
        entries: of the loader.
        graph: the dependencies.
        changes: what has changed so far; is told what is bound anew.
        result: is told, too.
        journal: remembers how to take it back.
    """

    def __init__(
        self, entries: ModuleEntries, graph: Graph, changes: Changes, result: ReloadResult, journal: Journal
    ) -> None:
        self._entries = entries
        self._graph = graph
        self._changes = changes
        self._result = result
        self._journal = journal

    def bind_anew(self, record: Record) -> None:
        """Names by which a module only holds what others have made."""
        module = sys.modules.get(record.name)
        if not isinstance(module, ModuleType):
            return
        names = module.__dict__
        for alias in self._graph.aliases(record.name):
            replaced = self._changes.replaced.get(alias.module, {})
            if alias.local is None or alias.attribute is None or alias.attribute not in replaced:
                continue
            before, now = replaced[alias.attribute]
            held = names.get(alias.local, MISSING)
            if held is MISSING or held is now or held is not before or now is MISSING:
                continue
            self._journal.set_item(names, alias.local, now)
            self._result.rebound.append(f"{record.name}.{alias.local}")
            self._changes.bound_anew(record.name, alias.local, before, now)
            self._store_anew(record.name, alias.local, before, now)

    def _store_anew(self, name: str, local: str, before: Any, now: Any) -> None:
        """The package of a module has the name that the module is expected to define."""
        parent = name.rpartition(".")[0]
        names = names_of(sys.modules.get(parent))
        if names.get(local, MISSING) is before and self._entries.stored_name(name) == local:
            self._journal.set_item(names, local, now)
            self._result.rebound.append(f"{parent}.{local}")
            self._changes.bound_anew(parent, local, before, now)
            self._store_anew(parent, local, before, now)
