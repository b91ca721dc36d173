"""Edits of function bodies alone, the ordinary case: functions get new code, and nothing runs."""

from __future__ import annotations

import sys

from pyautoload.reloading.codediff import CodeDiff, FunctionChange, compare, documents_otherwise
from pyautoload.reloading.effects import Effects
from pyautoload.reloading.functions import FunctionIndex, is_used_up
from pyautoload.reloading.patching import apply_patch
from pyautoload.reloading.plan import NewVersion
from pyautoload.reloading.record import Record
from pyautoload.reloading.statements import Parsed

__all__ = ["body_diff", "patch_bodies", "patchable_diff"]


def body_diff(record: Record, version: NewVersion) -> CodeDiff | None:
    """The functions whose bodies differ, ``None`` where that does not say all."""
    diff = compare(record.code, version.code) if record.code is not None else None
    if diff is None or not any(documents_otherwise(change) for change in diff.changed):
        return diff
    # A decorator may have taken the docstring; only the source tells whether there is a decorator.
    definitions = Parsed(version.source, version.path).definitions
    for change in diff.changed:
        item = definitions.get(change.qualname)
        if item is not None and documents_otherwise(change) and getattr(item.node, "decorator_list", None):
            return None
    return diff


def patchable_diff(effects: Effects, record: Record, version: NewVersion) -> CodeDiff | None:
    """The functions whose bodies differ, where new code for these is enough.

    That it is not where import-time code called one of them, or a decorator has used it up.
    """
    diff = body_diff(record, version)
    if diff is None:
        return None
    for change in diff.changed:
        if effects.graph.called_by(record.name, change.qualname):
            return None
        if is_used_up(sys.modules[record.name], record.path, record.code, change):
            return None
    return diff


def patch_bodies(effects: Effects, record: Record, version: NewVersion, diff: CodeDiff) -> list[FunctionChange]:
    """Give the functions of a module their new code.

    Returns:
        The changes for ``patch_hidden``.
    """
    effects.facts.body(record.name, *(change.qualname for change in diff.changed))
    index = FunctionIndex(sys.modules[record.name], record.path, record.code)
    hidden = apply_patch(index, diff, effects.journal)
    effects.note_source(record, version, diff)
    return hidden
