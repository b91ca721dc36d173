"""Asking what a value is without waking it: ``isinstance`` and ``getattr`` make lazy objects and proxies do their work.

``isinstance(flask.request, X)`` asks ``flask.request.__class__``, which is that of a request, or an error outside of
one; a lazy object of Django is evaluated by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TypeGuard, TypeVar

__all__ = [
    "contents",
    "held_by",
    "is_a",
    "is_proxy",
]

T = TypeVar("T")
_PLAIN = frozenset({type(None), str, int, float, bytes, bool, complex})
_BY_PYTHON = (GetSetDescriptorType, MemberDescriptorType)
# Containers are looked into that far. More is a registry: of a thousand modules that each enter a function there, each
# would have to be told of all the others.
_MANY = 24


def is_a(value: object, kind: type[T] | tuple[type[T], ...]) -> TypeGuard[T]:
    """``isinstance`` by the type alone."""
    return issubclass(type(value), kind)


def is_proxy(kind: type) -> bool:
    """Whether instances of a class may stand for something else: then nothing must be asked of them."""
    return any(
        "__getattr__" in base.__dict__ or "__getattribute__" in base.__dict__
        for base in kind.__mro__
        if base.__module__ != "builtins"
    )


def held_by(value: object) -> dict[str, object]:
    """The attributes of an instance itself, empty where it keeps none in a ``__dict__``."""
    for base in type(value).__mro__:
        descriptor = base.__dict__.get("__dict__")
        if descriptor is not None:
            # A proxy may have a `__dict__` of its own making, which leads to what it stands for.
            return descriptor.__get__(value) if type(descriptor) in _BY_PYTHON else {}
    return {}


def contents(value: object) -> Iterable[object]:
    """What a plain list, tuple, set or dict holds; nothing for anything else."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return tuple(islice(value, _MANY))  # type: ignore[call-overload]
    if kind is dict:
        return tuple(islice(value.values(), _MANY))  # type: ignore[attr-defined]
    return ()
