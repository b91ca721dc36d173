"""A module's statements as they stand in its code object, for modules that run again though their source is the same.

To parse and compile a file again takes several times as long as to run what has to run of it. Where module level is a
plain sequence (no branch, no loop, no ``try``), each statement is a stretch of instructions after which the stack is
empty. One of them alone is run by code in which all the others do nothing, with lines and names as they were. Whatever
is not as plain as that is left to those who parse.
"""

from __future__ import annotations

import ast
import dis
import re
from collections.abc import Iterator, Sequence
from types import CodeType

from pyautoload.reloading.nested import is_deferred
from pyautoload.reloading.opcodes import (
    ATTR_SHIFT,
    BUILD_CLASS,
    GLOBAL_SHIFT,
    IMPORT_NAME,
    LOAD_ATTR,
    LOAD_CONST,
    LOAD_DICT_OR_GLOBALS,
    LOAD_GLOBAL,
    LOAD_METHOD,
    LOAD_NAME,
    MAKE_FUNCTION,
    OPMAP,
    PUSH_NULL,
    STORE_NAME,
    placed,
)
from pyautoload.reloading.statements import Parsed, Statement
from pyautoload.reloading.uses import Uses

__all__ = ["Pieces", "affected_pieces", "pieces_of"]

_NOTHING = bytes((OPMAP["NOP"], 0))
_TAKES_ARGUMENT = frozenset(getattr(dis, "hasarg", range(dis.HAVE_ARGUMENT, 256)))
# What begins and ends the code of every module, and belongs to no statement.
_FRAME = frozenset(OPMAP[name] for name in ("RESUME", "NOP") if name in OPMAP)
_RETURNS = frozenset(OPMAP[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in OPMAP)
# What statements consist of that only bind names to what they make. Anything else makes a statement a doubtful one.
_PLAIN = frozenset(
    code
    for name, code in OPMAP.items()
    if name.startswith(("LOAD_", "BUILD_", "CALL", "BINARY_", "UNARY_", "COMPARE_OP", "FORMAT_", "CONVERT_VALUE"))
    or name in {"PUSH_NULL", "PRECALL", "KW_NAMES", "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "STORE_NAME"}
    or name
    in {"CONTAINS_OP", "IS_OP", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE", "MAP_ADD", "LIST_APPEND"}
    or name in {"COPY", "SWAP", "DUP_TOP", "ROT_TWO", "ROT_THREE", "CALL_INTRINSIC_1", "LIST_TO_TUPLE", "TO_BOOL"}
)


class Piece(Statement):
    """One statement.

    Args:
        start: its place in the module's instructions.
        end: where it ends.
        kind: as of any statement.
        binds: the names that it binds.
        names: the names that it reads.
        texts: strings in it; annotations may be among them.
    """

    __slots__ = ("end", "start", "texts")

    def __init__(
        self, start: int, end: int, kind: str, binds: set[str], names: set[str], texts: Sequence[str] = ()
    ) -> None:
        self.texts = texts
        self.start = start
        self.end = end
        self.kind = kind
        self.binds = frozenset(binds)
        self.uses = Uses.none()
        self.uses.names.update(names)
        self.text = ""
        # Stands on no line: no definition is made in it but the class that it is.
        self.node = ast.Pass()
        self.node.lineno, self.node.end_lineno = 1, 0
        self.code = None
        self._late = None


class Pieces(Parsed):
    """The code of a module in pieces, where else its parsed source stands.

    Args:
        code: of the module.
        statements: its pieces.
    """

    def __init__(self, code: CodeType, statements: list[Piece]) -> None:
        self.whole = code
        self.path = code.co_filename
        self.flags = 0
        self.statements = list(statements)
        self.definitions = {}

    def compiled(self, item: Statement) -> CodeType:
        """The code that runs one piece."""
        assert isinstance(item, Piece)
        raw = self.whole.co_code
        first, last = self.statements[0], self.statements[-1]
        assert isinstance(first, Piece)
        assert isinstance(last, Piece)
        before, after = item.start - first.start, last.end - item.end
        parts = (raw[: first.start], _NOTHING * (before // 2), raw[item.start : item.end])
        return self.whole.replace(co_code=b"".join((*parts, _NOTHING * (after // 2), raw[last.end :])))


def pieces_of(code: CodeType) -> Pieces | None:
    """The statements of a module's code; ``None`` where module level is more than a plain sequence."""
    if getattr(code, "co_exceptiontable", b""):
        return None  # a `try`, whose handlers stand behind everything else
    found: list[Piece] = []
    open_ops: list[tuple[int, int]] = []
    depth = start = 0
    for place, after, op, arg in placed(code.co_code):
        if op in _FRAME and not open_ops:
            start = after
            continue
        if op in _RETURNS and len(open_ops) <= 1:  # `return None`, the constant with it
            return Pieces(code, found) if found and after == len(code.co_code) else None
        effect = _effect(op, arg)
        if effect is None:
            return None
        if not open_ops:
            start = place
        open_ops.append((op, arg))
        depth += effect
        if depth == 0:
            found.append(_piece(code, start, after, open_ops))
            open_ops = []
    return None


# Instruction and argument → what it does to the height of the stack; None for a jump and its like.
_effects: dict[tuple[int, int], int | None] = {}
_JUMPS = frozenset({*dis.hasjrel, *dis.hasjabs})


def _effect(op: int, arg: int) -> int | None:
    key = (op, arg)
    if key not in _effects:
        try:
            effect = None if op in _JUMPS else dis.stack_effect(op, arg if op in _TAKES_ARGUMENT else None)
        except ValueError:
            effect = None
        _effects[key] = effect
    return _effects[key]


def _piece(code: CodeType, start: int, end: int, steps: list[tuple[int, int]]) -> Piece:
    names = code.co_names
    ops = {op for op, _ in steps}
    binds = {names[arg] for op, arg in steps if op == STORE_NAME}
    if IMPORT_NAME in ops:
        return Piece(start, end, "import", binds, set())
    used = set(_names_read(code, steps))
    texts = [text for op, arg in steps if op == LOAD_CONST for text in _texts_in(code.co_consts[arg])]
    if not ops <= _PLAIN or not binds or binds & used or steps[-1][0] != STORE_NAME:
        return Piece(start, end, "doc" if binds == {"__doc__"} else "other", binds, used, texts)
    if MAKE_FUNCTION not in ops:
        return Piece(start, end, "assign", binds, used, texts)
    # A decorator would come before.
    is_class = steps[0][0] == BUILD_CLASS or (steps[0][0] == PUSH_NULL and steps[1][0] == BUILD_CLASS)
    return Piece(start, end, "class" if is_class and len(binds) == 1 else "def", binds, used, texts)


def _names_read(code: CodeType, steps: list[tuple[int, int]]) -> Iterator[str]:
    """The names, and those after a dot, that a statement reads, class bodies in it included."""
    names = code.co_names
    for op, arg in steps:
        if op in (LOAD_NAME, LOAD_DICT_OR_GLOBALS, LOAD_METHOD):
            yield names[arg]
        elif op == LOAD_GLOBAL:
            yield names[arg >> GLOBAL_SHIFT]
        elif op == LOAD_ATTR:
            yield names[arg >> ATTR_SHIFT]
        elif op == LOAD_CONST:
            inner = code.co_consts[arg]
            if isinstance(inner, CodeType) and not is_deferred(inner):
                yield from _names_read(inner, [(op, arg) for _, _, op, arg in placed(inner.co_code)])


def _texts_in(constant: object) -> Iterator[str]:
    """Strings, and names in annotations that Python puts off: libraries look at those at once."""
    if isinstance(constant, str):
        yield constant
    elif isinstance(constant, tuple):
        for item in constant:
            yield from _texts_in(item)
    elif isinstance(constant, CodeType) and constant.co_name == "__annotate__":
        yield from constant.co_names
        yield from (item for item in constant.co_consts if isinstance(item, str))
    elif isinstance(constant, CodeType) and not is_deferred(constant):
        for item in constant.co_consts:
            yield from _texts_in(item)


def _mentions(item: Statement, names: set[str]) -> bool:
    assert isinstance(item, Piece)
    return any(
        name in text and re.search(rf"\b{re.escape(name)}\b", text) is not None for text in item.texts for name in names
    )


def affected_pieces(pieces: Pieces, wanted: set[str]) -> set[int] | None:
    """The statements that use ``wanted`` names, or what other such statements bind; ``None`` where that is in doubt.

    Args:
        pieces: of a module.
        wanted: the names whose values have changed.
    """
    items = pieces.statements
    if any(item.kind == "other" or (item.kind == "import" and not item.binds) for item in items):
        return None  # it runs in any case, and may store into what others have made; or it binds who knows what
    values, found = set(wanted), set[int]()
    while True:
        fresh = {
            index
            for index, item in enumerate(items)
            if index not in found and item.kind != "import" and item.uses.names & values
        }
        if not fresh:
            break
        found |= fresh
        values.update(*(items[index].binds for index in fresh))
    bound: set[str] = set()
    twice: set[str] = set()
    for item in items:
        twice |= item.binds & bound
        bound |= item.binds
    for index, item in enumerate(items):
        if index not in found:
            if item.kind != "import" and _mentions(item, values):
                return None  # in an annotation, perhaps
        elif item.kind not in ("assign", "class") or (item.binds | item.uses.names) & twice:
            return None
    return found
