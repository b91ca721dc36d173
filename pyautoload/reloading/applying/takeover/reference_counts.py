"""What reference counts show where nobody else holds an object; measured, as each Python counts in its own way.

A count depends on the calls between: who compares with one of these makes the same calls as the measurement.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

__all__ = ["UNHELD", "UNHELD_LOCAL", "UNHELD_VALUE", "held"]


def held(names: dict[str, Any], name: str) -> int:
    """The count of what a dict holds: nobody else does if it is ``UNHELD``."""
    return sys.getrefcount(names[name])


class _Counting(dict[str, Any]):
    def __setitem__(self, name: str, value: Any) -> None:
        self.count = self._counted(name, value)

    def _counted(self, name: str, value: Any) -> int:
        return (lambda module, key, new: sys.getrefcount(new))("", name, value)


def _unheld_value() -> int:
    probe = _Counting()
    exec("def f(): pass", {}, probe)
    return probe.count


def _unheld_local() -> int:
    """Of a local variable: from Python 3.14 on, passing it as an argument is no reference of its own."""
    new = object()
    return sys.getrefcount(new)


# Of a function that a name is about to be bound to, in a method called by one that ``__setitem__`` calls.
UNHELD_VALUE = _unheld_value()
# Of a local variable, by ``sys.getrefcount(variable)``.
UNHELD_LOCAL = _unheld_local()
# Of what a dict holds, by ``held()``.
UNHELD = held({"probe": FunctionType(held.__code__, {})}, "probe")
