"""Adapters: libraries that hold a class outside Python, or derive from it what only they can derive again."""

from __future__ import annotations

from typing import Any

from pyautoload.reloading.objects.journal import Journal

__all__ = ["adapted", "refusal"]


def adapted(cls: type, journal: Journal) -> None:
    """Let the library of a class's metaclass derive anew what it keeps of it.

    Args:
        cls: a class that has taken new members.
        journal: remembers how to take it back.
    """
    if type(cls).__module__.startswith("pydantic."):
        rebuild = getattr(cls, "model_rebuild", None)
        if rebuild is not None:
            rebuild(force=True, raise_errors=False)
            journal.note(lambda: rebuild(force=True, raise_errors=False))


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
