"""The import system's lock of one module, taken at a quarter of the usual cost where nobody else holds it.

``importlib._bootstrap`` makes a lock for each module that is being imported, keeps it in a map by name, and acquires
it by way of a search for deadlocks. A lock that was made this moment is held by nobody, so that search can find
nothing: it is put into the map as one that its maker holds already. It is the same kind of lock in the same map, so
other threads wait for it and search for deadlocks as ever. Whether a held lock looks as this module believes is tried
out once, on a real one; where it does not, locks are taken the long way.
"""

from __future__ import annotations

import _imp
import importlib._bootstrap as _bootstrap
from _thread import get_ident
from collections.abc import Callable
from typing import Any
from weakref import ref

__all__ = ["acquired", "available", "released"]

_locks: Any = getattr(_bootstrap, "_module_locks", None)
_Lock: Any = getattr(_bootstrap, "_ModuleLock", None)
_get: Any = getattr(_bootstrap, "_get_module_lock", None)
_DeadlockError: Any = getattr(_bootstrap, "_DeadlockError", None)
_acquire_map: Any = getattr(_imp, "acquire_lock", None)
_release_map: Any = getattr(_imp, "release_lock", None)


def available() -> bool:
    """Whether module locks can be taken at all on this Python."""
    return _get is not None and _DeadlockError is not None


def acquired(name: str) -> Any:
    """The lock of the module ``name``, held by this thread; ``None`` where waiting for it would be a deadlock."""
    if _held_count is not None and name not in _locks:
        _acquire_map()
        try:
            if name not in _locks:
                lock = _Lock(name)
                lock.owner = get_ident()
                lock.count = [True] if _held_count == [True] else 1
                _locks[name] = ref(lock, _forgetter(name))
                return lock
        finally:
            _release_map()
    lock = _get(name)
    try:
        lock.acquire()
    except _DeadlockError:
        return None
    return lock


def _forgetter(name: str) -> Callable[[Any], None]:
    """What takes a lock out of the map when it dies, and not before.

    Thread 2 may have taken it from the map to wait for it. Were it gone when thread 1 releases it, thread 3 would make
    another one, and both would import the module at once.
    """

    def forget(entry: Any) -> None:
        _acquire_map()
        try:
            if _locks.get(name) is entry:
                del _locks[name]
        finally:
            _release_map()

    return forget


def released(lock: Any) -> None:
    """Release a lock; the first of those who wait for it goes on."""
    lock.release()


def _count_when_held() -> Any:
    """``count`` of a lock that is held once; ``None`` where locks are of another build than the one relied on."""
    if not isinstance(_locks, dict) or _Lock is None or _acquire_map is None or _release_map is None:
        return None
    lock = _Lock("pyautoload.probe")
    before = {key: getattr(lock, key, None) for key in vars(lock)}
    lock.acquire()
    try:
        changed = {key for key, value in vars(lock).items() if key not in ("lock", "wakeup") and before[key] != value}
        if not hasattr(lock, "owner") or lock.owner != get_ident() or not changed <= {"owner", "count"}:
            return None
        return [True] if lock.count == [True] else 1 if lock.count == 1 else None
    finally:
        lock.release()


_held_count = _count_when_held()
