"""A module as a list of statements: what each binds, what it uses when it runs, what it calls.

Only modules that change, or whose import-time code must be looked at closely, are parsed.
"""

from __future__ import annotations
import __future__

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from types import CodeType

from pyautoload.reloading.bindings import kind_of, names_bound
from pyautoload.reloading.imports import bound_by, exported_by, import_statements
from pyautoload.reloading.uses import Uses, collect, names_annotated

__all__ = ["Parsed", "Statement"]

_FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag


class Statement:
    """One statement at module level, or in a class body.

    Attributes:
        node: the syntax tree.
        text: its source, decorators included.
        kind: ``'import'``, ``'def'``, ``'class'``, ``'assign'``, ``'doc'`` or ``'other'``.
        binds: the names that it binds.
        uses: what it uses when it runs.
    """

    __slots__ = ("_late", "binds", "code", "kind", "node", "text", "uses")

    def __init__(self, node: ast.stmt, text: str) -> None:
        self.node = node
        self.text = text
        self.kind = kind_of(node)
        self.binds = frozenset(names_bound(node))
        self.uses = Uses.none()
        collect(node, self.uses, None)
        self._late: Uses | None = None
        self.code: CodeType | None = None

    @property
    def late(self) -> Uses:
        """What its function bodies use when they are called."""
        if self._late is None:
            self._late = Uses.none()
            collect(self.node, Uses.none(), self._late)
        return self._late

    @property
    def annotated(self) -> set[str]:
        """Names in annotations that Python puts off, of what decorators and base classes may look at at once."""
        return names_annotated(self.node) if self.kind in ("def", "class") else set()

    @property
    def name(self) -> str:
        """The name of a function or class."""
        return getattr(self.node, "name", "")


class Parsed:
    """A module's source, parsed.

    Args:
        source: the source.
        path: the file, for error messages.
    """

    def __init__(self, source: bytes, path: str) -> None:
        tree = ast.parse(source, path)
        text = _decoded(source)
        self.path = path
        self.flags = _flags(tree)
        self.statements = list(_split(tree.body, text))
        # Names that module level imports, within `if` and `try`, too.
        self._imported = {name for node in tree.body for item in import_statements(node) for name in bound_by(item)}
        # Local function or class → its statement, the last one of that name.
        self.definitions = {item.name: item for item in self.statements if item.kind in ("def", "class")}

    def binders(self, package: object) -> dict[str, list[int]]:
        """Name → the statements that bind it, star imports included."""
        found: dict[str, list[int]] = {}
        for index, item in enumerate(self.statements):
            for name in {*item.binds, *exported_by(item.node, package)}:
                found.setdefault(name, []).append(index)
        return found

    def contested(self, package: object) -> set[str]:
        """Names that a star import gives and that another statement binds, too: the order says which of them holds."""
        given = {name for item in self.statements for name in exported_by(item.node, package)}
        if not given:
            return set()
        return {name for name, indices in self.binders(package).items() if name in given and len(indices) > 1}

    @property
    def has_doc(self) -> bool:
        """Whether the module has a docstring."""
        return bool(self.statements) and self.statements[0].kind == "doc"

    def alone(self, node: ast.stmt) -> ast.Module:
        """A module of one statement, in which functions compile to what they compile to in the whole file.

        Python compiles ``tools.slug()`` in another way where module level imports ``tools``: so it does here, though it
        never runs.
        """
        if not self._imported:
            return ast.Module([node], [])
        names = [ast.alias(name, name) for name in sorted(self._imported)]
        imports = ast.If(ast.Constant(False), [ast.Import(names)], [])
        for child in ast.walk(imports):
            ast.copy_location(child, node)
        return ast.Module([imports, node], [])

    def compiled(self, item: Statement) -> CodeType:
        """The code of one statement; its lines are those of the file."""
        if item.code is None:
            item.code = compile(self.alone(item.node), self.path, "exec", flags=self.flags, dont_inherit=True)
        return item.code

    def bound(self) -> set[str]:
        """All names that the module's statements bind."""
        return {name for item in self.statements for name in item.binds}


def _decoded(source: bytes) -> list[str]:

    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    text = source.decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _flags(tree: ast.Module) -> int:
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    return flags & _FUTURE_FLAGS


def _split(body: Iterable[ast.stmt], lines: list[str]) -> Iterator[Statement]:
    """Statements with their text."""
    nodes = list(body)
    for index, node in enumerate(nodes):
        start = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        end = node.end_lineno or node.lineno
        shares = (index and (nodes[index - 1].end_lineno or 0) >= start) or (
            index + 1 < len(nodes) and nodes[index + 1].lineno <= end
        )
        yield Statement(node, ast.dump(node) if shares else "\n".join(lines[start - 1 : end]).rstrip())
