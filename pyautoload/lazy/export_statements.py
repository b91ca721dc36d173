"""Import statements as text → what each exported name stands for.

The plain one-line form is read by hand, as it costs a quarter of the compiler's parser; everything else, and every
mistake, goes to that parser.
"""

from __future__ import annotations

import keyword

from pyautoload.syntax.relative_imports import absolute_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

# The flag that makes ``compile`` return the syntax tree: ``ast.PyCF_ONLY_AST``, without importing ``ast`` (3 to 10 ms).
ONLY_AST = 0x400

RESERVED = frozenset({"__getattr__", "__dir__", "__all__"})


class Export:
    """One exported name and where it comes from.

    Attributes:
        name: the exported name, ``'somename'``.
        source: the module that holds it, ``'pkg.mymodule'``.
        attribute: its name there, ``'myfunction'``; ``None`` when the module itself is exported.
        modules: what must be imported, ``('pkg.mymodule',)``.
        statement: the statement that exports it, reduced to this name.
        line: the line of the statement in the text, 1 for the first; 0 where there is no text.
    """

    __slots__ = ("attribute", "line", "modules", "name", "source", "statement")

    def __init__(
        self, name: str, source: str, attribute: str | None, modules: tuple[str, ...], statement: str, line: int
    ) -> None:
        self.name = name
        self.source = source
        self.attribute = attribute
        self.modules = modules
        self.statement = statement
        self.line = line

    def __repr__(self) -> str:
        return f"<Export {self.statement}>"


