"""A module as a list of statements: what each binds, what it uses when it runs, what it calls.

Only modules that change, or whose import-time code must be looked at closely, are parsed.
"""

from __future__ import annotations
import __future__

import ast
import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType
from typing import NamedTuple

__all__ = [
    "LAMBDA",
    "Change",
    "Parsed",
    "Statement",
    "absolute_name",
    "attributes_set",
    "diff",
    "parse",
    "same_node",
    "star_imports",
]

_FunctionNode = (ast.FunctionDef, ast.AsyncFunctionDef)
_FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag
# How functions without a name are called in what code uses.
LAMBDA = "<lambda>"
# Builtins that call what they are given, at once.
_CALLERS = frozenset({"map", "filter", "sorted", "min", "max", "reduce", "accumulate", "groupby", "starmap"})


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
        self.kind = _kind(node)
        self.binds = frozenset(_bound(node))
        self.uses = Uses.none()
        _collect(node, self.uses, None)
        self._late: Uses | None = None
        self.code: CodeType | None = None

    @property
    def late(self) -> Uses:
        """What its function bodies use when they are called."""
        if self._late is None:
            self._late = Uses.none()
            _collect(self.node, Uses.none(), self._late)
        return self._late

    @property
    def annotated(self) -> set[str]:
        """Names in annotations that Python puts off, of what decorators and base classes may look at at once."""
        if not _annotations_are_lazy() or self.kind not in ("def", "class"):
            return set()
        return {item.id for part in _put_off(self.node) for item in ast.walk(part) if isinstance(item, ast.Name)}

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
        self.statements = list(split(tree.body, text))
        # Names that module level imports, within `if` and `try`, too.
        self._imported = {name for node in tree.body for name in _imported_names(node)}
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


def parse(source: bytes, path: str) -> Parsed:
    """Parse a module. Raises ``SyntaxError`` as the compiler does."""
    return Parsed(source, path)


def _decoded(source: bytes) -> list[str]:
    import io
    import tokenize

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


def split(body: Iterable[ast.stmt], lines: list[str]) -> Iterator[Statement]:
    """Statements with their text."""
    nodes = list(body)
    for index, node in enumerate(nodes):
        start = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        end = node.end_lineno or node.lineno
        shares = (index and (nodes[index - 1].end_lineno or 0) >= start) or (
            index + 1 < len(nodes) and nodes[index + 1].lineno <= end
        )
        yield Statement(node, ast.dump(node) if shares else "\n".join(lines[start - 1 : end]).rstrip())


def _imported_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")
    elif not isinstance(node, (*_FunctionNode, ast.ClassDef, ast.expr)):
        for child in ast.iter_child_nodes(node):
            yield from _imported_names(child)


def _kind(node: ast.stmt) -> str:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import"
    if isinstance(node, _FunctionNode):
        return "def"
    if isinstance(node, ast.ClassDef):
        return "class"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return "doc"
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(map(_is_plain_target, targets)):
            return "assign"
    return "other"


def _is_plain_target(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_is_plain_target, target.elts))
    if isinstance(target, ast.Starred):
        return _is_plain_target(target.value)
    return isinstance(target, ast.Name)


def _bound(node: ast.AST) -> Iterator[str]:
    """Names bound in the scope that ``node`` stands in."""
    if isinstance(node, (*_FunctionNode, ast.ClassDef)):
        yield node.name
        for decorator in node.decorator_list:
            yield from _bound(decorator)
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif type(node).__name__ == "TypeAlias":
        yield node.name.id  # type: ignore[attr-defined]
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        yield from (child.target.id for child in ast.walk(node) if isinstance(child, ast.NamedExpr))
        return
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def _collect(node: ast.AST, now: Uses, late: Uses | None) -> None:
    """Sort what ``node`` mentions by whether it runs with the statement or when a function is called.

    Args:
        node: a syntax tree.
        now: takes what runs with it.
        late: takes what runs in functions; ``None`` leaves that out, which is most of the work.
    """
    if isinstance(node, _FunctionNode):
        _collect_function(node, now, late)
        return
    if isinstance(node, ast.Lambda):
        _collect(node.args, now, late)
        if late is not None:
            _collect(node.body, late, late)
        return
    if isinstance(node, ast.ClassDef):
        for decorator in node.decorator_list:
            _note_call(decorator, now)
        for keyword in node.keywords:
            _note_call(keyword.value, now)
    elif isinstance(node, ast.Call):
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
    elif isinstance(node, ast.AnnAssign) and _annotations_are_lazy():
        for part in (node.target, node.value):
            if part is not None:
                _collect(part, now, late)
        return
    for child in ast.iter_child_nodes(node):
        _collect(child, now, late)


def exported_by(node: ast.stmt, package: object, gone: Mapping[str, object] | None = None) -> Iterable[str]:
    """The names that a star import takes from a module; none for any other statement.

    Args:
        node: the statement.
        package: ``__package__`` of the module in which it stands.
        gone: modules that are not loaded any more.
    """
    for star in star_imports(node):
        yield from _exported(star, package, gone or {})


