"""Patching: function objects get new code, classes new members, and nothing else runs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType

from pyautoload.reloading.code.codediff import ClassLines, CodeDiff, FunctionChange, class_lines, same_code
from pyautoload.reloading.code.nested import deferred_codes, is_deferred
from pyautoload.reloading.objects.functions import FunctionIndex, give_code, is_held_elsewhere, nested_changes, patch
from pyautoload.reloading.objects.journal import Journal

__all__ = ["apply_patch", "changed_function", "move", "moved_within", "refresh_positions"]


def apply_patch(index: FunctionIndex, diff: CodeDiff, journal: Journal) -> list[FunctionChange]:
    """Give the functions of a module the code that ``diff`` says; those that only moved get their new lines.

    Returns:
        The changes for ``patch_hidden``.
    """
    # Found first: of two that do the same nobody can tell afterwards which of them was which.
    moved = [(change, index.find(change.old, change.qualname)) for change in diff.moved]
    hidden = patch(diff.changed, index, journal)
    hidden += [change for change, found in moved if is_held_elsewhere(change, found)]
    hidden += [inner for change, _ in moved for inner in nested_changes(change) if is_held_elsewhere(inner, [])]
    _give_codes([(change.new, found) for change, found in moved], journal)
    _note_lines(index, diff.classes, journal)
    return hidden


def move(index: FunctionIndex, moved: Iterable[FunctionChange], journal: Journal) -> None:
    """Let functions that stay what they are have their new lines.

    Before anything runs: of two that do the same nobody can tell afterwards which of them was which.
    """
    _give_codes([(change.new, index.find(change.old, change.qualname)) for change in moved], journal)


def moved_within(
    old: CodeType, new: CodeType, lines: Iterable[tuple[tuple[int, int], tuple[int, int]]]
) -> Iterator[FunctionChange]:
    """The functions in statements that are the same, by the lines at which each stood and stands now."""
    before, after = _by_line(old), _by_line(new)
    for old_lines, new_lines in lines:
        mine, theirs = _between(before, *old_lines), _between(after, *new_lines)
        if len(mine) == len(theirs):
            for (_, name, code), (_, _, code_now) in zip(mine, theirs, strict=True):
                yield FunctionChange(name, code, code_now)


def _by_line(code: CodeType) -> list[tuple[int, str, CodeType]]:
    return sorted(((item.co_firstlineno, name, item) for name, item in _functions_in(code, "")), key=_line)


def _between(functions: list[tuple[int, str, CodeType]], first: int, last: int) -> list[tuple[int, str, CodeType]]:
    return functions[bisect_left(functions, first, key=_line) : bisect_right(functions, last, key=_line)]


def _line(item: tuple[int, str, CodeType]) -> int:
    return item[0]


def _give_codes(found: list[tuple[CodeType, list[FunctionType]]], journal: Journal) -> None:
    for code, functions in found:
        for function in functions:
            if function.__code__ is not code and same_code(function.__code__, code):
                give_code(function, code, journal)


def _note_lines(index: FunctionIndex, classes: list[ClassLines], journal: Journal) -> None:
    for lines in classes:
        cls = index.classes.get(lines.qualname)
        if cls is None:
            continue
        for name, value in lines.notes.items():
            if cls.__dict__.get(name) != value:
                journal.set_class_attribute(cls, name, value)


def refresh_positions(module: ModuleType, path: str, code: CodeType, journal: Journal) -> None:
    """Let every function of a module share the code objects of ``code``, whose lines are those of the file now."""
    index = FunctionIndex(module, path, code)
    for qualname, new in _functions_in(code, ""):
        for function in index.find(new, qualname):
            if function.__code__ is not new and same_code(function.__code__, new):
                give_code(function, new, journal)
    _note_lines(index, list(class_lines(code)), journal)


def _functions_in(code: CodeType, prefix: str) -> Iterator[tuple[str, CodeType]]:
    """The functions that import-time code defines, with their qualified names."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if is_deferred(const):
                yield prefix + const.co_name, const
            else:
                name = const.co_name
                yield from _functions_in(const, prefix if name.startswith("<") else f"{prefix}{name}.")


def _code_within(code: CodeType, name: str, first: int, last: int) -> CodeType | None:
    """The function ``name`` whose code stands between two lines."""
    for found in deferred_codes(code):
        if found.co_name == name and first <= found.co_firstlineno <= last:
            return found
    return None


def changed_function(
    old: CodeType, new: CodeType, qualname: str, old_lines: tuple[int, int], new_lines: tuple[int, int]
) -> FunctionChange | None:
    """The change of a function that stands at known lines; ``None`` where its object cannot take the new code."""
    name = qualname.rpartition(".")[2]
    before, after = _code_within(old, name, *old_lines), _code_within(new, name, *new_lines)
    if before is None or after is None or before.co_freevars != after.co_freevars:
        return None
    return FunctionChange(qualname, before, after)
