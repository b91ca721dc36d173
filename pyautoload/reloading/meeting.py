"""Meeting the need of a module that depends on what has changed, in the cheapest way that is certain."""

from __future__ import annotations

import sys
from types import CodeType, ModuleType

from pyautoload.reloading.effects import Effects
from pyautoload.reloading.execute import Execution
from pyautoload.reloading.journal import MISSING
from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.need import Need
from pyautoload.reloading.once import holds_any
from pyautoload.reloading.pieces import affected_pieces, pieces_of
from pyautoload.reloading.record import Record
from pyautoload.reloading.rerun import Rerun, RestartNeeded
from pyautoload.reloading.selection import Selection, select_dependent

__all__ = ["meet"]

_ATOMS = frozenset({str, int, float, bytes, complex, bool, type(None), ModuleType})


def meet(rerun: Rerun, record: Record, need: Need) -> None:
    """Give a module what it needs.

    Args:
        rerun: of the reload.
        record: of the module.
        need: what that is.

    Raises:
        RestartNeeded: it would have to run and must not, or nobody knows its source any more.
    """
    effects, name = rerun.effects, record.name
    effects.current = name
    if not need.runs:
        rerun.rebind(record, need)
        return
    if rerun.plan.is_kept(record):
        raise RestartNeeded(name, "it is not to be reloaded, and what it uses at import time has changed")
    if record.code is not None and not need.missing and not need.star and _can_run_whole(effects, record):
        _run_whole(rerun, record, record.code, need)
        return
    if _run_pieces(rerun, record, need):
        return
    parsed = effects.parsed(name)
    if parsed is None:
        raise RestartNeeded(name, "its source has changed since it was loaded")
    selection = Selection(effects, record, parsed, need)
    select_dependent(selection)
    rerun.statements(record, parsed, selection)


# As a whole


def _can_run_whole(effects: Effects, record: Record) -> bool:
    """Whether all of a module may run at once, to be reconciled afterwards.

    Nothing that it calls may leave something behind, and what it reads of itself on the way must not be an object
    whose identity counts: `class B(A)` has to see the old A.
    """
    facts = record.scanned()
    if any(alias.attribute == "*" for alias in effects.graph.aliases(record.name)):
        return False  # what that binds is not to be seen in the code
    if facts.keeps_calls or holds_any(sys.modules[record.name]):
        return False
    names = sys.modules[record.name].__dict__
    return all(_has_no_identity(names.get(name)) for name in facts.own)


def _has_no_identity(value: object) -> bool:
    """Whether an equal value, or the same module, is as good as this one."""
    if type(value) is tuple:
        return all(map(_has_no_identity, value))
    return type(value) in _ATOMS


def _run_whole(rerun: Rerun, record: Record, code: CodeType, need: Need) -> None:
    execution = rerun.whole(record, code)
    _restore_unaffected(rerun.effects, record, execution, need)


def _restore_unaffected(effects: Effects, record: Record, execution: Execution, need: Need) -> None:
    """State that does not depend on what changed stays, as it does where statements run one by one."""
    doubtful = [
        name
        for name, before in execution.changed.items()
        if before is not MISSING and not is_a(before, (str, int, float, bytes, tuple, type(None), type))
    ]
    parsed = effects.parsed(record.name) if doubtful else None
    if parsed is not None:
        selection = Selection(effects, record, parsed, need)
        select_dependent(selection)
        ran = (item for at, item in enumerate(parsed.statements) if at in selection.indices or item.kind == "import")
        affected = {name for item in ran for name in item.binds}
        for name in set(doubtful) - affected:
            execution.bind(name, execution.before[name])
    effects.note_execution(record, execution)


# In pieces


def _run_pieces(rerun: Rerun, record: Record, need: Need) -> bool:
    """Run some statements without parsing, if it is certain which; says whether that was done."""
    if record.code is None or need.missing or need.star or need.calls or rerun.effects.graph.called_in(record.name):
        return False
    pieces = pieces_of(record.code)
    chosen = affected_pieces(pieces, need.changed | need.through) if pieces is not None else None
    if pieces is None or not chosen:
        return False
    selection = Selection(rerun.effects, record, pieces, need)
    selection.indices, selection.reexecutes = chosen, True
    rerun.statements(record, pieces, selection)
    return True
