"""Code objects of modules in little room.

A module's code object is needed again only when its file changes or it has to run again. Functions keep their own code
objects alive anyway; what is left, the code at module level and in class bodies, is marshalled: the shell.
"""

from __future__ import annotations

import marshal
from types import CodeType
from typing import Any

from pyautoload.reloading.code.nested import is_deferred

__all__ = ["shell_of", "whole_code"]


def shell_of(code: CodeType) -> tuple[bytes, tuple[CodeType, ...]]:
    """What is left of a module's code without its functions, and the code objects of these.

    Functions within functions stay where they are.
    """
    functions: list[CodeType] = []
    return marshal.dumps(_emptied(code, functions)), tuple(functions)


def whole_code(shell: bytes, functions: tuple[CodeType, ...]) -> CodeType:
    """The code object that ``shell_of`` was given, with the very same functions in it."""
    return _filled(marshal.loads(shell), functions)


def _emptied(code: CodeType, functions: list[CodeType]) -> tuple[CodeType, tuple[Any, ...]]:
    # What stood where in the constants: a function by its number, a class body as what this function makes of it.
    taken: list[tuple[int, Any]] = []
    constants: list[object] = []
    for index, constant in enumerate(code.co_consts):
        if not isinstance(constant, CodeType):
            constants.append(constant)
            continue
        constants.append(None)
        if is_deferred(constant):
            taken.append((index, len(functions)))
            functions.append(constant)
        else:
            taken.append((index, _emptied(constant, functions)))
    return code.replace(co_consts=tuple(constants)), tuple(taken)


def _filled(emptied: tuple[CodeType, tuple[Any, ...]], functions: tuple[CodeType, ...]) -> CodeType:
    code, taken = emptied
    constants: list[object] = list(code.co_consts)
    for index, what in taken:
        constants[index] = functions[what] if isinstance(what, int) else _filled(what, functions)
    return code.replace(co_consts=tuple(constants))
