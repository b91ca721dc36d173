"""Caches: functions under ``lru_cache`` forget what they answered when code has changed that they may have called."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pyautoload.reloading.objects.functions import CACHED
from pyautoload.reloading.objects.safe_inspection import is_a

__all__ = ["clear_caches", "has_caches"]


def has_caches(names: dict[str, Any], module: str) -> bool:
    """Whether a module, or a class of it, holds a function under ``lru_cache``."""
    for value in list(names.values()):
        if is_a(value, CACHED):
            return True
        if is_a(value, type) and value.__module__ == module and any(is_a(item, CACHED) for item in _members(value)):
            return True
    return False


def clear_caches(module: ModuleType) -> None:
    """Empty the caches of a module and of its classes."""
    for value in list(module.__dict__.values()):
        if is_a(value, CACHED):
            value.cache_clear()
        elif type(value) in (list, tuple, dict):
            for item in list(value.values() if type(value) is dict else value):
                if is_a(item, CACHED):
                    item.cache_clear()
        elif is_a(value, type) and value.__module__ == module.__name__:
            for item in _members(value):
                if is_a(item, CACHED):
                    item.cache_clear()


def _members(cls: type) -> list[Any]:
    found: list[Any] = []
    members: list[Any] = list(vars(cls).values())
    for member in members:
        found.append(member.__func__ if type(member) in (staticmethod, classmethod) else member)
    return found
