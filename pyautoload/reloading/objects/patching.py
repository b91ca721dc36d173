"""Patching: function objects get new code, classes new members, and nothing else runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

from pyautoload.reloading.code.codediff import ClassLines, CodeDiff, FunctionChange, same_code
from pyautoload.reloading.code.nested import is_deferred
from pyautoload.reloading.objects.functions import FunctionIndex, give_code, is_held_elsewhere, nested_changes, patch
from pyautoload.reloading.objects.journal import Journal

__all__ = [
    "apply_patch",
    "move",
]


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


def _functions_in(code: CodeType, prefix: str) -> Iterator[tuple[str, CodeType]]:
    """The functions that import-time code defines, with their qualified names."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if is_deferred(const):
                yield prefix + const.co_name, const
            else:
                name = const.co_name
                yield from _functions_in(const, prefix if name.startswith("<") else f"{prefix}{name}.")
