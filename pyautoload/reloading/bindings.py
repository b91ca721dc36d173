"""What a statement binds and sets, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pyautoload.reloading.imports import bound_by
from pyautoload.syntax import FUNCTIONS

__all__ = ["attributes_set", "kind_of", "names_bound"]


def kind_of(node: ast.stmt) -> str:
    """What a statement is: ``'import'``, ``'def'``, ``'class'``, ``'assign'``, ``'doc'`` or ``'other'``."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import"
    if isinstance(node, FUNCTIONS):
        return "def"
    if isinstance(node, ast.ClassDef):
        return "class"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return "doc"
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(map(_is_plain_target, targets)):
            return "assign"
    return "other"


def _is_plain_target(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_is_plain_target, target.elts))
    if isinstance(target, ast.Starred):
        return _is_plain_target(target.value)
    return isinstance(target, ast.Name)


def names_bound(node: ast.AST) -> Iterator[str]:
    """Names bound in the scope that ``node`` stands in."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name
        for decorator in node.decorator_list:
            yield from names_bound(decorator)
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from bound_by(node)
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif type(node).__name__ == "TypeAlias":
        yield node.name.id  # type: ignore[attr-defined]
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        yield from (child.target.id for child in ast.walk(node) if isinstance(child, ast.NamedExpr))
        return
    for child in ast.iter_child_nodes(node):
        yield from names_bound(child)


def attributes_set(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Attributes of named things that a statement sets or deletes: ``settings.DEBUG = True``."""
    for child in ast.walk(node):
        if (
            isinstance(child, ast.Attribute)
            and not isinstance(child.ctx, ast.Load)
            and isinstance(child.value, ast.Name)
        ):
            yield child.value.id, child.attr
