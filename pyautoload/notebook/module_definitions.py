"""What a module defines, name by name: whether a definition has changed, and what it uses, as its source shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyautoload.notebook.cell import uses_of

__all__ = ["Definition", "Definitions", "definitions_of", "changed_names"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What only shows an object does not change what was made of it.
_SHOWS = frozenset({"__repr__", "__str__", "__format__"})


@dataclass
class Definition:
    """A function, a class without its methods, a method, or what assigns to a name.

    Attributes:
        text: the syntax, without places and docstrings; equal where nothing has changed.
        names: that it mentions.
        attributes: that it mentions.
        imports: module and name of what its body imports, as for ``Definitions.imports``.
        is_class: whether it is a class.
        members: of a class: its methods; ``True`` for those that are called without being named.
    """

    text: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    imports: set[tuple[str, str | None]] = field(default_factory=set)
    is_class: bool = False
    members: dict[str, bool] = field(default_factory=dict)


@dataclass
class Definitions:
    """Of one module.

    Attributes:
        package: that its relative imports start from.
        by_name: ``"fit"``, ``"Model"``, ``"Model.predict"`` → its definition.
        imports: name → module and attribute, as for a cell; relative ones are resolved.
        stars: modules of which all names are imported.
    """

    package: str = ""
    by_name: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)


def _add(found: Definitions, name: str, node: ast.AST) -> None:
    definition = found.by_name.setdefault(name, Definition())
    definition.text.append(ast.dump(node))
    uses = uses_of(node)
    definition.names |= uses.names
    definition.attributes |= uses.attributes
    definition.imports |= {(_absolute(found.package, level, module), name) for level, module, name in uses.imports}


def definitions_of(source: bytes | str, package: str) -> Definitions:
    """What a module defines; nothing where the source is not Python.

    Args:
        source: of the module.
        package: that relative imports start from.
    """
    found = Definitions(package)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return found
    for statement in _statements(tree.body):
        _add_statement(found, statement)
    return found


def changed_names(before: Definitions, after: Definitions) -> set[str]:
    """The names whose definitions differ, or are in one of the two only."""
    names = {*before.by_name, *after.by_name}
    nothing = Definition()
    return {
        name for name in names if before.by_name.get(name, nothing).text != after.by_name.get(name, nothing).text
    } | {name for name in {*before.imports, *after.imports} if before.imports.get(name) != after.imports.get(name)}


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those in ``if`` and ``try`` one by one."""
    for statement in body:
        inner = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
        handlers = [handler.body for handler in getattr(statement, "handlers", [])]
        if isinstance(statement, (ast.If, ast.Try)):
            for part in (*inner, *handlers):
                yield from _statements(part)
        else:
            yield statement


def _add_statement(found: Definitions, statement: ast.stmt) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            name = alias.asname or alias.name.partition(".")[0]
            found.imports[name] = (alias.name if alias.asname else name, None)
    elif isinstance(statement, ast.ImportFrom):
        _add_import(found, statement)
    elif isinstance(statement, _FUNCTIONS):
        _drop_docstring(statement)
        _add(found, statement.name, statement)
    elif isinstance(statement, ast.ClassDef):
        _add_class(found, statement.name, statement)
    else:
        _add_plain(found, statement)


def _absolute(package: str, level: int, module: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, module] if module else base)


def _add_import(found: Definitions, statement: ast.ImportFrom) -> None:
    module = _absolute(found.package, statement.level, statement.module or "")
    for alias in statement.names:
        if alias.name == "*":
            found.stars.append(module)
        else:
            found.imports[alias.asname or alias.name] = (module, alias.name)


def _add_class(found: Definitions, name: str, node: ast.ClassDef) -> None:
    members = [part for part in node.body if isinstance(part, (*_FUNCTIONS, ast.ClassDef))]
    rest = [part for part in node.body if part not in members and not _is_docstring(part)]
    _add(found, name, ast.Module([*node.bases, *node.keywords, *node.decorator_list, *rest], []))  # type: ignore[list-item]
    found.by_name[name].is_class = True
    for member in members:
        full = f"{name}.{member.name}"
        if isinstance(member, ast.ClassDef):
            _add_class(found, full, member)
        else:
            _drop_docstring(member)
            _add(found, full, member)
        is_special = member.name[:2] == "__" and member.name[-2:] == "__"
        found.by_name[name].members[member.name] = is_special and member.name not in _SHOWS


def _add_plain(found: Definitions, statement: ast.stmt) -> None:
    """What assigns to names, or does something with them: `LIMIT = 3`, `CONFIG.update(...)`."""
    names = {
        node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    for name in names or uses_of(statement).names & found.by_name.keys():
        _add(found, name, statement)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _drop_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if node.body and _is_docstring(node.body[0]):
        del node.body[0]
