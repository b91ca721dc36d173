"""Classes of the standard library, written so that a start does without the modules that have them.

``typing`` and ``collections`` take longer to import than half of this package (on Python 3.14 and later
``annotationlib`` comes along), and ``collections.namedtuple`` compiles code for each class; ``types`` and ``weakref``
bring more with them. Type checkers see the originals.
"""

from __future__ import annotations

import sys
from _weakref import ref

__all__ = ["ModuleType", "NamedTuple", "WeakSet"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType as ModuleType
    from typing import Any
    from typing import NamedTuple as NamedTuple
    from weakref import WeakSet as WeakSet
else:
    ModuleType = type(sys)

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

    try:
        from _collections import _tuplegetter as _field
    except ImportError:  # another Python than CPython

        def _field(index: int, doc: str) -> property:
            return property(lambda self: tuple.__getitem__(self, index), doc=doc)

    class _Tuples(type):
        """Makes a named tuple of a class body: its annotations are the fields, what they are bound to the defaults."""

        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> type:
            """The class that ``members`` describe: a subclass of ``tuple``."""
            if not bases:
                return super().__new__(cls, name, bases, members)
            fields = tuple(members["__annotations__"])
            defaults = {field: members[field] for field in fields if field in members}
            made = {
                "__slots__": (),
                "__new__": _maker(name, fields, defaults),
                "_fields": fields,
                "_field_defaults": defaults,
                "__match_args__": fields,
                **{field: _field(index, f"Field number {index}") for index, field in enumerate(fields)},
            }
            plain = type(name, (_Fields,), {**made, "__module__": members["__module__"]})
            return type(name, (plain,), {"__slots__": (), **_without(members, fields)})

    def _without(members: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
        return {name: value for name, value in members.items() if name not in fields}

    def _maker(name: str, fields: tuple[str, ...], defaults: dict[str, Any]) -> Any:
        count, make = len(fields), tuple.__new__

        def __new__(cls: type, /, *values: Any, **named: Any) -> Any:
            if len(values) == count and not named:
                return make(cls, values)
            if len(values) > count:
                raise TypeError(f"{name}() takes {count} arguments, {len(values)} were given")
            given = {**defaults, **dict(zip(fields, values))}  # noqa: B905 - the rest is named, or has defaults
            for field, value in named.items():
                if field not in fields or field in fields[: len(values)]:
                    raise TypeError(f"{name}() got an unexpected or a second argument {field!r}")
                given[field] = value
            missing = [field for field in fields if field not in given]
            if missing:
                raise TypeError(f"{name}() misses {', '.join(missing)}")
            return make(cls, [given[field] for field in fields])

        return __new__

    class _Fields(tuple):
        """What named tuples have in common."""

        __slots__ = ()
        _fields: tuple[str, ...] = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            return cls(*values)

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **values: Any) -> Any:
            return type(self)(**{**self._asdict(), **values})

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

    class NamedTuple(metaclass=_Tuples):
        """The base of a class whose annotated names become the fields of a tuple."""
