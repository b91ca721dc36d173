"""Functions, and what wraps them: the old object takes what the new one has, unless somebody holds the new one."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from types import FunctionType
from typing import Any

from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.reference_counts import UNHELD, held
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.objects.functions import CACHED
from pyautoload.reloading.objects.heap import is_immortal, reference_counts
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.objects.reconcile import Reconciler
from pyautoload.reloading.objects.safe_inspection import is_a

__all__ = ["DEFINITIONS", "settle_functions"]

DEFINITIONS = (FunctionType, type, staticmethod, classmethod, property, CACHED)


def settle_functions(
    state: TakeoverState,
    former: FormerModule,
    names: dict[str, Any],
    reconciler: Reconciler,
    *,
    dropped: bool,
    taken: Counter[int],
) -> None:
    """The module has run to its end: what does it have for functions from now on?

    Args:
        state: what the takeover knows.
        former: what the module was.
        names: its dict.
        reconciler: of the module.
        dropped: whether values were given up that may still hold functions until they are collected.
        taken: id of a new function → how often the caller holds it.
    """
    pairs = [name for name in _pairs_of_definitions(former.names, names) if name not in former.imported]
    for name in pairs:
        taken[id(names[name])] += state.counterparts.count(names[name])
    if dropped and any(held(names, name) > UNHELD + taken[id(names[name])] for name in pairs):
        gc.collect(1)
    counts = reference_counts(names[name] for name in pairs if is_immortal(names[name]))
    for name in pairs:
        if id(former.names[name]) in state.given:
            continue  # it stands for an earlier binding of the name
        own, counted = taken[id(names[name])], counts.get(id(names[name]))
        is_held = held(names, name) > UNHELD + own if counted is None else counted > 1 + own
        # Who holds the new one weakly, a signal or a `WeakSet`, would lose it.
        is_held = is_held or bool(weakref.getweakrefcount(names[name]))
        old, new = former.names[name], names[name]
        result = reconciler.merged(old, new)
        if not is_held or result is new:
            names[name] = result
        state.pair(old, new, names[name])


def _pairs_of_definitions(before: dict[str, Any], names: dict[str, Any]) -> list[str]:
    """Names of functions and their wrappers that were recreated. A function of its own: its variables hold them."""
    return [
        name
        for name, new in names.items()
        if is_a(new, DEFINITIONS)
        and not is_a(new, type)
        and (old := before.get(name, MISSING)) is not new
        and type(old) is type(new)
    ]
