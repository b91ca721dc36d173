"""Selection: which statements of a module have to run, so that it ends as a fresh import would leave it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from pyautoload.reloading.codediff import CodeDiff, FunctionChange
from pyautoload.reloading.dependents import Need
from pyautoload.reloading.functions import FunctionIndex, is_used_up, patch
from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.members import plan_members
from pyautoload.reloading.patching import changed_function
from pyautoload.reloading.records import Record
from pyautoload.reloading.statements import (
    Change,
    Parsed,
    Statement,
    absolute_name,
    diff,
    exported_by,
    same_node,
    star_imports,
)

if TYPE_CHECKING:
    from pyautoload.reloading.apply import Transaction

__all__ = ["Patch", "Selection", "note_order", "select_changed", "select_dependent"]

# Something to be done to a module before its statements run; returns what is left for `patch_hidden`.
Patch = Callable[[FunctionIndex], list[FunctionChange]]
_IMMUTABLE = (int, str, bytes, float, complex, bool, type(None), frozenset, type, FunctionType, ModuleType)


class Selection:
    """The statements of one module that will run.

    Args:
        transaction: the reload.
        record: of the module.
        parsed: the source whose statements are chosen.
        need: what the module needs as a dependent of others.
    """

    def __init__(self, transaction: Transaction, record: Record, parsed: Parsed, need: Need) -> None:
        self.transaction = transaction
        self.record = record
        self.parsed = parsed
        self.need = need
        self.names: dict[str, Any] = sys.modules[record.name].__dict__
        # Indices into the statements.
        self.indices: set[int] = set()
        # Statements that are new: what they do to objects is wanted in addition to what was done before.
        self.additions: set[int] = set()
        # Whether this counts as executing the module again; otherwise it is patched.
        self.reexecutes = False
        self.patched = False
        # Names whose values change, and functions that behave differently, for the statements that use them.
        self.values: set[str] = set()
        self.bodies: set[tuple[str, str]] = set()
        # Names that statements which are gone or changed may have stored into.
        self.extra_stores: set[str] = set()
        # Name → the statements that bind it. Example: {"LIMIT": [3, 8]}
        self.binders = parsed.binders(self.names.get("__package__"))
        # Names that must not be there before their statements run: code above those uses them.
        self.unbound_first: set[str] = set()
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
        package, gone = self.names.get("__package__"), self.transaction.gone
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
                self.reexecutes |= self._is_work(index)

    def close(self) -> None:
        """Add what uses the outcome of what was chosen, and what those statements store into."""
        used = self._uses_changed()
        if (used and any(self._is_work(index) for index in self.indices)) or self._makers() or self._bound_again():
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
            module, transaction = self.record.name, self.transaction
            found = {at for at, item in enumerate(self.parsed.statements) if name in self.stores_of(item)}
            reading = {
                (module, function)
                for function in transaction.graph.called_in(module)
                if transaction.mentions(module, function, {name})
            }
            found |= transaction.search.statements(module, reading, self.parsed)
            self._reading[name] = found
        return found

    def _is_work(self, index: int) -> bool:
        return self.parsed.statements[index].kind in ("assign", "other")

    def _uses_changed(self) -> bool:
        """Choose statements that use what changes; says whether there were any."""
        graph, found = self.transaction.graph, False
        while True:
            bodies = set(self.bodies)
            for function in graph.called_in(self.record.name):
                if self.values and self.transaction.mentions(self.record.name, function, self.values):
                    bodies.add((self.record.name, function))
            calling = self.transaction.search.statements(self.record.name, bodies, self.parsed) if bodies else set()
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
            and any(self._is_mutable(name) for name in item.binds & stored)
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
        if self.record.name in self.transaction.plan.strict:
            return False
        stored = {name for name in self.stores_of(item) if self._is_mutable(name)}
        return not stored or not self.transaction.graph.is_used(self.record.name, stored)

    def _is_mutable(self, name: str) -> bool:
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
    for index in selection.transaction.search.statements(selection.record.name, need.calls, selection.parsed):
        selection.choose(index)
    selection.reexecutes = True
    selection.close()
    if need.contested or selection.touches_contested(()):
        selection.in_order()
        note_order(selection)
    selection.transaction.facts.note_bodies(selection.bodies)


def select_changed(
    selection: Selection, old: Parsed, code: CodeType, code_diff: CodeDiff | None
) -> tuple[dict[int, Patch], set[str]]:
    """Choose what a changed module runs.

    Args:
        selection: to be filled.
        old: the source that is loaded.
        code: the new code of the module.
        code_diff: the functions that differ, where nothing else does.

    Returns:
        What is to be patched when the statement of that index is reached, -1 for before all, and the names that go.
    """
    patches: dict[int, Patch] = {}
    removed: set[str] = set()
    if code_diff is not None:
        selection.bodies |= {(selection.record.name, change.qualname) for change in code_diff.changed}
        changes = [change for change in code_diff.changed if not _used_up(selection, change)]
        patches[-1] = lambda index: patch(changes, index, selection.transaction.journal)
        selection.patched = bool(changes)
    else:
        change = diff(old.statements, selection.parsed.statements)
        removed = (old.bound() - selection.parsed.bound()) | _no_longer_taken(selection, change)
        patches = _statement_changes(selection, change, code)
        _note_removed(selection, change, removed)
        if old.has_doc and not selection.parsed.has_doc:
            patches[-1] = lambda index: _drop_docstring(selection)
            selection.patched = True
    selection.transaction.facts.note_bodies(selection.bodies)
    if selection.need.runs:
        select_dependent(selection)
    else:
        selection.close()
        selection.transaction.facts.note_bodies(selection.bodies)
    if code_diff is None:
        unknown = _not_known_yet(selection)
        selection.contested |= old.contested(selection.names.get("__package__")) | unknown
        touched = [*change.changed.values(), *change.removed]
        touched += (selection.parsed.statements[at] for at in patches if at >= 0)
        if unknown or selection.touches_contested(touched):
            selection.in_order()
            patches = {at: patch for at, patch in patches.items() if at < 0}
        note_order(selection)
    return patches, removed


def _not_known_yet(selection: Selection) -> set[str]:
    """What may be contested by a star import of a module that is not loaded: nobody knows what that will give."""
    package = selection.names.get("__package__")
    for index in selection.indices:
        for star in star_imports(selection.parsed.statements[index].node):
            if absolute_name(star.module or "", star.level, package) not in sys.modules:
                return selection.parsed.bound()
    return set()


def _no_longer_taken(selection: Selection, change: Change) -> set[str]:
    """Names that came by a star import which has gone."""
    package, gone = selection.names.get("__package__"), selection.transaction.gone
    before = [*change.removed, *change.changed.values()]
    taken = {name for item in before for name in exported_by(item.node, package, gone)}
    held = selection.names.keys() | selection.need.rebinds.keys()
    return {name for name in taken & held if name not in selection.binders}


def _used_up(selection: Selection, change: FunctionChange) -> bool:
    """Whether a function has to be defined again to take effect; its statement is chosen then."""
    record = selection.record
    if not is_used_up(sys.modules[record.name], record.path, change):
        return False
    name = change.qualname.partition(".")[0]
    for index, item in enumerate(selection.parsed.statements):
        if name in item.binds:
            selection.choose(index)
            selection.reexecutes = True
    return True


def _drop_docstring(selection: Selection) -> list[FunctionChange]:
    selection.transaction.journal.set_item(selection.names, "__doc__", None)
    return []


def note_order(selection: Selection) -> None:
    """A statement that uses a name which is bound below it only must fail, as it would in a fresh import."""
    first = {name: found[0] for name, found in selection.binders.items()}
    for index in sorted(selection.indices):
        item = selection.parsed.statements[index]
        late = {name for name in item.uses.names - item.binds if first.get(name, -1) > index}
        for name in late:
            selection.unbound_first.add(name)
            selection.choose(first[name])


def _statement_changes(selection: Selection, change: Change, code: CodeType) -> dict[int, Patch]:
    patches: dict[int, Patch] = {}
    for index, before in change.changed.items():
        item = selection.parsed.statements[index]
        is_later = any(selection.is_bound_again(name, index) for name in item.uses.names)
        patch_of = _patch_of(selection, before, item, code) if not is_later else None
        if patch_of is not None:
            patches[index] = patch_of
            selection.patched = True
        elif item.kind == "import":
            selection.indices.add(index)
            selection.values |= _imported_otherwise(before.node, item.node)
        elif item.kind == "doc":
            selection.indices.add(index)
        else:
            selection.choose(index)
            selection.reexecutes |= selection._is_work(index)
            selection.extra_stores = selection.extra_stores | _stores_of(selection, before)
    for index in change.added:
        selection.choose(index)
        selection.values |= selection.parsed.statements[index].binds  # an import may bind what was made here before
        if selection.may_add(selection.parsed.statements[index]):
            selection.additions.add(index)
        selection.reexecutes |= selection._is_work(index)
    return patches


def _stores_of(selection: Selection, item: Statement) -> set[str]:
    """What a statement that has gone may have stored into."""
    decorated = bool(getattr(item.node, "decorator_list", None))
    return selection.stores_of(item) if item.kind == "other" or decorated else set()


def _note_removed(selection: Selection, change: Change, removed: set[str]) -> None:
    selection.values |= removed
    for item in change.removed:
        if item.kind in ("assign", "other"):
            selection.reexecutes = True
        selection.choose_binders(item.binds - removed)
        stored = _stores_of(selection, item)
        if stored:
            selection.extra_stores = selection.extra_stores | stored
            mutable = {name for name in stored if selection._is_mutable(name)}
            if mutable & selection.parsed.bound():
                selection.reexecutes = True
    if change.removed and not removed:
        selection.patched = True


def _patch_of(selection: Selection, before: Statement, item: Statement, code: CodeType) -> Patch | None:
    """How to apply a changed definition without running its statement; ``None`` where it has to run."""
    journal, old_code = selection.transaction.journal, selection.record.code
    if old_code is None or before.kind != item.kind:
        return None
    if item.kind == "def" and same_header(before.node, item.node):
        if shows_docstring(before.node, item.node):
            return None
        change = changed_function(old_code, code, item.name, lines_of(before.node), lines_of(item.node))
        if change is None or is_used_up(sys.modules[selection.record.name], selection.record.path, change):
            return None
        selection.bodies.add((selection.record.name, item.name))
        return lambda index: patch([change], index, journal)
    if item.kind == "class":
        return plan_members(selection, before.node, item.node, code)
    return None


def shows_docstring(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether a decorator may have taken the text that changed: commands and routes show it in their help."""
    assert isinstance(old, (ast.FunctionDef, ast.AsyncFunctionDef))
    assert isinstance(new, (ast.FunctionDef, ast.AsyncFunctionDef))
    return bool(new.decorator_list) and ast.get_docstring(old, clean=False) != ast.get_docstring(new, clean=False)


def same_header(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether two functions or classes differ in their bodies only."""
    if type(old) is not type(new):
        return False
    fields = [field for field in old._fields if field not in ("body", "type_comment")]
    return all(_same(getattr(old, field, None), getattr(new, field, None)) for field in fields)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, ast.AST) and isinstance(new, ast.AST):
        return same_node(old, new)
    return bool(old == new)


def lines_of(node: ast.stmt) -> tuple[int, int]:
    """The first and last line of a definition, its decorators included."""
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
    return first, node.end_lineno or node.lineno


def _imported_otherwise(old: ast.stmt, new: ast.stmt) -> set[str]:
    """The names that a changed import statement takes from somewhere else than before."""

    def taken(node: ast.stmt) -> dict[str, tuple[Any, ...]]:
        if isinstance(node, ast.ImportFrom):
            return {alias.asname or alias.name: (node.module, node.level, alias.name) for alias in node.names}
        assert isinstance(node, ast.Import)
        return {alias.asname or alias.name.partition(".")[0]: (alias.name, alias.asname) for alias in node.names}

    before, after = taken(old), taken(new)
    return {name for name, origin in after.items() if before.get(name) != origin}
