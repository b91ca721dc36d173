"""``NamedTuple`` as ``typing`` has it, without ``typing``: that takes as long to import as a quarter of this package.

On Python 3.14 and later it would bring in ``annotationlib``, too. What a start needs is written to do without both.
"""

from __future__ import annotations

from collections import namedtuple

__all__ = ["NamedTuple"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import NamedTuple as NamedTuple
else:

    class _Tuples(type):
        """Makes a named tuple of a class body: its annotations are the fields, what they are bound to the defaults."""

        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> type:
            """The class that ``members`` describe: a subclass of ``tuple``."""
            if not bases:
                return super().__new__(cls, name, bases, members)
            fields = list(members["__annotations__"])
            defaults = [members.pop(field) for field in fields if field in members]
            plain = namedtuple(name, fields, defaults=defaults, module=members["__module__"])
            return type(name, (plain,), {"__slots__": (), **members})

    class NamedTuple(metaclass=_Tuples):
        """The base of a class whose annotated names become the fields of a tuple."""
