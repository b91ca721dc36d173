"""What the code of a cell imports, defines, reads and binds, as its syntax tree shows."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["CellCode", "Uses", "code_of", "uses_of"]

# Magics whose argument, or body, is Python code that runs in the notebook's namespace.
_RUN_CODE = frozenset({"time", "timeit", "prun", "capture"})


@dataclass
class Uses:
    """What a piece of code mentions.

    Attributes:
        names: variables.
        attributes: of whatever.
        imports: level, module and name of what it imports; the name is ``None`` for the module itself.
    """

    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    imports: set[tuple[int, str, str | None]] = field(default_factory=set)


@dataclass
class CellCode:
    """What a cell does.

    Attributes:
        uses: names that it reads and has not assigned to itself before, and attributes that it asks for. What the
            bodies of its functions and classes use stands in ``definitions``.
        values: names that it binds to values that it makes.
        imports: name → module and attribute; the attribute is ``None`` for the module itself.
            Example: ``{"fit": ("lab.model", "fit"), "lab": ("lab", None)}``
        stars: modules of which it imports all names.
        definitions: name of a function or class → what its body uses.
        changes: names of objects that it does something to: ``frame["x"] = 1``, ``model.train(data)``.
        last: the name of the object of which the last expression calls a method; what that gives shows whether it
            was done to the object.
    """

    uses: Uses = field(default_factory=Uses)
    values: set[str] = field(default_factory=set)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    definitions: dict[str, Uses] = field(default_factory=dict)
    changes: set[str] = field(default_factory=set)
    last: str | None = None

    @property
    def bound(self) -> set[str]:
        """All names that it binds."""
        return {*self.values, *self.imports, *self.definitions}


def code_of(source: str, transform: Callable[[str], str]) -> CellCode:
    """What a cell does; nothing for one that is not Python.

    Args:
        source: as it was typed.
        transform: gives Python for what has magics in it.
    """
    reader = _Reader(transform)
    reader.read(source)
    return reader.code


def uses_of(*nodes: ast.AST) -> Uses:
    """All that is mentioned in some nodes."""
    uses = Uses()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name):
                uses.names.add(node.id)
            elif isinstance(node, ast.Attribute):
                uses.attributes.add(node.attr)
            elif isinstance(node, ast.ImportFrom):
                uses.imports |= {(node.level, node.module or "", alias.name) for alias in node.names}
            elif isinstance(node, ast.Import):
                uses.imports |= {(0, alias.name, None) for alias in node.names}
    return uses


class _Reader(ast.NodeVisitor):
    """Goes through the statements of a cell in the order in which they run."""

    def __init__(self, transform: Callable[[str], str]) -> None:
        self.code = CellCode()
        self._transform = transform
        # Names that the code that has run until here has certainly assigned to.
        self._assigned: set[str] = set()

    def read(self, source: str) -> None:
        """Take in some source."""
        try:
            tree = ast.parse(self._transform(source))
        except (SyntaxError, ValueError, RecursionError):
            return
        self.visit(tree)
        end = tree.body[-1] if tree.body else None
        if isinstance(end, ast.Expr) and (name := _called_on(end.value)) is not None:
            self.code.changes.discard(name)
            self.code.last = name

    # Names

    def _bind(self, name: str) -> None:
        self.code.imports.pop(name, None)
        self.code.definitions.pop(name, None)
        self.code.values.discard(name)
        self._assigned.discard(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self._assigned:
                self.code.uses.names.add(node.id)
            return
        self._bind(node.id)
        if isinstance(node.ctx, ast.Store):
            self.code.values.add(node.id)
            self._assigned.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.code.uses.attributes.add(node.attr)
        self._change(node)
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._change(node)
        self.generic_visit(node)

    def _change(self, node: ast.Attribute | ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load) and (name := _root(node)) is not None:
            self.code.changes.add(name)

    def visit_Expr(self, node: ast.Expr) -> None:
        if (name := _called_on(node.value)) is not None:
            self.code.changes.add(name)
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in self._assigned:
            self.code.uses.names.add(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        self._perhaps(node.body)
        self._perhaps(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._perhaps(node.body)
        self._perhaps(node.orelse)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._assigned |= self._perhaps(node.body) & self._perhaps(node.orelse)

    def _perhaps(self, body: list[ast.stmt]) -> set[str]:
        """Statements that run or do not; gives what they have assigned to if they do."""
        before = set(self._assigned)
        for statement in body:
            self.visit(statement)
        after, self._assigned = self._assigned, before
        return after

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.generic_visit(node)
        if node.name:
            self._bind(node.name)

    def _visit_comprehension(self, node: ast.AST) -> None:
        self._take(node, without=_stored(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._take(node, without={arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)})

    def _take(self, node: ast.AST, without: set[str]) -> None:
        """What a part with names of its own uses, as if it ran here."""
        uses = uses_of(node)
        self.code.uses.names |= uses.names - without - self._assigned
        self.code.uses.attributes |= uses.attributes

    # Definitions and imports

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(part)
        self._define(node.name, node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in node.decorator_list:
            self.visit(part)
        self._define(node.name, node)

    def _define(self, name: str, node: ast.AST) -> None:
        self._bind(name)
        self.code.definitions[name] = uses_of(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._bind(name)
            self.code.imports[name] = (alias.name if alias.asname else name, None)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            return
        for alias in node.names:
            if alias.name == "*":
                self.code.stars.append(node.module)
                continue
            name = alias.asname or alias.name
            self._bind(name)
            self.code.imports[name] = (node.module, alias.name)

    # Magics

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr in ("run_line_magic", "run_cell_magic"):
            texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
            if texts and texts[0] in _RUN_CODE and isinstance(texts[-1], str):
                self.read(texts[-1])
            return
        self.generic_visit(node)


def _root(node: ast.AST) -> str | None:
    """``model`` of ``model.layers[0].size``."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _called_on(node: ast.AST) -> str | None:
    """``model`` of ``model.train(data)``, ``None`` for what calls no method."""
    if isinstance(node, ast.Await):
        node = node.value
    return _root(node.func) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _stored(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
