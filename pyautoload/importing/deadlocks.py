"""A second look at the deadlocks that the import system believes to see.

A thread that has to wait for a module's lock follows who waits for whom, and takes the unfinished module instead of
waiting where that leads back to itself. But the others go on while it looks. Thread 2 waits for a lock of thread 3;
before the search gets to thread 3, that one releases the lock, and then waits for something that thread 1 holds. The
search joins the wait that is over to the one that began later: a circle that never was, and thread 1 fails with
"cannot import name ... from partially initialized module", though no file imports another in a circle.

Who is in a deadlock stays in it. So a circle counts where it is found twice in a row, the same threads waiting for the
same locks: each of these waits lasted from the first look to the second, and between them all were there at once.
"""

from __future__ import annotations

import _frozen_importlib as _bootstrap
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["circle_to", "look_once", "look_twice"]

_Lock: Any = getattr(_bootstrap, "_ModuleLock", None)
# The import system's own search.
_has_deadlock: Any = getattr(_Lock, "has_deadlock", None)


def look_twice() -> None:
    """Let the import system confirm a deadlock before it believes in it; where it is of another build, leave it."""
    if _has_deadlock is not None and hasattr(getattr(_bootstrap, "_blocking_on", None), "get"):
        _Lock.has_deadlock = _surely_has_deadlock


def look_once() -> None:
    """Give the import system its own search back."""
    if getattr(_Lock, "has_deadlock", None) is _surely_has_deadlock:
        _Lock.has_deadlock = _has_deadlock


def _surely_has_deadlock(lock: Any) -> bool:
    if not _has_deadlock(lock):
        return False
    circle = circle_to(lock)
    while circle is not None:
        before, circle = circle, circle_to(lock)
        if circle == before:
            return True
    return False


def circle_to(lock: Any) -> list[tuple[int, Any]] | None:
    """The waits that lead from the owner of ``lock`` to this thread, ``None`` where none do.

    Args:
        lock: a module lock that this thread is about to wait for.

    Returns:
        Each thread with the lock it waits for, from this thread backwards. Example: ``[(140023, <lock of app.user>)]``
    """
    me = get_ident()
    # Thread → the thread before it and the lock that it waits for.
    reached: dict[int, tuple[int, Any] | None] = {lock.owner: None}
    pending = [lock.owner]
    while pending:
        thread = pending.pop()
        for wanted in _wanted_by(thread):
            owner = wanted.owner
            if owner == me:
                return _way(reached, (thread, wanted))
            if owner is not None and owner not in reached:
                reached[owner] = (thread, wanted)
                pending.append(owner)
    return None


def _wanted_by(thread: int) -> list[Any]:
    """The locks that a thread waits for: one, or several where an import interrupted another in the same thread."""
    wanted = _bootstrap._blocking_on.get(thread)  # type: ignore[attr-defined]
    if wanted is None:
        return []
    return list(wanted) if isinstance(wanted, list) else [wanted]  # Python 3.10 and 3.11 keep a single lock


def _way(reached: dict[int, tuple[int, Any] | None], last: tuple[int, Any]) -> list[tuple[int, Any]]:
    way: list[tuple[int, Any]] = []
    step: tuple[int, Any] | None = last
    while step is not None:
        way.append(step)
        step = reached[step[0]]
    return way