class BadStatement(Exception):
    """A statement that cannot be an export; the caller makes the error that the user sees from it."""

    def __init__(self, reason: str, line: int, statement: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.statement = statement


def parsed(text: str, package: str) -> dict[str, Export]:
    """The exports that ``text`` states, by name, in order.

    Args:
        text: import statements, one or more on a line, indented as a whole or not.
        package: what relative imports are relative to; ``''`` for a module outside any package.

    Raises:
        BadStatement: something else than an import statement, ``*``, or a name that is exported twice.
    """
    found: dict[str, Export] = {}
    plain = _plain(text)
    for module, names, line in _from_tree(text) if plain is None else plain:
        exports = imported(names, line) if module is None else taken(module, names, line, package)
        for export in exports:
            add(found, export)
    return found


def declared(submodules: Iterable[str], attributes: Mapping[str, Iterable[str]], package: str) -> dict[str, Export]:
    """The exports that the keyword form states: names of submodules, and submodule → names.

    Raises:
        BadStatement: a name is not a valid Python name, or is exported twice.
        TypeError: a string where a sequence of names is needed.
    """
    if isinstance(submodules, str) or any(isinstance(names, str) for names in attributes.values()):
        raise TypeError("names are given as a list: submodules=['a'], attributes={'module': ['Name']}")
    found: dict[str, Export] = {}
    for module, names in ((".", submodules), *attributes.items()):
        module = module if module.startswith(".") else f".{module}"
        pairs = [_pair(name) for name in names]
        if None in pairs or not _is_path(module):
            raise BadStatement("names must be identifiers", 0, f"from {module} import {', '.join(names)}")
        for export in taken(module, [pair for pair in pairs if pair], 0, package):
            add(found, export)
    return found


def _plain(text: str) -> list[tuple[str | None, list[tuple[str, str | None]], int]] | None:
    """The statements of ``text`` if each is ``from x import a, b as c`` on a line of its own, else ``None``."""
    statements: list[tuple[str | None, list[tuple[str, str | None]], int]] = []
    if not text.isascii() or not text.replace("\n", "").replace("\t", "").isprintable():
        return None
    indent = None
    for number, line in enumerate(text.split("\n"), 1):
        words = line.strip()
        if not words or words[0] == "#":
            continue
        lead = line[: len(line) - len(line.lstrip())]
        if indent is None:
            indent = lead if number > 1 else None
        elif lead != indent:
            return None
        module, found, names = words[5:].partition(" import ")
        module = module.strip()
        if words[:5] != "from " or not found or not _is_path(module):
            return None
        pairs: list[tuple[str, str | None]] = []
        for item in names.split(","):
            pair = _pair(item)
            if pair is None:
                return None
            pairs.append(pair)
        statements.append((module, pairs, number))
    return statements


def _is_path(module: str) -> bool:
    """Whether ``module`` can follow ``from``: ``.``, ``..a.b``, ``a.b``."""
    tail = module.lstrip(".")
    if not tail:
        return bool(module)
    return all(_is_name(part) for part in tail.split("."))


def _is_name(word: str) -> bool:
    return word.isidentifier() and not keyword.iskeyword(word)


def _pair(item: str) -> tuple[str, str | None] | None:
    """``'a as b'`` → ``('a', 'b')``; ``None`` if it is neither that nor one name."""
    words = item.split()
    if len(words) == 1 and _is_name(words[0]):
        return words[0], None
    if len(words) == 3 and words[1] == "as" and _is_name(words[0]) and _is_name(words[2]):
        return words[0], words[2]
    return None


def _from_tree(text: str) -> Iterator[tuple[str | None, list[tuple[str, str | None]], int]]:
    """The statements of ``text`` by the compiler's parser; ``import a`` has no module, only names."""
    source = _dedented(text)
    try:
        tree: Any = compile(source, "<exports>", "exec", ONLY_AST)
    except SyntaxError as error:
        line = error.lineno or 1
        raise BadStatement(error.msg, line, _line_of(source, line)) from None
    except ValueError as error:  # a null character, before Python 3.12
        raise BadStatement(str(error), 1) from None
    for node in tree.body:
        pairs = statement_of(node)
        if pairs is None:
            raise BadStatement("only import statements can be exports", node.lineno, _line_of(source, node.lineno))
        module, names = pairs
        if any(name == "*" for name, _ in names):
            reason = "'*' says no names, so nothing could be lazy: write them out"
            raise BadStatement(reason, node.lineno, _line_of(source, node.lineno))
        yield module, names, node.lineno


def statement_of(node: Any) -> tuple[str | None, list[tuple[str, str | None]]] | None:
    """``(module, names)`` of an import statement of a syntax tree, ``None`` for anything else."""
    kind = type(node).__name__
    if kind not in ("Import", "ImportFrom"):
        return None
    names = [(alias.name, alias.asname) for alias in node.names]
    return (None if kind == "Import" else "." * node.level + (node.module or "")), names


def _dedented(text: str) -> str:
    """``text`` without its common indentation; the first line, which follows the quotes, has one of its own."""
    first, *rest = text.split("\n")
    # A comment may stand anywhere.
    rest = [line.lstrip() if line.lstrip().startswith("#") else line for line in rest]
    indents = [len(line) - len(line.lstrip()) for line in rest if line.strip() and line[0] != "#"]
    margin = min(indents, default=0)
    return "\n".join([first.lstrip(), *(line if line[:1] == "#" else line[margin:] for line in rest)])


def _line_of(source: str, line: int) -> str:
    lines = source.split("\n")
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def taken(module: str, names: Iterable[tuple[str, str | None]], line: int, package: str) -> Iterator[Export]:
    """The exports of ``from module import names``."""
    tail = module.lstrip(".")
    full = absolute_module(tail, len(module) - len(tail), package)
    for name, alias in names:
        exported = alias or name
        statement = f"from {module} import {name}" + (f" as {alias}" if alias else "")
        if full is None:
            raise BadStatement(f"relative import beyond the top of {package or 'any package'!r}", line, statement)
        if full == "__future__":
            raise BadStatement("a __future__ import exports nothing", line, statement)
        if full == package and module.startswith("."):
            submodule = f"{package}.{name}"
            yield Export(exported, submodule, None, (submodule,), statement, line)
        else:
            yield Export(exported, full, name, (full,), statement, line)


def imported(names: Iterable[tuple[str, str | None]], line: int) -> Iterator[Export]:
    """The exports of ``import names``: the module under its alias, or the first part of its name."""
    for name, alias in names:
        exported = alias or name.partition(".")[0]
        statement = f"import {name}" + (f" as {alias}" if alias else "")
        yield Export(exported, name if alias else exported, None, (name,), statement, line)


def add(found: dict[str, Export], export: Export) -> None:
    """Put ``export`` into ``found``; ``import a.b`` and ``import a.c`` share the name ``a``."""
    earlier = found.get(export.name)
    if export.name in RESERVED:
        raise BadStatement(f"{export.name} is what the exports themselves are made of", export.line, export.statement)
    if earlier is None:
        found[export.name] = export
        return
    same = earlier.source == export.source and earlier.attribute == export.attribute
    if not same:
        reason = f"{export.name!r} is exported already by `{earlier.statement}`, line {earlier.line}"
        raise BadStatement(reason, export.line, export.statement)
    modules = tuple(dict.fromkeys(earlier.modules + export.modules))
    if modules != earlier.modules:
        statement = f"{earlier.statement}; {export.statement}"
        found[export.name] = Export(export.name, export.source, None, modules, statement, earlier.line)
