"""The import system's lock of one module, taken at a fraction of the usual cost where nobody else holds it.

``importlib._bootstrap`` makes a lock for each module that is being imported, keeps it in a map by name, and acquires
it by way of a search for deadlocks. A lock that was made this moment is held by nobody, so that search can find
nothing: it is put into the map as one that its maker holds already. It is the same kind of lock in the same map, so
other threads wait for it and search for deadlocks as ever. Whether a held lock looks as this module believes is tried
out once, on a real one; where it does not, locks are taken the long way.

One that nobody else has seen when its module is complete stays held, and serves for the next module.
"""

from __future__ import annotations

import _imp
import importlib._bootstrap as _bootstrap
import sys
from _thread import get_ident
from collections.abc import Callable
from typing import Any
from weakref import ref

__all__ = ["HeldLock", "available"]

_locks: Any = getattr(_bootstrap, "_module_locks", None)
_Lock: Any = getattr(_bootstrap, "_ModuleLock", None)
_get: Any = getattr(_bootstrap, "_get_module_lock", None)
_DeadlockError: Any = getattr(_bootstrap, "_DeadlockError", None)
_acquire_map: Any = getattr(_imp, "acquire_lock", None)
_release_map: Any = getattr(_imp, "release_lock", None)
# Whether the number of references to an object tells who has it: not without a GIL.
_COUNTS_REFERENCES: bool = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


def available() -> bool:
    """Whether module locks can be taken at all on this Python."""
    return _get is not None and _DeadlockError is not None


class HeldLock:
    """The lock of the module that one thread imports at the moment; one at a time."""

    def __init__(self) -> None:
        # The lock that serves for one module after the other, while nobody else has it. This thread holds it all the
        # time, but only while it is in the map can others see it.
        self._own: Any = None
        # What stands for it in the map.
        self._entry: Any = None
        # The number of references to it while nobody else has it; 0 where that cannot be told.
        self._alone = 0
        # A lock that was taken the long way.
        self._other: Any = None

    def acquire(self, name: str) -> bool:
        """Take the lock of the module ``name``; ``False`` where waiting for it would be a deadlock."""
        if _held_count is not None and name not in _locks:
            _acquire_map()
            try:
                if name not in _locks:
                    if self._own is None:
                        self._make(name)
                    self._own.name = name
                    _locks[name] = self._entry
                    return True
            finally:
                _release_map()
        lock = _get(name)
        try:
            lock.acquire()
        except _DeadlockError:
            return False
        self._other = lock
        return True

    def release(self, name: str) -> None:
        """Release the lock that was taken for ``name``; the first of those who wait for it goes on."""
        if self._other is not None:
            lock, self._other = self._other, None
            lock.release()
            return
        _acquire_map()
        try:
            if self._alone and sys.getrefcount(self._own) == self._alone and _locks.get(name) is self._entry:
                # Nobody has it, and from here on nobody can get it.
                del _locks[name]
                return
            lock, self._own = self._own, None
            if _locks.get(name) is self._entry:
                _locks[name] = ref(lock, _forgetter(name))
        finally:
            _release_map()
        lock.release()

    def _make(self, name: str) -> None:
        self._own = _Lock(name)
        self._own.owner = get_ident()
        self._own.count = [True] if _held_count == [True] else 1
        self._entry = ref(self._own)
        self._alone = sys.getrefcount(self._own) if _COUNTS_REFERENCES else 0


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
