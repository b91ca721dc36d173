"""What a source file imports, when, and what it binds: read from its syntax tree, nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyautoload.syntax.conditions import holds_here
from pyautoload.syntax.relative_imports import absolute_module
from pyautoload.syntax.syntax_tree import is_not_type_checking, is_type_checking, stored_names

__all__ = ["FUNCTION", "IMPORT_TIME", "TYPING", "Binding", "ModuleSource", "Reference", "read_source"]

# When a reference takes effect: while the module is imported, when a function is called, for type checkers only.
IMPORT_TIME, FUNCTION, TYPING = "import time", "function", "type checking"

_CATCHES_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
# Calls that can bind names in ways that the text does not show.
_BINDS_UNSEEN = {"globals", "vars", "locals", "exec", "setattr"}
# From 3.14 annotations are evaluated when somebody asks for them.
_LAZY_ANNOTATIONS = sys.version_info >= (3, 14)


class Reference(NamedTuple):
    """One use of something that may belong to another module.

    Attributes:
        kind: ``IMPORT_TIME``, ``FUNCTION`` or ``TYPING``.
        line: where.
        module: the absolute dotted name as it is written: ``blog.models`` in ``from blog.models import Post``.
        name: what is asked of it: ``Post``; ``*``; ``None`` for ``import blog.models``.
        how: ``"import"``, ``"from"`` or ``"attribute"`` (``blog.models.Post`` in an expression).
        guarded: whether it stands in a ``try`` that catches import errors.
        root: for an attribute, what the name that it starts from stands for: ``blog.models`` in ``models.Post``.
    """

    kind: str
    line: int
    module: str
    name: str | None
    how: str
    guarded: bool
    root: str = ""


class Binding(NamedTuple):
    """A name that the module binds: as a ``"class"``, ``"function"``, ``"value"`` or ``"import"``."""

    name: str
    line: int
    sort: str


@dataclass
class ModuleSource:
    """What was read from one file.

    Attributes:
        events: what happens while the module is imported, in order: references of import time, and bindings.
        references: all references, those in functions and for type checkers too, by line.
        bindings: name → its first binding at module level.
        declared: names that it announces without binding them here: annotated, for type checkers, ``global``.
        dynamic: whether the module may bind more than the text shows.
        error: the syntax error, if it cannot be compiled.
    """

    events: list[Reference | Binding] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    bindings: dict[str, Binding] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    dynamic: bool = False
    error: SyntaxError | None = None

    def public(self) -> list[str]:
        """The public names that it defines itself, imported ones not."""
        return [name for name, binding in self.bindings.items() if name[0] != "_" and binding.sort != "import"]


def read_source(data: bytes, path: str, module: str, *, is_package: bool) -> ModuleSource:
    """Read one file.

    Args:
        data: its content.
        path: its path, for a syntax error.
        module: its module name, which relative imports start from.
        is_package: whether it is the code of a package.
    """
    try:
        tree = ast.parse(data, path)
    except SyntaxError as error:
        return ModuleSource(error=error)
    except ValueError as error:  # null bytes, before Python 3.12
        return ModuleSource(error=SyntaxError(str(error), (path, 1, 0, None)))
    except (RecursionError, MemoryError) as error:
        return ModuleSource(error=SyntaxError(f"too deeply nested to be read ({error})", (path, 1, 0, None)))
    package = module if is_package else module.rpartition(".")[0]
    reader = _Reader(package)
    reader.lazy_annotations = _LAZY_ANNOTATIONS or _has_future_annotations(tree)
    try:
        reader.block(tree.body, _Context(IMPORT_TIME))
    except RecursionError:
        # Python may compile it all the same; what it binds and imports is not known in full.
        reader.found.dynamic = True
    reader.found.references.sort(key=lambda reference: reference.line)
    return reader.found


def _has_future_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" and node.names[0].name == "annotations"
        for node in tree.body[:20]
    )


class _Context(NamedTuple):
    """Where a statement stands: when it runs, whether import errors are caught there, whether it binds module names."""

    kind: str
    guarded: bool = False
    at_module_level: bool = True


class _Reader:
    def __init__(self, package: str) -> None:
        self.package = package
        self.found = ModuleSource()
        self.lazy_annotations = False
        # Scopes from the module inwards; each: local name → (dotted name that it stands for, whether for type checkers
        # only), or None for a name that stands for something of the scope's own.
        # Example: [{"models": ("blog.models", False)}, {"self": None}]
        self.scopes: list[dict[str, tuple[str, bool] | None]] = [{}]
        # Functions of the module's own, for calls while it is imported.
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._called: set[ast.stmt] = set()

    # Statements

    def block(self, body: Sequence[ast.stmt], context: _Context) -> None:
        for statement in body:
            method = _STATEMENTS.get(type(statement))
            if method is not None:
                method(self, statement, context)
            else:
                self.other(statement, context)

    def imports(self, node: ast.Import, context: _Context) -> None:
        when = _when(node, context)
        for alias in node.names:
            self.refer(when, node.lineno, alias.name, None, "import")
            top = alias.name.partition(".")[0]
            self.alias(alias.asname or top, alias.name if alias.asname else top, node.lineno, context)

    def imports_from(self, node: ast.ImportFrom, context: _Context) -> None:
        base = absolute_module(node.module, node.level, self.package)
        if base is None or base == "__future__":
            return
        when = _when(node, context)
        for alias in node.names:
            self.refer(when, node.lineno, base, alias.name, "from")
            if alias.name == "*":
                self.found.dynamic = True
            else:
                self.alias(alias.asname or alias.name, f"{base}.{alias.name}", node.lineno, context)

    def condition(self, node: ast.If, context: _Context) -> None:
        typing, otherwise = context._replace(kind=TYPING), context
        if is_type_checking(node.test):
            self.block(node.body, typing)
            self.block(node.orelse, otherwise)
        elif is_not_type_checking(node.test):
            self.block(node.body, otherwise)
            self.block(node.orelse, typing)
        else:
            self.expression(node.test, context)
            holds = holds_here(node.test)
            if holds is not False:
                self.block(node.body, context)
            if holds is not True:
                self.block(node.orelse, context)

    def attempt(self, node: ast.Try, context: _Context) -> None:
        guarded = context.guarded or any(_catches_import_errors(handler) for handler in node.handlers)
        self.block(node.body, context._replace(guarded=guarded))
        for handler in node.handlers:
            self.block(handler.body, context)
        self.block(node.orelse, context)
        self.block(node.finalbody, context)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, context: _Context) -> None:
        for expression in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            self.expression(expression, context)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra is not None]
        for annotation in (*(argument.annotation for argument in arguments), node.returns):
            self.annotation(annotation, context)
        if context.at_module_level:
            self.functions[node.name] = node
        self.bind(node.name, node.lineno, "function", context)
        inner = TYPING if context.kind == TYPING else FUNCTION
        self.function_body(node, _Context(inner, context.guarded, at_module_level=False))

    def function_body(self, node: ast.FunctionDef | ast.AsyncFunctionDef, context: _Context) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra is not None]
        scope: dict[str, tuple[str, bool] | None] = {argument.arg: None for argument in arguments}
        shared = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
        self.found.declared |= shared
        scope.update({part.id: None for part in stored_names(node) if part.id not in shared})
        self.scopes.append(scope)
        self.block(node.body, context)
        self.scopes.pop()

    def klass(self, node: ast.ClassDef, context: _Context) -> None:
        for expression in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(expression, context)
        self.scopes.append({})
        self.block(node.body, context._replace(at_module_level=False))
        self.scopes.pop()
        self.bind(node.name, node.lineno, "class", context)

    def annotated(self, node: ast.AnnAssign, context: _Context) -> None:
        self.annotation(node.annotation, context)
        if node.value is not None:
            self.expression(node.value, context)
            self.target(node.target, context)
        elif isinstance(node.target, ast.Name):
            self.found.declared.add(node.target.id)

    def annotation(self, node: ast.expr | None, context: _Context) -> None:
        if node is not None:
            self.expression(node, context._replace(kind=TYPING) if self.lazy_annotations else context)

    def assign(self, node: ast.Assign, context: _Context) -> None:
        if context.kind == IMPORT_TIME and any(_replaces_itself(target) for target in node.targets):
            self.found.dynamic = True
        self.expression(node.value, context)
        for target in node.targets:
            self.target(target, context)

    def other(self, node: ast.stmt, context: _Context) -> None:
        """Whatever else: expressions first, then the blocks, in the order of the text."""
        for _field, value in ast.iter_fields(node):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.stmt):
                    self.block([part], context)
                elif isinstance(part, ast.expr):
                    self.expression(part, context)
                elif isinstance(part, ast.AST):
                    self.clause(part, context)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.target(node.target, context)

    def clause(self, node: ast.AST, context: _Context) -> None:
        """A ``with`` item, a ``match`` case: no statement and no expression itself."""
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.stmt):
                self.block([part], context)
            elif isinstance(part, ast.expr):
                self.expression(part, context)
                self.target(part, context)
            else:
                self.clause(part, context)

    # Expressions

    def expression(self, node: ast.expr | None, context: _Context) -> None:
        if node is None:
            return
        if isinstance(node, ast.Attribute):
            self.chain(node, context)
            return
        if isinstance(node, ast.Lambda):
            later = FUNCTION if context.kind == IMPORT_TIME else context.kind
            self.expression(node.body, context._replace(kind=later, at_module_level=False))
            return
        if isinstance(node, ast.NamedExpr):
            self.target(node.target, context)
        if isinstance(node, ast.Call):
            self.call(node, context)
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self.expression(part, context)
            elif isinstance(part, (ast.keyword, ast.comprehension)):
                self.clause(part, context._replace(at_module_level=False))

    def chain(self, node: ast.Attribute, context: _Context) -> None:
        names: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            names.append(root.attr)
            root = root.value
        if not isinstance(root, ast.Name):
            self.expression(root, context)
            return
        found = self.meaning(root.id)
        if found is None:
            return
        dotted, typing = found
        kind = TYPING if typing else context.kind
        full = ".".join([dotted, *reversed(names)])
        module, _, name = full.rpartition(".")
        self.refer(context._replace(kind=kind), node.lineno, module, name, "attribute", dotted)

    def call(self, node: ast.Call, context: _Context) -> None:
        if not isinstance(node.func, ast.Name):
            return
        name = node.func.id
        if name in _BINDS_UNSEEN and context.kind == IMPORT_TIME:
            self.found.dynamic = True
        function = self.functions.get(name)
        if function is None or context.kind != IMPORT_TIME or function in self._called:
            return
        # What a function does that is called while the module is imported, happens while it is imported.
        self._called.add(function)
        self.function_body(function, context._replace(at_module_level=False))

    # Names

    def meaning(self, name: str) -> tuple[str, bool] | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def alias(self, local: str, dotted: str, line: int, context: _Context) -> None:
        scope = self.scopes[-1] if not context.at_module_level else self.scopes[0]
        scope[local] = (dotted, context.kind == TYPING)
        self.bind(local, line, "import", context)

    def target(self, node: ast.expr, context: _Context) -> None:
        if not isinstance(node, ast.Name):
            self.expression(node, context)
        for part in stored_names(node):
            self.bind(part.id, part.lineno, "value", context)

    def bind(self, name: str, line: int, sort: str, context: _Context) -> None:
        if sort != "import" and not (sort == "value" and not context.at_module_level):
            self.scopes[-1][name] = None
        if context.kind == TYPING:
            self.found.declared.add(name)
        if not context.at_module_level or context.kind == TYPING:
            return
        binding = Binding(name, line, sort)
        known = self.found.bindings.get(name)
        if known is None or known.sort == "import":
            self.found.bindings[name] = binding
        self.found.events.append(binding)
        if name == "__getattr__" and sort == "function":
            self.found.dynamic = True

    def refer(self, context: _Context, line: int, module: str, name: str | None, how: str, root: str = "") -> None:
        reference = Reference(context.kind, line, module, name, how, context.guarded, root)
        self.found.references.append(reference)
        if context.kind == IMPORT_TIME:
            self.found.events.append(reference)


_STATEMENTS: dict[type[ast.stmt], Callable[[_Reader, Any, _Context], None]] = {
    ast.Import: _Reader.imports,
    ast.ImportFrom: _Reader.imports_from,
    ast.If: _Reader.condition,
    ast.Try: _Reader.attempt,
    ast.FunctionDef: _Reader.function,
    ast.AsyncFunctionDef: _Reader.function,
    ast.ClassDef: _Reader.klass,
    ast.AnnAssign: _Reader.annotated,
    ast.Assign: _Reader.assign,
}
if sys.version_info >= (3, 11):
    _STATEMENTS[ast.TryStar] = _Reader.attempt


def _replaces_itself(target: ast.expr) -> bool:
    """Whether an assignment puts something else in the module's place: ``sys.modules[__name__] = ...``."""
    return isinstance(target, ast.Subscript) and ast.unparse(target) == "sys.modules[__name__]"


def _when(node: ast.Import | ast.ImportFrom, context: _Context) -> _Context:
    """When an import takes effect: ``lazy import`` (Python 3.15) does when its name is used, as one in a function."""
    if getattr(node, "is_lazy", 0) and context.kind == IMPORT_TIME:
        return context._replace(kind=FUNCTION)
    return context


def _catches_import_errors(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _CATCHES_IMPORT_ERRORS for kind in kinds)