def star_imports(node: ast.AST) -> Iterator[ast.ImportFrom]:
    """The star imports in a statement, those within ``if`` and ``try``, too."""
    if isinstance(node, ast.ImportFrom):
        if node.names[0].name == "*":
            yield node
    elif not isinstance(node, (*_FunctionNode, ast.ClassDef, ast.expr)):
        for child in ast.iter_child_nodes(node):
            yield from star_imports(child)


def _exported(node: ast.ImportFrom, package: object, gone: Mapping[str, object]) -> Iterable[str]:
    name = absolute_name(node.module or "", node.level, package)
    module = sys.modules.get(name, gone.get(name))
    names: dict[str, object] = getattr(module, "__dict__", {})
    listed = names.get("__all__")
    if isinstance(listed, (list, tuple)):
        return [name for name in listed if isinstance(name, str)]
    return [name for name in names if name[:1] != "_"]


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[LateImport]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield LateImport(alias.asname or alias.name, node.module or "", node.level, alias.name)
        elif alias.asname:
            yield LateImport(alias.asname, alias.name, 0, None)
        else:
            top = alias.name.partition(".")[0]
            yield LateImport(top, top, 0, None)


def absolute_name(name: str, level: int, package: object) -> str:
    """The module that an import statement names.

    Args:
        name: as it stands there.
        level: how many dots stand before it.
        package: ``__package__`` of the module with the statement.
    """
    if not level:
        return name
    parts = package.split(".") if isinstance(package, str) else []
    return ".".join([*parts[: len(parts) - level + 1], *([name] if name else [])])


def attributes_set(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Attributes of named things that a statement sets or deletes: ``settings.DEBUG = True``."""
    for child in ast.walk(node):
        if (
            isinstance(child, ast.Attribute)
            and not isinstance(child.ctx, ast.Load)
            and isinstance(child.value, ast.Name)
        ):
            yield child.value.id, child.attr


def _annotations_are_lazy() -> bool:
    return sys.version_info >= (3, 14)


def _put_off(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, ast.AnnAssign):
                yield item.annotation
            else:
                yield from _put_off(item)
    elif isinstance(node, _FunctionNode) and node.decorator_list:
        yield node.args
        if node.returns is not None:
            yield node.returns


def _collect_function(node: ast.FunctionDef | ast.AsyncFunctionDef, now: Uses, late: Uses | None) -> None:
    for decorator in node.decorator_list:
        _note_call(decorator, now)
        _collect(decorator, now, late)
    arguments = node.args
    for default in [*arguments.defaults, *(item for item in arguments.kw_defaults if item is not None)]:
        _collect(default, now, late)
    if not _annotations_are_lazy():
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in every:
            if argument is not None and argument.annotation is not None:
                _collect(argument.annotation, now, late)
        if node.returns is not None:
            _collect(node.returns, now, late)
    if late is not None:
        for statement in node.body:
            _collect(statement, late, late)


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


class Change(NamedTuple):
    """The difference between two lists of statements.

    Attributes:
        same: index in the new list → the old statement that it equals.
        changed: index in the new list → the old statement of the same name that it replaces.
        added: indices in the new list.
        removed: old statements.
    """

    same: dict[int, Statement]
    changed: dict[int, Statement]
    added: list[int]
    removed: list[Statement]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


def diff(old: list[Statement], new: list[Statement]) -> Change:
    """Pair the statements of two versions: by text, then by name; comments and blank lines do not count."""
    same: dict[int, Statement] = {}
    matcher = difflib.SequenceMatcher(None, [item.text for item in old], [item.text for item in new], autojunk=False)
    left = set(range(len(old)))
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            same[block.b + offset] = old[block.a + offset]
            left.discard(block.a + offset)
    changed: dict[int, Statement] = {}
    added: list[int] = []
    for index, item in enumerate(new):
        if index in same:
            continue
        partner = _partner(item, old, left)
        if partner is None:
            added.append(index)
            continue
        left.discard(partner)
        if same_node(old[partner].node, item.node) and (item.kind in ("def", "class", "import") or partner == index):
            same[index] = old[partner]
        else:
            changed[index] = old[partner]
    _drop_docs(new, added, changed)
    return Change(same, changed, added, [old[index] for index in sorted(left) if old[index].kind != "doc"])


def _partner(item: Statement, old: list[Statement], left: set[int]) -> int | None:
    candidates = sorted(left)
    for index in candidates:
        if old[index].kind == item.kind and item.binds and old[index].binds == item.binds:
            return index
    for index in candidates:
        if not item.binds and old[index].kind == item.kind and same_node(old[index].node, item.node):
            return index
    return None


def _drop_docs(new: list[Statement], added: list[int], changed: dict[int, Statement]) -> None:
    for index in [index for index in [*added, *changed] if new[index].kind == "doc" and index > 0]:
        if index in added:
            added.remove(index)
        changed.pop(index, None)


def same_node(old: ast.AST, new: ast.AST) -> bool:
    """Whether two syntax trees are equal, wherever they stand."""
    if type(old) is not type(new):
        return False
    return all(_same_field(getattr(old, field, None), getattr(new, field, None)) for field in old._fields)


def _same_field(old: object, new: object) -> bool:
    if isinstance(old, ast.AST) and isinstance(new, ast.AST):
        return same_node(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same_field, old, new))
    return type(old) is type(new) and (old == new if not isinstance(old, (float, complex)) else repr(old) == repr(new))
