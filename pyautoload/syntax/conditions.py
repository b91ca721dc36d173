"""Conditions that are known without running anything: on the platform, on the version, ``__name__ == "__main__"``."""

from __future__ import annotations

import ast
import operator
import os
import sys
from typing import Any

__all__ = ["holds_here"]

_COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def holds_here(test: ast.expr) -> bool | None:
    """Whether a condition holds with this Python on this platform; ``None`` for what is not known.

    Args:
        test: such as ``sys.platform == "win32"``, ``sys.version_info >= (3, 11)``, ``os.name != "nt"``.
    """
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = holds_here(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        return _joined([holds_here(value) for value in test.values], decides=isinstance(test.op, ast.Or))
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _COMPARE:
        return _compared(_value(test.left), test.ops[0], _value(test.comparators[0]))
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "startswith":
        value, start = _value(test.func.value), _value(test.args[0]) if len(test.args) == 1 else None
        return value.startswith(start) if isinstance(value, str) and isinstance(start, str) else None
    return None


def _joined(values: list[bool | None], *, decides: bool) -> bool | None:
    """``and`` is decided by one ``False``, ``or`` by one ``True``."""
    if decides in values:
        return decides
    return None if None in values else not decides


def _compared(left: Any, op: ast.cmpop, right: Any) -> bool | None:
    if left is None or right is None or isinstance(left, str) is not isinstance(right, str):
        return None
    try:
        return bool(_COMPARE[type(op)](left, right))
    except TypeError:
        return None


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id == "__name__":
        return "imported"  # whatever it is, not "__main__"
    if isinstance(node, ast.Subscript):
        return _item(_value(node.value), node.slice)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        known = {"sys.platform": sys.platform, "os.name": os.name, "sys.version_info": tuple(sys.version_info)}
        return known.get(f"{node.value.id}.{node.attr}")
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def _item(value: Any, index: ast.expr) -> Any:
    """``sys.version_info[0]``, ``sys.version_info[:2]``."""
    if not isinstance(value, tuple):
        return None
    try:
        if isinstance(index, ast.Slice):
            bounds = [ast.literal_eval(part) if part is not None else None for part in (index.lower, index.upper)]
            return value[slice(*bounds)] if index.step is None else None
        return value[ast.literal_eval(index)]
    except (ValueError, TypeError, SyntaxError, IndexError):
        return None
