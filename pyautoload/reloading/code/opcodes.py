"""The instructions of code objects: their numbers on this Python, and how they are read."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType

__all__ = ["constant", "decoded", "instructions_of", "placed"]

OPMAP = dis.opmap
EXTENDED_ARG = OPMAP["EXTENDED_ARG"]
LOAD_CONST = OPMAP["LOAD_CONST"]
LOAD_NAME = OPMAP["LOAD_NAME"]
LOAD_GLOBAL = OPMAP["LOAD_GLOBAL"]
LOAD_ATTR = OPMAP["LOAD_ATTR"]
STORE_NAME = OPMAP["STORE_NAME"]
STORE_GLOBAL = OPMAP["STORE_GLOBAL"]
STORE_ATTR = OPMAP["STORE_ATTR"]
IMPORT_NAME = OPMAP["IMPORT_NAME"]
IMPORT_FROM = OPMAP["IMPORT_FROM"]
MAKE_FUNCTION = OPMAP["MAKE_FUNCTION"]
BUILD_CLASS = OPMAP["LOAD_BUILD_CLASS"]
POP_TOP = OPMAP["POP_TOP"]
# Not on every Python: -1 is no instruction.
LOAD_SMALL_INT = OPMAP.get("LOAD_SMALL_INT", -1)
LOAD_DICT_OR_GLOBALS = OPMAP.get("LOAD_FROM_DICT_OR_GLOBALS", -1)
LOAD_METHOD = OPMAP.get("LOAD_METHOD", -1)
PUSH_NULL = OPMAP.get("PUSH_NULL", -1)
# Some instructions carry flags in the low bits of the argument, before the index of the name.
GLOBAL_SHIFT = 1 if sys.version_info >= (3, 11) else 0
ATTR_SHIFT = 1 if sys.version_info >= (3, 12) else 0
IMPORT_SHIFT = 2 if sys.version_info >= (3, 15) else 0
_HAS_CACHES = sys.version_info >= (3, 11)


def decoded(raw: bytes) -> list[tuple[int, int]]:
    """Instructions with their arguments, without the caches behind them."""
    found: list[tuple[int, int]] = []
    extended = 0
    for op, arg in zip(raw[::2], raw[1::2], strict=True):
        if op == EXTENDED_ARG:
            extended = (extended | arg) << 8
            continue
        if op or not _HAS_CACHES:  # 0 is CACHE, the room behind an instruction
            found.append((op, extended | arg))
        extended = 0
    return found


def instructions_of(code: CodeType) -> list[tuple[int, int]]:
    """The instructions of a code object."""
    # Of a copy: a code object keeps what it was asked for here, and there may be many thousands of them.
    return decoded(code.replace().co_code)


def placed(raw: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Place, the place after it and its caches, the instruction, and its argument."""
    size, place, extended = len(raw), 0, 0
    while place < size:
        begin = place
        op, arg = raw[place], raw[place + 1]
        while op == EXTENDED_ARG:
            extended = (extended | arg) << 8
            place += 2
            op, arg = raw[place], raw[place + 1]
        place += 2
        while _HAS_CACHES and place < size and raw[place] == 0:
            place += 2
        yield begin, place, op, extended | arg
        extended = 0


def constant(code: CodeType, instruction: tuple[int, int]) -> object:
    """The constant that an instruction loads; ``None`` for any other."""
    op, arg = instruction
    if op == LOAD_SMALL_INT:
        return arg
    return code.co_consts[arg] if op == LOAD_CONST else None
