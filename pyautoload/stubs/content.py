"""The code of a package as a stub: what ``__init__.py`` binds itself, which the ``__init__.pyi`` beside it hides."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator

from pyautoload.stubs.defined_names import bindings, literal_all
from pyautoload.syntax.relative_imports import absolute_module
from pyautoload.syntax.syntax_tree import is_type_checking

__all__ = ["PackageCode", "is_blank"]

# What stands for `typing.Any` in a stub: a name that a package hardly has itself.
_ANY = "_Any"


def is_blank(parsed: ast.Module) -> bool:
    """Whether a file binds nothing: comments, a docstring and ``from __future__`` at most."""
    return all(_says_nothing(statement) for statement in parsed.body)


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    )


class PackageCode:
    """Turns the syntax tree of a package's own code into the lines of a stub.

    Signatures, annotations, values and imports stay as they are written; bodies of functions go. Public names that are
    imported are exported, as they can be imported from the package at run time.

    Args:
        parsed: the syntax tree of ``hotel/__init__.py``, or of ``hotel.py`` beside ``hotel/``.
        package: the package's name.
        provided: names that the stub gets from the package's files anyway.
    """

    def __init__(self, parsed: ast.Module, package: str, provided: Iterable[str]) -> None:
        self.parsed = parsed
        self.package = package
        self.provided = frozenset(provided)
        self.exported = frozenset(literal_all(parsed.body) or ())

    def lines(self) -> list[str]:
        """The lines of the stub."""
        body = list(self._block(copy.deepcopy(self.parsed.body)))
        lines = ast.unparse(ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))).splitlines()
        needs_any = any(isinstance(node, ast.Name) and node.id == _ANY for part in body for node in ast.walk(part))
        return [f"from typing import Any as {_ANY}", *lines] if needs_any else lines

    def own(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that the code binds itself: what it imports from its own package comes from the files."""
        from_files = {
            alias.asname or alias.name
            for node in ast.walk(self.parsed)
            if isinstance(node, ast.ImportFrom) and self._target(node) == self.package
            for alias in node.names
        }
        return [name for name in names if name not in from_files & self.provided]

    def _block(self, statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in statements:
            if _says_nothing(statement):
                continue
            if isinstance(statement, ast.ImportFrom):
                yield from self._import(statement)
            elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield _signature(statement)
            elif isinstance(statement, ast.ClassDef):
                yield _class(statement)
            elif isinstance(statement, ast.If):
                yield from self._condition(statement)
            elif isinstance(statement, (ast.Try, ast.With)):
                yield from self._block(statement.body)
            elif isinstance(statement, (ast.Import, ast.Assign, ast.AnnAssign)) or _is_alias(statement):
                yield statement

    def _import(self, statement: ast.ImportFrom) -> Iterator[ast.stmt]:
        target = self._target(statement)
        kept = []
        for alias in statement.names:
            name = alias.asname or alias.name
            if target == self.package and name in self.provided:
                continue
            is_public = name != "*" and (not name.startswith("_") or name in self.exported)
            kept.append(ast.alias(alias.name, name if is_public else alias.asname))
        if kept and target:
            yield ast.ImportFrom(target, kept, 0)

    def _target(self, statement: ast.ImportFrom) -> str | None:
        return absolute_module(statement.module, statement.level, self.package)

    def _condition(self, statement: ast.If) -> Iterator[ast.stmt]:
        body, orelse = list(self._block(statement.body)), list(self._block(statement.orelse))
        if is_type_checking(statement.test):
            yield from body
        elif body or orelse:
            yield ast.If(statement.test, body or [ast.Pass()], orelse)


def _is_alias(statement: ast.stmt) -> bool:
    return type(statement).__name__ == "TypeAlias"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    """A function without its body; its defaults are of no interest to a checker, that there are some is."""
    arguments = node.args
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    arguments.kw_defaults = [default and ast.Constant(...) for default in arguments.kw_defaults]
    node.body = [ast.Expr(ast.Constant(...))]
    return node


def _class(node: ast.ClassDef) -> ast.stmt:
    attributes: dict[str, ast.expr] = {}
    for name, kind in _instance_attributes(node):
        known = attributes.get(name)
        if known is None or (isinstance(known, ast.Name) and known.id == _ANY):
            attributes[name] = kind
    for bound in bindings(node.body):
        attributes.pop(str(bound), None)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            attributes.pop(statement.target.id, None)  # bound or not, it says what the attribute is
    declared = [ast.AnnAssign(ast.Name(name, ast.Store()), kind, None, 1) for name, kind in attributes.items()]
    node.body = [*declared, *_class_body(node.body)] or [ast.Expr(ast.Constant(...))]
    return node


def _class_body(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _signature(statement)
        elif isinstance(statement, ast.ClassDef):
            yield _class(statement)
        elif isinstance(statement, ast.If):
            body, orelse = list(_class_body(statement.body)), list(_class_body(statement.orelse))
            if body or orelse:
                yield ast.If(statement.test, body or [ast.Pass()], orelse)
        elif isinstance(statement, ast.Try):
            yield from _class_body(statement.body)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) or _is_alias(statement):
            yield statement


def _instance_attributes(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """Attributes that methods set on ``self``, with the type that can be told from the line itself."""
    for method in node.body:
        if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) or not method.args.args:
            continue
        receiver = method.args.args[0].arg
        every = [*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]
        annotations = {argument.arg: argument.annotation for argument in every if argument.annotation is not None}
        for statement in ast.walk(method):
            if isinstance(statement, ast.AnnAssign) and _attribute(statement.target, receiver):
                yield _attribute(statement.target, receiver), statement.annotation
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if _attribute(target, receiver):
                        yield _attribute(target, receiver), _type_of(statement.value, annotations)


def _attribute(target: ast.expr, receiver: str) -> str:
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == receiver:
        return target.attr
    return ""


def _type_of(value: ast.expr, annotations: dict[str, ast.expr]) -> ast.expr:
    if isinstance(value, ast.Name) and value.id in annotations:
        return annotations[value.id]
    if isinstance(value, ast.Constant) and isinstance(value.value, (bool, int, float, str, bytes)):
        return ast.Name(type(value.value).__name__, ast.Load())
    return ast.Name(_ANY, ast.Load())
