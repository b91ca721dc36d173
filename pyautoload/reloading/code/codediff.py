"""What differs between two versions of a module's code object, when only functions differ."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

from pyautoload.reloading.code.nested import is_deferred
from pyautoload.reloading.code.opcodes import LOAD_CONST, LOAD_SMALL_INT, STORE_NAME, decoded

__all__ = [
    "ClassLines",
    "CodeDiff",
    "FunctionChange",
    "call_shape",
    "class_lines",
    "compare",
    "same_code",
]

# From Python 3.13 on a class body stores where the class begins and which attributes its methods assign.
_NOTES = ("__firstlineno__", "__static_attributes__")
_HAS_DOCSTRING: int = getattr(inspect, "CO_HAS_DOCSTRING", 0)
_HAS_NOTES = sys.version_info >= (3, 13)


class FunctionChange(NamedTuple):
    """One function whose code has changed. ``qualname`` is ``'C.method'``."""

    qualname: str
    old: CodeType
    new: CodeType


class ClassLines(NamedTuple):
    """What the new code notes about a class: where it begins, what its methods assign."""

    qualname: str
    notes: dict[str, Any]


class CodeDiff(NamedTuple):
    """The functions that changed, those that only moved to other lines, and the classes' notes."""

    changed: list[FunctionChange]
    moved: list[FunctionChange]
    classes: list[ClassLines]


def compare(old: CodeType, new: CodeType) -> CodeDiff | None:
    """The functions that differ; ``None`` when code that runs at import time differs too, or a closure's shape."""
    diff = CodeDiff([], [], [])
    return diff if _compare_shell(old, new, "", diff) else None


def same_code(old: CodeType, new: CodeType) -> bool:
    """Whether two code objects do the same, wherever they stand in their files."""
    if old is new:
        return True
    if not _same_header(old, new) or old.co_code != new.co_code or not _same_handlers(old, new):
        return False
    return len(old.co_consts) == len(new.co_consts) and all(map(_same_constant, old.co_consts, new.co_consts))


def call_shape(code: CodeType) -> tuple[object, ...]:
    """What a signature takes from code: names and kinds of parameters, whether it is a coroutine or a generator."""
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    names = code.co_varnames[:count]
    return names, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x3FF


def _docstring(code: CodeType) -> str | None:
    first = code.co_consts[0] if code.co_consts else None
    # Since Python 3.14 the first constant may be any other one, and a flag tells.
    has_one = code.co_flags & _HAS_DOCSTRING if _HAS_DOCSTRING else True
    return first if has_one and isinstance(first, str) else None


def class_lines(code: CodeType, prefix: str = "") -> Iterator[ClassLines]:
    """The notes of all classes that import-time code makes; none before Python 3.13."""
    for const in code.co_consts if _HAS_NOTES else ():
        if isinstance(const, CodeType) and not is_deferred(const):
            name = prefix if const.co_name.startswith("<") else f"{prefix}{const.co_name}."
            if "__firstlineno__" in const.co_names:
                yield ClassLines(name[:-1], _instructions(const)[1])
            yield from class_lines(const, name)


def _same_header(old: CodeType, new: CodeType) -> bool:
    return (
        old.co_name == new.co_name
        and old.co_flags == new.co_flags
        and old.co_argcount == new.co_argcount
        and old.co_posonlyargcount == new.co_posonlyargcount
        and old.co_kwonlyargcount == new.co_kwonlyargcount
        and old.co_names == new.co_names
        and old.co_varnames == new.co_varnames
        and old.co_freevars == new.co_freevars
        and old.co_cellvars == new.co_cellvars
    )


def _same_handlers(old: CodeType, new: CodeType) -> bool:
    return getattr(old, "co_exceptiontable", b"") == getattr(new, "co_exceptiontable", b"")


def _same_constant(old: object, new: object) -> bool:
    if isinstance(old, CodeType) and isinstance(new, CodeType):
        return same_code(old, new) if is_deferred(new) or not _HAS_NOTES else _same_shell(old, new)
    if type(old) is not type(new):
        return False
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(_same_constant, old, new))
    if isinstance(old, (float, complex)):
        return repr(old) == repr(new)
    if isinstance(old, frozenset):
        return {(type(item), item) for item in old} == {(type(item), item) for item in new}  # type: ignore[attr-defined]
    return old == new


def _same_shell(old: CodeType, new: CodeType) -> bool:
    diff = CodeDiff([], [], [])
    return _compare_shell(old, new, "", diff) and not diff.changed


def _compare_shell(old: CodeType, new: CodeType, prefix: str, diff: CodeDiff) -> bool:
    """Compare code that runs at import time; what differs in functions goes into ``diff``."""
    if not _same_header(old, new) or not _same_handlers(old, new):
        return False
    if _HAS_NOTES and "__firstlineno__" in old.co_names:
        old_items, _ = _instructions(old)
        new_items, notes = _instructions(new)
        diff.classes.append(ClassLines(prefix[:-1], notes))
    elif old.co_code == new.co_code and len(old.co_consts) == len(new.co_consts):
        old_items, new_items = list(old.co_consts), list(new.co_consts)
    else:
        return False
    if len(old_items) != len(new_items):
        return False
    return all(_compare_item(a, b, prefix, diff) for a, b in zip(old_items, new_items, strict=True))


def _compare_item(old: object, new: object, prefix: str, diff: CodeDiff) -> bool:
    if not isinstance(old, CodeType) or not isinstance(new, CodeType):
        return _same_constant(old, new)
    if is_deferred(old) != is_deferred(new):
        return False
    name = new.co_name
    if not is_deferred(new):
        at_once = name.startswith("<")
        return _compare_shell(old, new, prefix if at_once else f"{prefix}{name}.", diff)
    if same_code(old, new):
        diff.moved.append(FunctionChange(prefix + name, old, new))
        return True
    if old.co_name != name or old.co_freevars != new.co_freevars or name == "__annotate__":
        return False
    diff.changed.append(FunctionChange(prefix + name, old, new))
    return True


def _instructions(code: CodeType) -> tuple[list[object], dict[str, Any]]:
    """Instructions and constants in order, without the notes, which are returned beside them."""
    items: list[object] = []
    notes: dict[str, Any] = {}
    for op, arg in decoded(code.co_code):
        if op == LOAD_CONST:
            items.append(code.co_consts[arg])
        elif op == LOAD_SMALL_INT:
            items.append(arg)
        elif op == STORE_NAME and code.co_names[arg] in _NOTES:
            notes[code.co_names[arg]] = items.pop()
        else:
            items.append((op, arg))
    return items, notes
