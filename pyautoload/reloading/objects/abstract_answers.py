"""What abstract classes remember of ``isinstance`` and ``issubclass``: it may be otherwise once a class has changed."""

from __future__ import annotations

import abc
import weakref
from typing import Any

__all__ = ["forget_answers", "forget_answers_of"]


def forget_answers(cls: type) -> None:
    """A class has changed: what abstract classes remember of it, and of its subclasses, goes.

    Args:
        cls: the class.
    """
    if any(_is_remembered(item) for item in _with_subclasses(cls)):
        for other in _with_subclasses(object):
            if isinstance(other, abc.ABCMeta):
                forget_answers_of(other)


def forget_answers_of(cls: type) -> None:
    """An abstract class may answer otherwise: what it remembers goes.

    Args:
        cls: the class; nothing is done for one that is not abstract.
    """
    if isinstance(cls, abc.ABCMeta):  # a metaclass that is derived from it has the method, too
        clear: Any = getattr(cls, "_abc_caches_clear", None)
        if clear is not None:
            clear()


def _is_remembered(cls: type) -> bool:
    """Whether an abstract class may have a class in its caches: these hold it weakly, and are told when it goes."""
    return any(reference.__callback__ is not None for reference in weakref.getweakrefs(cls))


def _with_subclasses(cls: type) -> list[type]:
    found: dict[int, type] = {}
    pending = [cls]
    while pending:
        item = pending.pop()
        if id(item) not in found:
            found[id(item)] = item
            pending += type.__subclasses__(item)
    return list(found.values())
