"""The difference between two versions of a source, statement by statement; comments and blank lines do not count."""

from __future__ import annotations

import ast
import difflib
from typing import NamedTuple

from pyautoload.reloading.statements import Statement
from pyautoload.syntax import FUNCTIONS

__all__ = ["Change", "diff", "lines_of", "lines_of_same", "same_header", "shows_docstring"]


class Change(NamedTuple):
    """The difference between two lists of statements.

    Attributes:
        same: index in the new list → the old statement that it equals.
        changed: index in the new list → the old statement of the same name that it replaces.
        added: indices in the new list.
        removed: old statements.
    """

    same: dict[int, Statement]
    changed: dict[int, Statement]
    added: list[int]
    removed: list[Statement]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


def diff(old: list[Statement], new: list[Statement]) -> Change:
    """Pair the statements of two versions: by text, then by name; comments and blank lines do not count."""
    same: dict[int, Statement] = {}
    matcher = difflib.SequenceMatcher(None, [item.text for item in old], [item.text for item in new], autojunk=False)
    left = set(range(len(old)))
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            same[block.b + offset] = old[block.a + offset]
            left.discard(block.a + offset)
    changed: dict[int, Statement] = {}
    added: list[int] = []
    for index, item in enumerate(new):
        if index in same:
            continue
        partner = _partner(item, old, left)
        if partner is None:
            added.append(index)
            continue
        left.discard(partner)
        if _same_node(old[partner].node, item.node) and (item.kind in ("def", "class", "import") or partner == index):
            same[index] = old[partner]
        else:
            changed[index] = old[partner]
    _drop_docs(new, added, changed)
    return Change(same, changed, added, [old[index] for index in sorted(left) if old[index].kind != "doc"])


def _partner(item: Statement, old: list[Statement], left: set[int]) -> int | None:
    candidates = sorted(left)
    for index in candidates:
        if old[index].kind == item.kind and item.binds and old[index].binds == item.binds:
            return index
    for index in candidates:
        if not item.binds and old[index].kind == item.kind and _same_node(old[index].node, item.node):
            return index
    return None


def _drop_docs(new: list[Statement], added: list[int], changed: dict[int, Statement]) -> None:
    for index in [index for index in [*added, *changed] if new[index].kind == "doc" and index > 0]:
        if index in added:
            added.remove(index)
        changed.pop(index, None)


def same_header(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether two functions or classes differ in their bodies only."""
    if type(old) is not type(new):
        return False
    fields = [field for field in old._fields if field not in ("body", "type_comment")]
    return all(_same_field(getattr(old, field, None), getattr(new, field, None)) for field in fields)


def shows_docstring(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether a decorator may have taken the text that changed: commands and routes show it in their help."""
    assert isinstance(old, FUNCTIONS)
    assert isinstance(new, FUNCTIONS)
    return bool(new.decorator_list) and ast.get_docstring(old, clean=False) != ast.get_docstring(new, clean=False)


def lines_of(node: ast.stmt) -> tuple[int, int]:
    """The first and last line of a definition, its decorators included."""
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
    return first, node.end_lineno or node.lineno


def lines_of_same(change: Change, new: list[Statement]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The lines at which each statement that is the same stood, and stands now."""
    return [(lines_of(before.node), lines_of(new[index].node)) for index, before in sorted(change.same.items())]


def _same_node(old: ast.AST, new: ast.AST) -> bool:
    """Whether two syntax trees are equal, wherever they stand."""
    if type(old) is not type(new):
        return False
    return all(_same_field(getattr(old, field, None), getattr(new, field, None)) for field in old._fields)


def _same_field(old: object, new: object) -> bool:
    if isinstance(old, ast.AST) and isinstance(new, ast.AST):
        return _same_node(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same_field, old, new))
    return type(old) is type(new) and (old == new if not isinstance(old, (float, complex)) else repr(old) == repr(new))
