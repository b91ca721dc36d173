"""Caches: functions under ``lru_cache`` forget what they answered when code has changed that they may have called."""

from __future__ import annotations

import gc
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.objects.functions import CACHED
from pyautoload.reloading.objects.safe_inspection import held_by, is_a

__all__ = ["cached_in", "clear_caches", "has_caches"]


def has_caches(names: dict[str, Any], module: str) -> bool:
    """Whether a module, or a class of it, holds a function under ``lru_cache``."""
    for value in list(names.values()):
        if is_a(value, CACHED):
            return True
        if is_a(value, type) and value.__module__ == module and any(is_a(item, CACHED) for item in _members(value)):
            return True
    return False


def clear_caches(module: ModuleType) -> list[CodeType]:
    """Empty the caches of a module and of its classes.

    Returns:
        The code of the functions whose answers they held.
    """
    found = [item for value in list(module.__dict__.values()) for item in _caches_of(value, module.__name__)]
    for cache in found:
        cache.cache_clear()
    functions = (getattr(cache, "__wrapped__", None) for cache in found)
    return [function.__code__ for function in functions if is_a(function, FunctionType)]


def cached_in(module: ModuleType) -> list[Any]:
    """The answers that the caches of a module and of its classes hold."""
    found: list[Any] = []
    for value in list(module.__dict__.values()):
        for cache in _caches_of(value, module.__name__):
            for held in gc.get_referents(cache):
                # One without a limit keeps them in a dict, one with a limit in a chain that shows them itself.
                found += list(held.values()) if type(held) is dict and held is not held_by(cache) else [held]
    return found


def _caches_of(value: Any, module: str) -> list[Any]:
    if is_a(value, CACHED):
        return [value]
    held: list[Any] = []
    if type(value) in (list, tuple, dict):
        held = list(value.values() if type(value) is dict else value)
    elif is_a(value, type) and value.__module__ == module:
        held = _members(value)
    return [item for item in held if is_a(item, CACHED)]


def _members(cls: type) -> list[Any]:
    found: list[Any] = []
    members: list[Any] = list(vars(cls).values())
    for member in members:
        found.append(member.__func__ if type(member) in (staticmethod, classmethod) else member)
    return found
