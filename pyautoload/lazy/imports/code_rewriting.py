"""From the code of a module to code whose import statements are lazy.

A statement is replaced in place by as many bytes, so that jumps, line numbers and exception tables stay as they are::

    LOAD_CONST 0, LOAD_CONST None, IMPORT_NAME json, STORE_NAME json
    LOAD_CONST <the statement>, UNARY_NEGATIVE, POP_TOP, NOP

The constant is an object with a method ``__neg__``: of all instructions that call code of ours, this one is the
shortest on every Python (no inline cache), and no compiler makes it of a constant. Rewritten code is kept in a cache,
so the constants are descriptions first (plain tuples); ``with_statements`` puts objects in their place when it is run.

To parse a file once more, for its syntax tree, takes three times as long as to compile it. It is done only where the
bytes do not tell enough: for imports that stand indented outside of ``try`` and ``with``, and for files with the
comment ``# pyautoload: eager``.
"""

from __future__ import annotations

import opcode
import sys
from types import CodeType

from pyautoload.light_stdlib import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "FROM",
    "PLAIN",
    "RENAMED",
    "Description",
    "guarded_units",
    "is_rewritten",
    "lazy_statements",
    "lines_with_eager_comment",
    "rewritten",
    "rewritten_natively",
    "statement_at",
    "statements",
    "text_of",
    "wants_tidying",
    "with_statements",
]

# What a statement looks like: `import a.b` binds `a`; `import a.b as c` binds the module; `from a import b`.
PLAIN, RENAMED, FROM = 0, 1, 2
# kind, line, level, module name, names taken from it, names bound
Description = tuple[int, int, int, str, tuple[str, ...], tuple[str, ...]]

_MARK = "pyautoload lazy imports"
_EAGER = b"pyautoload: eager"
_OP = opcode.opmap
_EXTENDED, _IMPORT, _FROM, _POP = _OP["EXTENDED_ARG"], _OP["IMPORT_NAME"], _OP["IMPORT_FROM"], _OP["POP_TOP"]
_CONST, _NEGATE, _NOP = _OP["LOAD_CONST"], _OP["UNARY_NEGATIVE"], _OP["NOP"]
_SMALL = _OP.get("LOAD_SMALL_INT", -1)  # Python 3.14 and later
# Python 3.15: `None` is loaded by an instruction of its own there, and two bits before the name say how lazy it is.
_COMMON = _OP.get("LOAD_COMMON_CONSTANT", -1) if sys.version_info >= (3, 15) else -1
_NAME_SHIFT = 2 if sys.version_info >= (3, 15) else 0
_STORES = (_OP["STORE_NAME"], _OP["STORE_GLOBAL"])
_SWAPS = (_OP.get("SWAP", -1), _OP.get("ROT_TWO", -1))  # Python 3.10 has the second
_DELETES = frozenset({_OP["DELETE_NAME"], _OP["DELETE_GLOBAL"]})
_IMPORT_UNIT = bytes([_IMPORT])
_MOST_CONSTANTS = 0xFFFF


class _Instruction(NamedTuple):
    """An instruction with the EXTENDED_ARGs before it: ``start`` and ``end`` count code units of two bytes."""

    op: int
    arg: int
    start: int
    end: int


class _Found(NamedTuple):
    """An import statement in the code: where, and what it says."""

    start: int
    end: int
    description: Description
    # Python 3.15: whether it says `lazy` itself.
    is_explicit: bool = False


def rewritten(code: CodeType, source: Callable[[], bytes]) -> CodeType:
    """The code of a module with its import statements made lazy, as far as PEP 810 allows.

    Args:
        code: of the whole module.
        source: gives the text that it was compiled from.

    Returns:
        The new code, to be given to ``with_statements``; ``code`` itself where it imports nothing.
    """
    if _IMPORT_UNIT not in code.co_code[::2]:
        return code
    return _replaced(code, *_found(code, source))


def rewritten_natively(code: CodeType, *, explicit_only: bool) -> tuple[CodeType, list[bool]]:
    """The same for Python 3.15 and later, where the interpreter decides on each statement when it runs.

    Args:
        code: of the whole module.
        explicit_only: only the statements that say ``lazy`` themselves.

    Returns:
        The new code, and for each of its statements whether it says ``lazy`` itself.
    """
    guarded = guarded_units(code)
    found = [
        each
        for each in _statements(code)
        if each.description[4] != ("*",)
        and (each.is_explicit or not explicit_only)
        and not any(start <= each.start < end for start, end in guarded)
    ]
    return _replaced(code, found, False), [each.is_explicit for each in found]


