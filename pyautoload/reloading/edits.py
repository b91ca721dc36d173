"""Edits: what a module has to run, and what is only to be patched, as its source has changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType

from pyautoload.reloading.codediff import CodeDiff, FunctionChange
from pyautoload.reloading.functions import Patch, is_used_up, patch
from pyautoload.reloading.imports import exported_by, source_of, star_imports, taken_otherwise
from pyautoload.reloading.members import plan_members
from pyautoload.reloading.patching import changed_function, moved_within
from pyautoload.reloading.selection import Selection, note_order, select_dependent
from pyautoload.reloading.statementdiff import Change, diff, lines_of, lines_of_same, same_header, shows_docstring
from pyautoload.reloading.statements import Parsed, Statement

__all__ = ["no_longer_taken", "select_changed"]


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
    if code_diff is not None:
        selection.bodies |= {(selection.record.name, change.qualname) for change in code_diff.changed}
        selection.moved = code_diff.moved
        changes = [change for change in code_diff.changed if not _used_up(selection, change)]
        _add_users(selection)
        if selection.touches_contested(()):  # what calls the functions runs again, and binds what a star gives, too
            selection.in_order()
            note_order(selection)
        return {-1: lambda index: patch(changes, index, selection.effects.journal)}, set()
    change = diff(old.statements, selection.parsed.statements)
    if selection.record.code is not None:
        lines = lines_of_same(change, selection.parsed.statements)
        selection.moved = list(moved_within(selection.record.code, code, lines))
    before = [*change.removed, *change.changed.values()]
    removed = (old.bound() - selection.parsed.bound()) | no_longer_taken(selection, before)
    patches = _statement_changes(selection, change, code)
    _note_removed(selection, change, removed)
    if old.has_doc and not selection.parsed.has_doc:
        patches[-1] = lambda index: _drop_docstring(selection)
    _add_users(selection)
    return _settle_order(selection, old, change, patches), removed


def _add_users(selection: Selection) -> None:
    """Choose what uses what has been chosen, or what the module depends on."""
    selection.effects.facts.note_bodies(selection.bodies)
    if selection.need.runs:
        select_dependent(selection)
    else:
        selection.close()
        selection.effects.facts.note_bodies(selection.bodies)


def _settle_order(selection: Selection, old: Parsed, change: Change, patches: dict[int, Patch]) -> dict[int, Patch]:
    """Run all where the order says which of several bindings of a name holds; what is left to be patched then."""
    unknown = _not_known_yet(selection)
    selection.contested |= old.contested(selection.names.get("__package__")) | unknown
    touched = [*change.changed.values(), *change.removed]
    touched += (selection.parsed.statements[at] for at in patches if at >= 0)
    if unknown or selection.touches_contested(touched):
        selection.in_order()
        patches = {at: patch for at, patch in patches.items() if at < 0}
    note_order(selection)
    return patches


def _not_known_yet(selection: Selection) -> set[str]:
    """What may be contested by a star import of a module that is not loaded: nobody knows what that will give."""
    package = selection.names.get("__package__")
    for index in selection.indices:
        for star in star_imports(selection.parsed.statements[index].node):
            if source_of(star, package) not in sys.modules:
                return selection.parsed.bound()
    return set()


def no_longer_taken(selection: Selection, before: Iterable[Statement]) -> set[str]:
    """Names that came by a star import which has gone, or is another one now.

    Args:
        selection: of the module.
        before: statements that have gone or changed.
    """
    package, gone = selection.names.get("__package__"), selection.effects.gone
    taken = {name for item in before for name in exported_by(item.node, package, gone)}
    held = selection.names.keys() | selection.need.rebinds.keys()
    return {name for name in taken & held if name not in selection.binders}


def _used_up(selection: Selection, change: FunctionChange) -> bool:
    """Whether a function has to be defined again to take effect; its statement is chosen then."""
    record = selection.record
    if not is_used_up(sys.modules[record.name], record.path, record.code, change):
        return False
    name = change.qualname.partition(".")[0]
    for index, item in enumerate(selection.parsed.statements):
        first, last = lines_of(item.node)
        if name in item.binds or first <= change.new.co_firstlineno <= last:
            selection.choose(index)
            selection.reexecutes = True
    return True


def _drop_docstring(selection: Selection) -> list[FunctionChange]:
    selection.effects.journal.set_item(selection.names, "__doc__", None)
    return []


def _statement_changes(selection: Selection, change: Change, code: CodeType) -> dict[int, Patch]:
    patches: dict[int, Patch] = {}
    for index, before in change.changed.items():
        item = selection.parsed.statements[index]
        is_later = any(selection.is_bound_again(name, index) for name in item.uses.names)
        patch_of = _patch_of(selection, before, item, code) if not is_later else None
        if patch_of is not None:
            patches[index] = patch_of
        elif item.kind == "import":
            selection.indices.add(index)
            selection.values |= taken_otherwise(before.node, item.node)
        elif item.kind == "doc":
            selection.indices.add(index)
        else:
            selection.choose(index)
            selection.reexecutes |= selection.is_work(index)
            selection.extra_stores = selection.extra_stores | _stores_of(selection, before)
    for index in change.added:
        selection.choose(index)
        selection.values |= selection.parsed.statements[index].binds  # an import may bind what was made here before
        if selection.may_add(selection.parsed.statements[index]):
            selection.additions.add(index)
        selection.reexecutes |= selection.is_work(index)
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
            mutable = {name for name in stored if selection.is_mutable(name)}
            if mutable & selection.parsed.bound():
                selection.reexecutes = True


def _patch_of(selection: Selection, before: Statement, item: Statement, code: CodeType) -> Patch | None:
    """How to apply a changed definition without running its statement; ``None`` where it has to run."""
    journal, old_code = selection.effects.journal, selection.record.code
    if old_code is None or before.kind != item.kind:
        return None
    if item.kind == "def" and same_header(before.node, item.node):
        if shows_docstring(before.node, item.node):
            return None
        change = changed_function(old_code, code, item.name, lines_of(before.node), lines_of(item.node))
        if change is None or is_used_up(sys.modules[selection.record.name], selection.record.path, old_code, change):
            return None
        selection.bodies.add((selection.record.name, item.name))
        return lambda index: patch([change], index, journal)
    if item.kind == "class":
        return plan_members(selection, before.node, item.node, code)
    return None
