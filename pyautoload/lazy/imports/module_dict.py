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

__all__ = ["keep", "rekey"]

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
    as_it_is: object,
) -> None:
    """Replace special keys by ordinary ones, with values, and leave all others and the order as they are.

    Args:
        names: the dict.
        found: special key, the ordinary one for it, the value; ``as_it_is`` for the one it has.
        keys: all special keys that may be in the dict, those of ``found`` too.
        quiet: a class to which special keys are switched while this runs: it compares as ``str`` does, in C.
        live: their class.
        as_it_is: stands for no new value.
    """
    found, keys = list(found), list(keys)
    going = {id(key) for key, _, _ in found}
    staying = [key for key in keys if id(key) not in going]
    new = [(key, name, value) for key, name, value in found if value is not as_it_is]
    if len(names) > _LARGE:
        keep(names, [(key, value) for key, _, value in new], quiet)
        return
    ordinary = {id(key): name for key, name, _ in found}
    steps = _steps(names, ordinary, new, keys, quiet)
    _run([*steps, *(partial(setattr, key, "__class__", live) for key in staying)])


def keep(names: dict[str, Any], found: Iterable[tuple[Any, Any]], quiet: type) -> None:
    """Give special keys their values, and leave them in the dict.

    Args:
        names: the dict.
        found: special key, value.
        quiet: the class that the keys have from now on.
    """
    steps: list[Callable[[], object]] = []
    for key, value in found:
        steps += [partial(setattr, key, "__class__", quiet), partial(names.__setitem__, key, value)]
    _run(steps)


def _run(steps: list[Callable[[], object]]) -> None:
    paused = gc.isenabled()
    if paused:
        gc.disable()  # before Python 3.12 a collection may begin in the middle, and run code of others
    try:
        deque(map(_call, steps), 0)
    finally:
        if paused:
            gc.enable()


def _steps(
    names: dict[str, Any], ordinary: dict[int, str], new: list[tuple[Any, str, Any]], keys: list[Any], quiet: type
) -> list[Callable[[], object]]:
    old: list[Any] = []
    values: list[Any] = []
    fresh: dict[Any, Any] = {}
    return [
        *(partial(setattr, key, "__class__", quiet) for key in keys),
        partial(old.extend, names),
        partial(values.extend, names.values()),
        partial(fresh.update, zip(map(ordinary.get, map(id, old), old), values, strict=True)),
        # Only then: besides the special key there may be an ordinary one, with what somebody stored meanwhile.
        *(partial(fresh.__setitem__, name, value) for _, name, value in new),
        *(partial(names.pop, key, None) for key in keys),
        names.clear,
        partial(names.update, fresh),
    ]
