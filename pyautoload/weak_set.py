"""``WeakSet`` as ``weakref`` has it, as far as it is needed here, without that module and what it imports."""

from __future__ import annotations

from _weakref import ref

__all__ = ["WeakSet"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from weakref import WeakSet as WeakSet
else:

    class WeakSet:
        """Members are told apart by identity; one that is dropped by everybody else leaves the set."""

        def __init__(self) -> None:
            # A member's id → a reference to it, which takes the entry out when the member goes.
            self._members: dict[int, ref[Any]] = {}

        def add(self, member: Any) -> None:
            """Put in a member."""
            key, members = id(member), self._members

            def gone(reference: ref[Any]) -> None:
                if members.get(key) is reference:
                    del members[key]

            members[key] = ref(member, gone)

        def discard(self, member: Any) -> None:
            """Take out a member, if it is there."""
            if member in self:
                self._members.pop(id(member), None)

        def __contains__(self, member: object) -> bool:
            found = self._members.get(id(member))
            return found is not None and found() is member

        def __iter__(self) -> Iterator[Any]:
            members = [reference() for reference in list(self._members.values())]
            return iter([member for member in members if member is not None])
