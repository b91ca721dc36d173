"""A mapping from keys to names, small where there are many keys with few names each."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

__all__ = ["Index"]

Key = TypeVar("Key", bound=Hashable)
_FEW = 6


class Index(Generic[Key]):
    """Key → names. Most keys have few, for which a tuple takes a quarter of the room of a set."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        # Example: {"myapp.base": ("myapp.user", "myapp.order"), "myapp.conf": {...a hundred names...}}
        self._names: dict[Key, tuple[str, ...] | set[str]] = {}

    def add(self, key: Key, name: str) -> None:
        """Note a name under a key."""
        known = self._names.get(key)
        if known is None:
            self._names[key] = (name,)
        elif isinstance(known, set):
            known.add(name)
        elif name not in known:
            self._names[key] = (*known, name) if len(known) < _FEW else {*known, name}

    def discard(self, key: Key, name: str) -> None:
        """Forget a name under a key, if it is there."""
        known = self._names.get(key)
        if isinstance(known, set):
            known.discard(name)
        elif known is not None and name in known:
            left = tuple(item for item in known if item != name)
            if left:
                self._names[key] = left
            else:
                del self._names[key]

    def pop(self, key: Key) -> Collection[str]:
        """Forget a key; the names that it had."""
        return self._names.pop(key, ())

    def keys(self) -> Collection[Key]:
        """Every key, as it is now."""
        return tuple(self._names)

    def get(self, key: Key) -> Collection[str]:
        """The names under a key; not to be changed."""
        return self._names.get(key, ())
