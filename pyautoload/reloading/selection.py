"""Selection: which statements of a module have to run, so that it ends as a fresh import would leave it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.codediff import FunctionChange
from pyautoload.reloading.effects import Effects
from pyautoload.reloading.imports import exported_by
from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.need import Need
from pyautoload.reloading.record import Record
from pyautoload.reloading.statements import Parsed, Statement

__all__ = ["Selection", "note_order", "select_dependent"]

_IMMUTABLE = (int, str, bytes, float, complex, bool, type(None), frozenset, type, FunctionType, ModuleType)


class Selection:
    """The statements of one module that will run.

    Args:
        effects: what the reload has changed so far.
        record: of the module.
        parsed: the source whose statements are chosen.
        need: what the module needs as a dependent of others.
        is_strict: whether objects of the module have refused to take what new statements add to them.
    """

    def __init__(
        self, effects: Effects, record: Record, parsed: Parsed, need: Need, *, is_strict: bool = False
    ) -> None:
        self.effects = effects
        self.record = record
        self.parsed = parsed
        self.need = need
        self.is_strict = is_strict
        self.names: dict[str, Any] = sys.modules[record.name].__dict__
        # Indices into the statements.
        self.indices: set[int] = set()
        # Statements that are new: what they do to objects is wanted in addition to what was done before.
        self.additions: set[int] = set()
        # Whether this counts as executing the module again; otherwise it is patched.
        self.reexecutes = False
        # Names whose values change, and functions that behave differently, for the statements that use them.
        self.values: set[str] = set()
        self.bodies: set[tuple[str, str]] = set()
        # Names that statements which are gone or changed may have stored into.
        self.extra_stores: set[str] = set()
        # Name → the statements that bind it. Example: {"LIMIT": [3, 8]}
        self.binders = parsed.binders(self.names.get("__package__"))
        # Names that must not be there before their statements run: code above those uses them.
        self.unbound_first: set[str] = set()
        # Functions that are the same as before, and stand elsewhere.
        self.moved: list[FunctionChange] = []
        # Class → members that change in place. Example: {"User": {"TIMEOUT"}}
        self.members: dict[str, set[str]] = {}
        # Name → the statements that use it. Example: {"LIMIT": {4, 5}}
        self._reading: dict[str, set[int]] = {}
        # Names that a star import gives and that another statement binds, too.
        self.contested = parsed.contested(self.names.get("__package__")) | need.contested

    def everything(self) -> None:
        """Run the whole module."""
        self.indices = set(range(len(self.parsed.statements)))
        self.reexecutes = True

    def in_order(self) -> None:
        """Run the whole module as a fresh import would: which statement binds a contested name is for the order."""
        self.everything()
        self.values |= self.contested | {name for item in self.parsed.statements for name in item.binds}
        self.unbound_first |= {name for name in self.contested if not is_a(self.names.get(name), ModuleType)}

    def touches_contested(self, statements: Iterable[Statement]) -> bool:
        """Whether statements bind contested names, or one that is to run uses them before they are bound anew."""
        if not self.contested:
            return False
        package, gone = self.names.get("__package__"), self.effects.gone
        for item in [*statements, *(self.parsed.statements[index] for index in self.indices)]:
            if not self.contested.isdisjoint({*item.binds, *exported_by(item.node, package, gone)}):
                return True
        # Below the last statement that binds it a name is what it is now; a module is the same from wherever it came.
        last = {name: self.binders[name][-1] for name in self.contested & self.binders.keys()}
        return any(
            index < at
            for name, at in last.items()
            if not is_a(self.names.get(name), ModuleType)
            for index in self.indices & self._readers(name)
        )

    def choose(self, index: int) -> None:
        """A statement has to run."""
        item = self.parsed.statements[index]
        self.indices.add(index)
        if item.kind != "import":
            self.values |= item.binds

    def choose_binders(self, names: Iterable[str]) -> None:
        """Statements that bind names of which one binding has gone."""
        for name in names:
            for index in self.binders.get(name, ()):
                self.choose(index)
                self.values.add(name)
                self.reexecutes |= self.is_work(index)

    def close(self) -> None:
        """Add what uses the outcome of what was chosen, and what those statements store into."""
        used = self._uses_changed()
        if (used and any(self.is_work(index) for index in self.indices)) or self._makers() or self._bound_again():
            self.reexecutes = True
        if not self.reexecutes:
            return
        for index, item in enumerate(self.parsed.statements):
            if item.kind == "other":
                self.choose(index)
        while self._uses_changed() or self._stores_into() or self._bind_together() or self._bound_again():
            pass

    def _bind_together(self) -> bool:
        """Where several statements bind one name (``X = 0``, then ``if ...: X = 1``) they run together."""
        bound = {name for index in self.indices for name in self.parsed.statements[index].binds} - {"_"}
        fresh = {
            index
            for index, item in enumerate(self.parsed.statements)
            if index not in self.indices and item.kind != "import" and item.binds & bound
        }
        for index in fresh:
            self.choose(index)
        return bool(fresh)

    def is_bound_again(self, name: str, index: int) -> bool:
        """Whether a name is bound above a statement and anew below it."""
        binders = self.binders.get(name, ())
        return len(binders) > 1 and binders[0] < index < binders[-1]

    def _bound_again(self) -> bool:
        """A statement that uses a name which is bound anew below it must find what was bound above it."""
        fresh: set[int] = set()
        for name, binders in self.binders.items():
            if len(binders) < 2 or self.indices.issuperset(binders):
                continue
            between = {index for index in self.indices if self.is_bound_again(name, index)}
            if between and not between.isdisjoint({*binders, *self._readers(name)}):
                fresh.update(binders)
        fresh -= self.indices
        for index in fresh:
            self.choose(index)
        return bool(fresh)

    def _readers(self, name: str) -> set[int]:
        """The statements that use a name, themselves or by functions that they call."""
        found = self._reading.get(name)
        if found is None:
            module, effects = self.record.name, self.effects
            found = {at for at, item in enumerate(self.parsed.statements) if name in self.stores_of(item)}
            reading = {
                (module, function)
                for function in effects.graph.called_in(module)
                if effects.mentions(module, function, {name})
            }
            found |= effects.search.statements(module, reading, self.parsed)
            self._reading[name] = found
        return found

    def is_work(self, index: int) -> bool:
        return self.parsed.statements[index].kind in ("assign", "other")

    def _uses_changed(self) -> bool:
        """Choose statements that use what changes; says whether there were any."""
        graph, found = self.effects.graph, False
        while True:
            bodies = set(self.bodies)
            for function in graph.called_in(self.record.name):
                if self.values and self.effects.mentions(self.record.name, function, self.values):
                    bodies.add((self.record.name, function))
            calling = self.effects.search.statements(self.record.name, bodies, self.parsed) if bodies else set()
            fresh = {
                index
                for index, item in enumerate(self.parsed.statements)
                if index not in self.indices
                and item.kind != "import"
                and (
                    item.uses.names & self.values
                    or item.annotated & self.values
                    or index in calling
                    or self._uses_member(item)
                )
            }
            if not fresh:
                return found
            found = True
            for index in fresh:
                self.choose(index)
                if self.parsed.statements[index].kind == "def":  # what a decorator makes of it may be another function
                    self.bodies.add((self.record.name, self.parsed.statements[index].name))

    def _uses_member(self, item: Statement) -> bool:
        mentioned = item.uses.names | item.uses.methods
        return any(
            cls in item.uses.names and (names & mentioned or (item.kind == "class" and item.name != cls))
            for cls, names in self.members.items()
        )

    def _stores_into(self) -> bool:
        """A statement that adds to a list must find it as it was when it first ran: what made the list runs too."""
        fresh = self._makers()
        for index in fresh:
            self.choose(index)
        return bool(fresh)

    def _makers(self) -> set[int]:
        """The statements that made what the chosen ones store into."""
        stored = set(self.extra_stores)
        for index in self.indices - self.additions:
            item = self.parsed.statements[index]
            decorated = item.kind in ("def", "class") and bool(getattr(item.node, "decorator_list", None))
            if item.kind == "other" or decorated:
                stored |= self.stores_of(item)
        return {
            index
            for index, item in enumerate(self.parsed.statements)
            if index not in self.indices
            and item.kind == "assign"
            and any(self.is_mutable(name) for name in item.binds & stored)
        }

    def stores_of(self, item: Statement) -> set[str]:
        """The names whose objects a statement may use or store into, itself or by calling functions of the module."""
        found = set(item.uses.names)
        pending, seen = [*item.uses.called], set()
        while pending:
            name = pending.pop()
            definition = self.parsed.definitions.get(name)
            if definition is not None and name not in seen:
                seen.add(name)
                found |= definition.late.names
                pending += definition.late.called
        return found

    def may_add(self, item: Statement) -> bool:
        """Whether a new statement may add to objects that are there, and nobody has looked at what they held.

        A web framework may refuse a late route. And where another module has copied the routes, that has to run again,
        which it does when it gets a new object.
        """
        if self.is_strict:
            return False
        stored = {name for name in self.stores_of(item) if self.is_mutable(name)}
        return not stored or not self.effects.graph.is_used(self.record.name, stored)

    def is_mutable(self, name: str) -> bool:
        value = self.names.get(name)
        return not is_a(value, _IMMUTABLE) and not (
            is_a(value, tuple) and all(is_a(item, _IMMUTABLE) for item in value)
        )


def select_dependent(selection: Selection) -> None:
    """Choose what a module runs whose source is the same, but whose dependencies have changed."""
    need = selection.need
    wanted = need.changed | need.through
    for index, item in enumerate(selection.parsed.statements):
        if item.kind == "import":
            if (need.missing and (item.binds & need.changed or not item.binds)) or (need.star and not item.binds):
                selection.indices.add(index)
        elif item.uses.names & wanted or item.annotated & wanted:
            selection.choose(index)
    selection.values |= need.changed
    selection.bodies |= need.calls
    for index in selection.effects.search.statements(selection.record.name, need.calls, selection.parsed):
        selection.choose(index)
    selection.reexecutes = True
    selection.close()
    if need.contested or selection.touches_contested(()):
        selection.in_order()
        note_order(selection)
    selection.effects.facts.note_bodies(selection.bodies)


def note_order(selection: Selection) -> None:
    """A statement that uses a name which is bound below it only must fail, as it would in a fresh import."""
    first = {name: found[0] for name, found in selection.binders.items()}
    for index in sorted(selection.indices):
        item = selection.parsed.statements[index]
        late = {name for name in item.uses.names - item.binds if first.get(name, -1) > index}
        for name in late:
            selection.unbound_first.add(name)
            selection.choose(first[name])