def _replaced(code: CodeType, lazy: list[_Found], stars: bool) -> CodeType:
    lazy = lazy[: max(0, _MOST_CONSTANTS - len(code.co_consts))]
    if not lazy and not stars:
        return code
    tidying = stars or not _DELETES.isdisjoint(code.co_code[::2])
    raw = bytearray(code.co_code)
    for index, each in enumerate(lazy, len(code.co_consts)):
        call = ([_EXTENDED, index >> 8] if index > 255 else []) + [_CONST, index & 255, _NEGATE, 0, _POP, 0]
        room = 2 * (each.end - each.start)
        raw[2 * each.start : 2 * each.end] = bytes(call + [_NOP, 0] * ((room - len(call)) // 2))
    mark = (_MARK, len(lazy), tidying)
    constants = (*code.co_consts, *(each.description for each in lazy), mark)
    return code.replace(co_code=bytes(raw), co_consts=constants)


def lazy_statements(code: CodeType, source: Callable[[], bytes]) -> list[Description]:
    """The import statements of a module that ``rewritten`` makes lazy."""
    return [each.description for each in _found(code, source)[0]]


def _found(code: CodeType, source: Callable[[], bytes]) -> tuple[list[_Found], bool]:
    """The import statements that may be lazy, and whether there are star imports."""
    found = [each for each in _statements(code) if each.description[3] != "__future__"]
    stars = any(each.description[4] == ("*",) for each in found)
    return _allowed(code, [each for each in found if each.description[4] != ("*",)], source), stars


def is_rewritten(code: CodeType) -> bool:
    """Whether the code came from ``rewritten``, and does not run as it is."""
    return _mark_of(code) is not None


def wants_tidying(code: CodeType) -> bool:
    """Whether rewritten code has star imports at module level, which bring keys of other modules into a dict, or
    deletes names, which leaves gaps in it."""
    mark = _mark_of(code)
    return mark is not None and mark[2]


def with_statements(code: CodeType, make: Callable[[Description], object]) -> CodeType:
    """Rewritten code that can be run.

    Args:
        code: from ``rewritten``, or from a cache.
        make: from a description to the object whose ``__neg__`` binds the names.
    """
    mark = _mark_of(code)
    if mark is None or not mark[1]:
        return code
    constants = code.co_consts
    first = len(constants) - 1 - mark[1]
    return code.replace(co_consts=(*constants[:first], *map(make, constants[first:-1]), mark))


def text_of(description: Description) -> str:
    """The statement, in one line."""
    kind, _, level, name, attributes, bound = description
    if kind == FROM:
        taken = ", ".join(f"{attribute} as {local}" for attribute, local in zip(attributes, bound, strict=True))
        return f"from {'.' * level}{name} import {taken}"
    if kind == PLAIN and bound[0] == name.partition(".")[0]:
        return f"import {name}"
    return f"import {name} as {bound[0]}"


def _mark_of(code: CodeType) -> tuple[str, int, bool] | None:
    last = code.co_consts[-1] if code.co_consts else None
    return last if type(last) is tuple and len(last) == 3 and last[0] == _MARK else None


# The statements in the bytes


def _statements(code: CodeType) -> Iterator[_Found]:
    raw = code.co_code
    lines = [item for item in code.co_lines() if item[2] is not None]
    at = 0
    for unit in _places(raw):
        while at + 1 < len(lines) and lines[at][1] <= 2 * unit:
            at += 1
        found = _statement(code, raw, unit, lines[at][2] or 0)
        if found is not None:
            yield found


def statements(code: CodeType) -> list[Description]:
    """The import statements of a module, those that may not be lazy, too."""
    return [each.description for each in _statements(code)]


def statement_at(code: CodeType, unit: int) -> Description | None:
    """The import statement of a module whose ``IMPORT_NAME`` stands at a code unit; its line is not looked for."""
    found = _statement(code, code.co_code, unit, 0)
    return found.description if found is not None else None


def _places(raw: bytes) -> Iterator[int]:
    ops = raw[::2]
    at = ops.find(_IMPORT)
    while at >= 0:
        yield at
        at = ops.find(_IMPORT, at + 1)


def _statement(code: CodeType, raw: bytes, unit: int, line: int) -> _Found | None:
    imported = _ending(raw, unit)
    wanted = _ending(raw, imported.start - 1)
    level = _ending(raw, wanted.start - 1)
    if wanted.op not in (_CONST, _COMMON) or level.op not in (_CONST, _SMALL):
        return None
    depth = level.arg if level.op == _SMALL else code.co_consts[level.arg]
    name = code.co_names[imported.arg >> _NAME_SHIFT]
    names = code.co_consts[wanted.arg] if wanted.op == _CONST else None
    following = _Following(raw, imported.end)
    if names == ("*",):
        return _Found(level.start, imported.end, (FROM, line, depth, name, names, ()))
    if isinstance(names, tuple):
        bound = following.from_import(code, len(names))
        kind = FROM
    else:
        kind, bound = following.plain_import(code)
        names = ()
    if bound is None:
        return None
    is_explicit = bool(_NAME_SHIFT and imported.arg & 1)
    return _Found(level.start, following.at, (kind, line, depth, name, names, bound), is_explicit)


def _ending(raw: bytes, unit: int) -> _Instruction:
    """The instruction whose last unit is this one."""
    start, arg, shift = unit, raw[2 * unit + 1], 8
    while start and raw[2 * start - 2] == _EXTENDED:
        start -= 1
        arg |= raw[2 * start + 1] << shift
        shift += 8
    return _Instruction(raw[2 * unit], arg, start, unit + 1)


class _Following:
    """Reads what follows an import: where its names go."""

    def __init__(self, raw: bytes, at: int) -> None:
        self.raw = raw
        self.at = at

    def _next(self) -> tuple[int, int]:
        arg = 0
        while True:
            op, low = self.raw[2 * self.at : 2 * self.at + 2]
            self.at += 1
            arg = arg << 8 | low
            if op != _EXTENDED:
                return op, arg

    def from_import(self, code: CodeType, count: int) -> tuple[str, ...] | None:
        bound = []
        for _ in range(count):
            taken, (store, name) = self._next()[0], self._next()
            if taken != _FROM or store not in _STORES:
                return None
            bound.append(code.co_names[name])
        return tuple(bound) if self._next()[0] == _POP else None

    def plain_import(self, code: CodeType) -> tuple[int, tuple[str, ...] | None]:
        op, arg = self._next()
        if op in _STORES:
            return PLAIN, (code.co_names[arg],)
        # `import a.b.c as d`: b of a, its place taken by c of that, stored, and what is below it on the stack goes.
        while op == _FROM:
            op, arg = self._next()
            if op in _STORES:
                bound = (code.co_names[arg],)
                return RENAMED, bound if self._next()[0] == _POP else None
            if op not in _SWAPS or self._next()[0] != _POP:
                break
            op, arg = self._next()
        return RENAMED, None


# Which of them may be lazy


def _allowed(code: CodeType, found: Sequence[_Found], source: Callable[[], bytes]) -> list[_Found]:
    """Those that PEP 810 allows to be lazy, and that no comment excludes."""
    guarded = guarded_units(code)
    found = [each for each in found if not any(start <= each.start < end for start, end in guarded)]
    if not found:
        return []
    text = source()
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    known = _EAGER not in text
    if known and all(_begins_at_the_margin(lines, each.description[1]) for each in found):
        return list(found)
    allowed = _lines_that_allow(text, lines)
    return [each for each in found if each.description[1] in allowed]


def guarded_units(code: CodeType) -> list[tuple[int, int]]:
    """Where exceptions are handled: in `try`, `with`, and their handlers. Before Python 3.11 no table says so."""
    table = getattr(code, "co_exceptiontable", b"")
    spans, at = [], 0

    def number() -> int:
        nonlocal at
        value = table[at] & 63
        while table[at] & 64:
            at += 1
            value = value << 6 | table[at] & 63
        at += 1
        return value

    while at < len(table):
        start, length, _, _ = number(), number(), number(), number()
        spans.append((start, start + length))
    return spans


def _begins_at_the_margin(lines: Sequence[bytes], line: int) -> bool:
    """Whether an import statement is the first thing of its line: then it stands in no block."""
    text = lines[line - 1] if line <= len(lines) else b""
    return text.startswith((b"import ", b"from ", b"import\t", b"from\t", b"from."))


def _lines_that_allow(text: bytes, lines: Sequence[bytes]) -> set[int]:
    """The lines on which import statements begin that may be lazy, by the syntax tree."""
    allowed: set[int] = set()
    refused: set[int] = set()
    for node, may_be in _imports(text):
        may_be = may_be and not _is_commented(node, lines)
        (allowed if may_be else refused).add(node.lineno)
    return allowed - refused


def lines_with_eager_comment(text: bytes) -> frozenset[int]:
    """The lines on which import statements begin that a comment keeps eager."""
    lines = text.splitlines()
    return frozenset(node.lineno for node, _ in _imports(text) if _is_commented(node, lines))


def _imports(text: bytes) -> Iterator[tuple[ast.stmt, bool]]:
    """The import statements outside of functions and classes; for each, whether PEP 810 allows it to be lazy."""
    import ast  # takes longer to import than all of this package, and is seldom needed

    pending: list[tuple[ast.stmt, bool]] = [(node, True) for node in ast.parse(text).body]
    while pending:
        node, may_be = pending.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node, may_be
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside = may_be and isinstance(node, (ast.If, ast.For, ast.While, ast.Match))
            pending.extend((child, inside) for child in _statements_in(node))


def _is_commented(node: ast.stmt, lines: Sequence[bytes]) -> bool:
    own = lines[node.lineno - 1 : node.end_lineno or node.lineno]
    return any(_EAGER in line.partition(b"#")[2] for line in own)


def _statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    import ast

    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from _statements_in(child)
