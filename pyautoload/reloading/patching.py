"""Patching: function objects get new code, classes new members, and nothing else runs."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, ModuleType

from pyautoload.reloading.codediff import ClassLines, CodeDiff, FunctionChange, class_lines, same_code
from pyautoload.reloading.functions import FunctionIndex, give_code, patch
from pyautoload.reloading.journal import Journal
from pyautoload.reloading.nested import deferred_codes, is_deferred

__all__ = ["apply_patch", "changed_function", "refresh_positions"]


def apply_patch(module: ModuleType, path: str, diff: CodeDiff, journal: Journal) -> list[FunctionChange]:
    """Give the functions of a module the code that ``diff`` says; those that only moved get their new lines.

    Returns:
        The changes for ``patch_hidden``.
    """
    index = FunctionIndex(module, path)
    moved = [(change.new, index.find(change.old, change.qualname)) for change in diff.moved]
    hidden = patch(diff.changed, index, journal)
    for code, functions in moved:
        for function in functions:
            if function.__code__ is not code:
                give_code(function, code, journal)
    _note_lines(index, diff.classes, journal)
    return hidden


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
    index = FunctionIndex(module, path)
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
