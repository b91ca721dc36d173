"""Effects: what one reload has changed so far, and what follows from that for other names and functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyautoload.reloading.calls import CallSearch
from pyautoload.reloading.codediff import CodeDiff
from pyautoload.reloading.execute import Execution
from pyautoload.reloading.facts import Facts
from pyautoload.reloading.graph import Graph
from pyautoload.reloading.identity import members_of, redirects
from pyautoload.reloading.journal import MISSING, Journal
from pyautoload.reloading.kinds import held_by, is_a, leads_nowhere
from pyautoload.reloading.nested import mentions
from pyautoload.reloading.plan import NewVersion
from pyautoload.reloading.record import Record
from pyautoload.reloading.statements import Parsed
from pyautoload.reloading.upkeep import relist_access
from pyautoload.tree.inflector import folded

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["Effects"]


class Effects:
    """What one reload has done so far.

    Args:
        binder: of the loader.
        graph: the dependencies.
        parsed: the parsed source of a module, ``None`` where it is not known.
    """

    def __init__(self, binder: Binder, graph: Graph, parsed: Callable[[str], Parsed | None]) -> None:
        self.binder = binder
        self.graph = graph
        self.records = graph.records
        self.parsed = parsed
        self.journal = Journal()
        self.facts = Facts()
        self.search = CallSearch(parsed)
        # Classes that were replaced: old and new.
        self.replaced: list[tuple[type, type]] = []
        # Modules that were taken out: what others took from them by `*` is known from these.
        self.gone: dict[str, object] = {}
        # Modules that the graph has to look at again.
        self.stale: list[Record] = []
        # Modules whose functions or values lead elsewhere now: what others call through them is to be traced anew.
        self.redirected: set[str] = set()
        # Module → up to which fact it has been brought.
        self.seen: dict[str, int] = {}
        # The module whose code is being run, for the error.
        self.current = ""

    def mentions(self, module: str, function: str, names: set[str]) -> bool:
        """Whether a function's body mentions one of ``names``."""
        return self.search.bodies.mention((module, function), names)

    def note_source(self, record: Record, version: NewVersion, diff: CodeDiff | None = None) -> None:
        """A module runs another source from now on.

        Args:
            record: of the module.
            version: its new version.
            diff: the functions that differ, where nothing else does.
        """
        before = (record.code, record.source, record.stamp, record.facts, record.path)

        def undo() -> None:
            record.code, record.source, record.stamp, record.facts, record.path = before

        self.journal.note(undo)
        record.path = version.path
        facts = record.facts
        record.take(version.code, version.source, version.stamp)
        self.search.bodies.forget(record.name)
        if diff is not None and all(change.old.co_names == change.new.co_names for change in diff.changed):
            record.facts = facts  # nothing else is imported, mentioned or called than before
        else:
            self.stale.append(record)
            if before[0] is None or mentions(before[0]) != mentions(version.code):
                self.redirected.add(record.name)

    def note_execution(self, record: Record, execution: Execution) -> None:
        """Code of a module has run again."""
        name = record.name
        for item, before in execution.changed.items():
            self.note_value(name, item, before, execution.names.get(item, MISSING))
        reconciler = execution.reconciler
        self.facts.body(name, *reconciler.bodies)
        for cls, attributes in reconciler.attributes.items():
            self.note_attributes(name, cls, attributes)
        for module, item, before, now in execution.foreign:
            if module in self.records:
                self.note_value(module, item, before, now)
                self._spread_to_calls(module)
        self.replaced += reconciler.replaced
        self._spread_to_calls(name)

    def note_value(self, module: str, name: str, old: Any, new: Any) -> None:
        """A name of a module is bound to something else; so is the expected name on the namespace."""
        self.facts.value(module, name, old, new)
        if not (leads_nowhere(old) and leads_nowhere(new)):
            self.redirected.add(module)
        parent_name, _, _ = module.rpartition(".")
        parent = sys.modules.get(parent_name)
        if parent is None or old is MISSING or parent.__dict__.get(name, MISSING) is not old:
            return
        if not self._is_expected(module, name) or name in self._bound_by_source(parent_name):
            return
        self.journal.set_item(parent.__dict__, name, new)
        self.facts.value(parent_name, name, old, new)
        if new is MISSING:
            relist_access(parent, self.binder)

    def note_attributes(self, module: str, cls: str, attributes: set[str]) -> None:
        """Attributes of a class have changed in place."""
        self.facts.attribute(module, cls, attributes)
        value = _class_of(module, cls)
        if value is None or any(_may_lead(value, name) for name in attributes):
            self.redirected.add(module)
        if value is not None and redirects(value, attributes):
            self.facts.body(*members_of(value))
        for function in self.graph.called_in(module):
            if function.partition(".")[0] == cls.partition(".")[0] and self.mentions(module, function, attributes):
                self.facts.body(module, function)

    def _is_expected(self, module: str, name: str) -> bool:
        stem, binder = module.rpartition(".")[2], self.binder
        return folded(name) == folded(stem) or name in binder.expected_names(stem, binder.path_of(module) or "")

    def _bound_by_source(self, package: str) -> set[str]:
        """What the package's own code imports: that is brought up to date as in any module."""
        return {alias.local for alias in self.graph.aliases(package) if alias.local is not None}

    def _spread_to_calls(self, module: str) -> None:
        """Functions that import-time code calls behave differently when a global that they read has changed."""
        names = set(self.facts.values.get(module, ()))
        if names:
            for function in self.graph.called_in(module):
                if self.mentions(module, function, names):
                    self.facts.body(module, function)


def _class_of(module: str, qualname: str) -> type | None:
    value: object = sys.modules.get(module)
    for part in qualname.split("."):
        value = held_by(value).get(part) if not is_a(value, type) else value.__dict__.get(part)
    return value if is_a(value, type) else None


def _may_lead(cls: type, attribute: str) -> bool:
    """Whether code can be reached through an attribute of a class, or through what is inherited in its place."""
    found = (base.__dict__[attribute] for base in cls.__mro__ if attribute in base.__dict__)
    return attribute == "__bases__" or not leads_nowhere(next(found, None))
