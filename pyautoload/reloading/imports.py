"""Import statements in source: what they bind, and what those with a star give."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping

from pyautoload.relative_imports import absolute_module
from pyautoload.syntax import FUNCTIONS

__all__ = ["bound_by", "exported_by", "import_statements", "source_of", "star_imports", "taken_otherwise"]


def import_statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements in a statement, those within ``if`` and ``try``, too."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield node
    elif not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.expr)):
        for child in ast.iter_child_nodes(node):
            yield from import_statements(child)


def bound_by(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The names that an import statement binds; which a star gives cannot be told from it."""
    return (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")


def taken_otherwise(old: ast.stmt, new: ast.stmt) -> set[str]:
    """The names that a changed import statement takes from somewhere else than before."""

    def taken(node: ast.stmt) -> dict[str, tuple[str | int | None, ...]]:
        if isinstance(node, ast.ImportFrom):
            return {alias.asname or alias.name: (node.module, node.level, alias.name) for alias in node.names}
        assert isinstance(node, ast.Import)
        return {alias.asname or alias.name.partition(".")[0]: (alias.name, alias.asname) for alias in node.names}

    before, after = taken(old), taken(new)
    return {name for name, origin in after.items() if before.get(name) != origin}


def star_imports(node: ast.AST) -> Iterator[ast.ImportFrom]:
    """The star imports in a statement, those within ``if`` and ``try``, too."""
    for item in import_statements(node):
        if isinstance(item, ast.ImportFrom) and item.names[0].name == "*":
            yield item


def source_of(star: ast.ImportFrom, package: object) -> str:
    """The module that a star import names, ``""`` where its dots lead out of the tree.

    Args:
        star: the statement.
        package: ``__package__`` of the module in which it stands.
    """
    return absolute_module(star.module, star.level, package if isinstance(package, str) else None) or ""


def exported_by(node: ast.stmt, package: object, gone: Mapping[str, object] | None = None) -> Iterable[str]:
    """The names that a star import takes from a module; none for any other statement.

    Args:
        node: the statement.
        package: ``__package__`` of the module in which it stands.
        gone: modules that are not loaded any more.
    """
    for star in star_imports(node):
        yield from _exported(star, package, gone or {})


def _exported(star: ast.ImportFrom, package: object, gone: Mapping[str, object]) -> Iterable[str]:
    name = source_of(star, package)
    module = sys.modules.get(name, gone.get(name))
    names: dict[str, object] = getattr(module, "__dict__", {})
    listed = names.get("__all__")
    if isinstance(listed, (list, tuple)):
        return [name for name in listed if isinstance(name, str)]
    return [name for name in names if name[:1] != "_"]
