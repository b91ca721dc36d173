"""What a piece of source uses: the names that it mentions and calls, at once or when its functions are called."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple

from pyautoload.syntax import FUNCTIONS

__all__ = ["LAMBDA", "LateImport", "Uses", "collect", "names_annotated"]

# How functions without a name are called in what code uses.
LAMBDA = "<lambda>"
# Builtins that call what they are given, at once.
_CALLERS = frozenset({"map", "filter", "sorted", "min", "max", "reduce", "accumulate", "groupby", "starmap"})
_ANNOTATIONS_ARE_LAZY = sys.version_info >= (3, 14)


class LateImport(NamedTuple):
    """An import in a function. ``attribute`` is ``None`` where a module itself is imported."""

    local: str
    module: str
    level: int
    attribute: str | None


class Uses(NamedTuple):
    """What a piece of code uses.

    Attributes:
        names: what it mentions, attributes too.
        called: the names that it calls, decorators among them.
        methods: the same after a dot.
        imports: what it imports, where it is a function.
    """

    names: set[str]
    called: set[str]
    methods: set[str]
    imports: set[LateImport]

    def mentioned(self) -> set[str]:
        """All names, those that it imports too."""
        return self.names | self.methods | {item.attribute for item in self.imports if item.attribute is not None}

    @classmethod
    def none(cls) -> Uses:
        """Nothing yet."""
        return cls(set(), set(), set(), set())


def collect(node: ast.AST, now: Uses, late: Uses | None) -> None:
    """Sort what ``node`` mentions by whether it runs with the statement or when a function is called.

    Args:
        node: a syntax tree.
        now: takes what runs with it.
        late: takes what runs in functions; ``None`` leaves that out, which is most of the work.
    """
    if isinstance(node, FUNCTIONS):
        _collect_function(node, now, late)
        return
    if isinstance(node, ast.Lambda):
        collect(node.args, now, late)
        if late is not None:
            collect(node.body, late, late)
        return
    if isinstance(node, ast.ClassDef):
        for decorator in node.decorator_list:
            _note_call(decorator, now)
        for keyword in node.keywords:
            _note_call(keyword.value, now)
    elif isinstance(node, ast.Call):
        _collect_call(node, now)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            _note_call(item.context_expr, now)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        now.imports.update(_imported(node))
    elif isinstance(node, ast.Attribute):
        now.names.add(node.attr)  # one that is set, too: it may have to be set again
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        now.names.add(node.id)
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        now.names.add(node.target.id)
    elif isinstance(node, ast.AnnAssign) and _ANNOTATIONS_ARE_LAZY:
        for part in (node.target, node.value):
            if part is not None:
                collect(part, now, late)
        return
    for child in ast.iter_child_nodes(node):
        collect(child, now, late)


def _collect_call(node: ast.Call, now: Uses) -> None:
    _note_call(node.func, now)
    if isinstance(node.func, ast.Call):  # `TABLE.get(key)()`
        now.called.update(child.id for child in ast.walk(node.func) if isinstance(child, ast.Name))
    if any(isinstance(item, ast.Lambda) for item in node.args):
        now.names.add(LAMBDA)
    if isinstance(node.func, (ast.Name, ast.Attribute)):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if name in _CALLERS:
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                _note_call(argument, now)


def _collect_function(node: ast.FunctionDef | ast.AsyncFunctionDef, now: Uses, late: Uses | None) -> None:
    for decorator in node.decorator_list:
        _note_call(decorator, now)
        collect(decorator, now, late)
    arguments = node.args
    for default in [*arguments.defaults, *(item for item in arguments.kw_defaults if item is not None)]:
        collect(default, now, late)
    if not _ANNOTATIONS_ARE_LAZY:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in every:
            if argument is not None and argument.annotation is not None:
                collect(argument.annotation, now, late)
        if node.returns is not None:
            collect(node.returns, now, late)
    if late is not None:
        for statement in node.body:
            collect(statement, late, late)


def _note_call(node: ast.AST, into: Uses) -> None:
    if isinstance(node, ast.Name):
        into.called.add(node.id)
    elif isinstance(node, ast.Attribute):
        into.methods.add(node.attr)
    elif isinstance(node, ast.Call):
        _note_call(node.func, into)
    elif isinstance(node, ast.Lambda):
        into.called.add(LAMBDA)
    else:  # `TABLE[key]()`, `(one or other)()`: whatever is mentioned may be what is called
        for child in ast.iter_child_nodes(node):
            _note_call(child, into)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[LateImport]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield LateImport(alias.asname or alias.name, node.module or "", node.level, alias.name)
        elif alias.asname:
            yield LateImport(alias.asname, alias.name, 0, None)
        else:
            top = alias.name.partition(".")[0]
            yield LateImport(top, top, 0, None)


def names_annotated(node: ast.stmt) -> set[str]:
    """Names in annotations of a definition that Python puts off; decorators and base classes may look at them."""
    if not _ANNOTATIONS_ARE_LAZY:
        return set()
    return {item.id for part in _put_off(node) for item in ast.walk(part) if isinstance(item, ast.Name)}


def _put_off(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, ast.AnnAssign):
                yield item.annotation
            else:
                yield from _put_off(item)
    elif isinstance(node, FUNCTIONS) and node.decorator_list:
        yield node.args
        if node.returns is not None:
            yield node.returns
