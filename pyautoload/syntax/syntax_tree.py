"""What several readers of source files ask about its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["FUNCTIONS", "is_not_type_checking", "is_type_checking", "stored_names"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition is ``TYPE_CHECKING``, which never holds at run time."""
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def is_not_type_checking(test: ast.expr) -> bool:
    """Whether a condition is ``not TYPE_CHECKING``, which always holds at run time."""
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and is_type_checking(test.operand)


def stored_names(target: ast.AST) -> Iterator[ast.Name]:
    """The names that an assignment to ``target`` binds: ``a`` and ``b`` of ``a, b, c.d, e[0] = ...``."""
    for part in ast.walk(target):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part
