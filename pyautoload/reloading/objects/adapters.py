"""Adapters: libraries that hold a class outside Python, or derive from it what only they can derive again."""

from __future__ import annotations

import functools
import operator
import types
import typing
from typing import Any

from pyautoload.reloading.objects.journal import Journal

__all__ = ["adapted", "refusal"]


def adapted(cls: type, new: type, journal: Journal) -> None:
    """Let the library of a class's metaclass derive anew what it keeps of it.

    Args:
        cls: a class that has taken new members.
        new: the class that gave them.
        journal: remembers how to take it back.
    """
    if type(cls).__module__.startswith("pydantic."):
        fields: dict[str, Any] = cls.__dict__.get("__pydantic_fields__") or {}
        for field in fields.values():
            field.annotation = _with(field.annotation, new, cls)  # a model that refers to itself
        rebuild = getattr(cls, "model_rebuild", None)
        if rebuild is not None:
            rebuild(force=True, raise_errors=False)
            journal.note(lambda: rebuild(force=True, raise_errors=False))


def _with(hint: Any, new: type, cls: type) -> Any:
    """A type hint in which a class stands for another one."""
    if hint is new:
        return cls
    before = typing.get_args(hint)
    args = tuple(_with(arg, new, cls) for arg in before)
    if all(arg is known for arg, known in zip(args, before, strict=True)):
        return hint
    if isinstance(hint, types.UnionType):
        return functools.reduce(operator.or_, args)
    if isinstance(hint, types.GenericAlias):
        return types.GenericAlias(typing.cast(type, hint.__origin__), args)
    is_annotated = hasattr(hint, "__metadata__")
    return hint.copy_with(args[:1] if is_annotated else args)


def refusal(cls: type) -> str | None:
    """Why a class cannot be made twice in one process, ``None`` where it can.

    Args:
        cls: the living class.
    """
    meta: Any = type(cls)
    for kind in meta.__mro__:
        place = kind.__module__
        if place.startswith("django.db.models"):
            return f"{cls.__qualname__} is a Django model, and Django's registry takes each model once"
        if place.startswith(("sqlalchemy.orm", "sqlalchemy.ext.declarative")):
            return f"{cls.__qualname__} is mapped by SQLAlchemy, which maps a table once"
    if any(base.__module__.startswith("sqlalchemy.orm") for base in cls.__mro__) and "__mapper__" in dir(cls):
        return f"{cls.__qualname__} is mapped by SQLAlchemy, which maps a table once"
    return None
