"""The dict of a module: special keys taken out of it, in one step for all threads.

A dict that holds a key which is not exactly a ``str`` is of another kind inside: Python does not specialise the
instructions that read it, and a global costs 7 ns in place of 2. It stays so until it is cleared and filled again.
Between the two nothing may run: no other thread may find a name missing. So all steps are functions written in C,
called by a function written in C: the interpreter lets go of its lock only between instructions of Python code.

A lookup in the dict may be going on, the one that made a name resolve. Python begins it again if the dict was changed
meanwhile, which it sees by the table's address and by the entry that it compared. The new table may come to lie where
the old one was, so the entries are taken out one by one before it is cleared.
"""

from __future__ import annotations

import gc
import operator
from collections import deque
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["rekey"]

# Python 3.10 has no function for it.
_call: Callable[..., Any] = getattr(operator, "call", None) or operator.methodcaller("__call__")
# The system takes tables of this size back when they are freed, so that nothing may look at where they were.
_LARGE = 4_000


def rekey(
    names: dict[str, Any],
    found: Iterable[tuple[Any, str, Any]],
    keys: Iterable[Any],
    quiet: type,
    live: type,
) -> None:
    """Replace special keys by ordinary ones, with values, and leave all others and the order as they are.

    Args:
        names: the dict.
        found: special key, the ordinary one for it, the value.
        keys: all special keys that may be in the dict, those of ``found`` too.
        quiet: a class to which special keys are switched while this runs: it compares as ``str`` does, in C.
        live: their class.
    """
    found, keys = list(found), list(keys)
    going = {id(key) for key, _, _ in found}
    staying = [key for key in keys if id(key) not in going]
    if len(names) > _LARGE:
        # They stay in the dict, under keys that compare as strings do.
        steps = [step for key, _, value in found for step in _quietly(names, key, value, quiet)]
    else:
        steps = _steps(names, found, keys, quiet)
        steps += [partial(setattr, key, "__class__", live) for key in staying]
    paused = gc.isenabled()
    if paused:
        gc.disable()  # before Python 3.12 a collection may begin in the middle, and run code of others
    try:
        deque(map(_call, steps), 0)
    finally:
        if paused:
            gc.enable()


def _quietly(names: dict[str, Any], key: Any, value: Any, quiet: type) -> list[Callable[[], object]]:
    return [partial(setattr, key, "__class__", quiet), partial(names.__setitem__, key, value)]


def _steps(
    names: dict[str, Any], found: list[tuple[Any, str, Any]], keys: list[Any], quiet: type
) -> list[Callable[[], object]]:
    ordinary = {id(key): name for key, name, _ in found}
    old: list[Any] = []
    values: list[Any] = []
    fresh: dict[Any, Any] = {}
    return [
        *(partial(setattr, key, "__class__", quiet) for key in keys),
        partial(old.extend, names),
        partial(values.extend, names.values()),
        partial(fresh.update, zip(map(ordinary.get, map(id, old), old), values, strict=True)),
        # Only then: besides the special key there may be an ordinary one, with what somebody stored meanwhile.
        *(partial(fresh.__setitem__, name, value) for _, name, value in found),
        *(partial(names.pop, key, None) for key in keys),
        names.clear,
        partial(names.update, fresh),
    ]
