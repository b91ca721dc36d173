"""What is one object in a fresh process must not be two: who stays although something new holds a part of its twin?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.objects.counterparts import ids_within
from pyautoload.reloading.objects.value_comparison import Comparison
from pyautoload.reloading.objects.values import NOT_STATE, Shape
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.restart import RestartNeeded

__all__ = ["kept_but_shared"]


def kept_but_shared(state: TakeoverState, records: Iterable[Record], cached: Iterable[Any]) -> set[tuple[str, str]]:
    """Values that have stayed although something else holds a part of what was made for them.

    Args:
        state: what the takeover knows.
        records: of the modules that have run again.
        cached: what the modules' caches hold, as shapes.

    Returns:
        Module and name of each; what is one object in a fresh process is two.

    Raises:
        RestartNeeded: the program has changed such a value, and that would be lost.
    """
    standing = ids_within(cached)
    for record in records:
        kept = state.kept.get(record.name, ())
        shapes = [shape for name, shape in (record.shapes or {}).items() if name not in kept]
        for cls in record.classes:
            shapes += [value for value in vars(cls).values() if type(value) in NOT_STATE]
            members = (record.members or {}).get(cls.__qualname__, {})
            shapes += [shape for name, shape in members.items() if f"{cls.__qualname__}.{name}" not in kept]
        standing |= ids_within(shapes)
    found = state.counterparts.held(standing)
    for module, name in found:
        _check_unchanged(state, module, name)
    return found


def _check_unchanged(state: TakeoverState, module: str, place: str) -> None:
    former = state.formers[module]
    qualname, _, name = place.rpartition(".")
    given = former.members.get(qualname, {}).get(name) if qualname else former.shapes.get(name)
    if type(given) is Shape and not Comparison(inside=True).same(given, given.value):
        raise RestartNeeded(module, f"{place}, which the program has changed, is held by something that was recreated")
