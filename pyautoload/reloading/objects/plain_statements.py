"""Plain statements of a module that went or were edited: what they had done to others stays done.

A plain statement binds no name and defines nothing: ``items.append(1)``, ``sys.path.append("lib")``, a loop that
connects. When the code runs again, what the new statements do is done; what the former ones did has to be undone by
running again who was changed by them, or by a restart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pyautoload.reloading.objects.safe_inspection import is_a

__all__ = ["acts", "lost_effects", "may_lose_effects", "roots"]

# Python 3.11 has `try` with `except*`.
_COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Match, ast.Try, getattr(ast, "TryStar", ast.Try))
_PLAIN = (ast.Expr, ast.AugAssign, ast.Delete, *_COMPOUND)
# Modules of others whose functions leave nothing behind in the process. Files that they write are written again.
_QUIET = frozenset(
    {
        *("typing", "warnings", "time", "math", "re", "json", "dataclasses", "functools", "pathlib", "shutil", "io"),
        *(
            "tempfile",
            "collections",
            "itertools",
            "datetime",
            "uuid",
            "hashlib",
            "base64",
            "copy",
            "string",
            "operator",
        ),
        *("textwrap", "contextlib", "enum", "abc", "types", "inspect", "glob", "csv", "pprint", "traceback"),
    }
)
# What of `os` stays with the process.
_OF_THE_PROCESS = frozenset(
    {"environ", "environb", "chdir", "fchdir", "putenv", "unsetenv", "umask", "register_at_fork"}
)


def lost_effects(before: bytes, now: bytes) -> list[ast.stmt]:
    """The plain statements of a module that its new source has no more.

    Args:
        before: its former source.
        now: its new source.
    """
    try:
        old, new = _statements(before), _statements(now)
    except (SyntaxError, ValueError, RecursionError):
        return []
    kept = [ast.dump(node) for node in new]
    lost = []
    for node in old:
        text = ast.dump(node)
        if text in kept:
            kept.remove(text)
        else:
            lost.append(node)
    return lost


# What may do something to others while it is evaluated.
_MAY_ACT = (ast.Call, ast.Subscript, ast.Attribute, ast.With, ast.For, ast.comprehension)


def may_lose_effects(before: bytes, now: bytes) -> bool:
    """Whether what a module did to others while it was imported may not be done any more, or in another order.

    Args:
        before: its former source.
        now: its new source.
    """
    try:
        old, new = list(_acts(ast.parse(before).body)), iter(_acts(ast.parse(now).body))
    except (SyntaxError, ValueError, RecursionError):
        return True
    return not all(any(act == other for other in new) for act in old)


def acts(source: bytes) -> bool:
    """Whether import-time code of a source may do something to others."""
    try:
        return next(_acts(ast.parse(source).body), None) is not None
    except (SyntaxError, ValueError, RecursionError):
        return True


def _acts(body: list[ast.stmt]) -> Iterator[str]:
    """The parts of import-time code that may do something to others, in their order."""
    for node in body:
        parts: list[ast.AST | None] = [node]
        if isinstance(node, ast.ClassDef):
            parts = [*node.decorator_list, *node.bases, *node.keywords]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        for part in parts:
            if part is not None and (part is not node or any(isinstance(inner, _MAY_ACT) for inner in ast.walk(part))):
                yield ast.dump(part)
        if isinstance(node, ast.ClassDef):
            yield from _acts(node.body)


def _statements(source: bytes) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Expr) and not any(isinstance(part, ast.Call) for part in ast.walk(node)):
            continue  # a docstring, a name
        calls = isinstance(node, _PLAIN) and any(isinstance(part, ast.Call) for part in ast.walk(node))
        if calls or next(_leaves(node), None) is not None:
            found.append(node)
    return found


def roots(node: ast.stmt, names: dict[str, Any], managed: frozenset[str]) -> list[str]:
    """Names in a statement that stand for something outside managed code: modules of others, objects of theirs.

    Args:
        node: the statement.
        names: the module's dict before its code runs again.
        managed: top-level names of what is managed.
    """
    return [name for leaf in _leaves(node) for name in _roots_of(leaf, names, managed)]


def _roots_of(node: ast.AST, names: dict[str, Any], managed: frozenset[str]) -> list[str]:
    found = []
    attributes = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    is_set = isinstance(node, ast.Assign)
    for part in ast.walk(node):
        if not isinstance(part, ast.Name) or part.id not in names:
            continue
        value = names[part.id]
        if is_a(value, ModuleType):
            top = value.__name__.partition(".")[0]
            is_quiet = top in _QUIET or (top == "os" and attributes.isdisjoint(_OF_THE_PROCESS))
            if top not in managed and (is_set or not is_quiet):
                found.append(part.id)
    return found


def _leaves(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement does, as if its parts stood at the top: a condition asks, a definition does nothing yet."""
    if isinstance(node, ast.With):
        yield from (item.context_expr for item in node.items)
    if isinstance(node, _COMPOUND):
        for part in ast.iter_child_nodes(node):
            inner = part.body if isinstance(part, (ast.ExceptHandler, ast.match_case)) else [part]
            for statement in inner:
                yield from _leaves(statement)
    elif isinstance(node, ast.stmt) and _does_something(node):
        yield node


def _does_something(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Assign, ast.Delete)):
        return any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    if isinstance(node, ast.AugAssign):
        return True
    return isinstance(node, ast.Expr) and any(isinstance(part, ast.Call) for part in ast.walk(node))
