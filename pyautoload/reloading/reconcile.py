"""Reconcile: old objects keep their identity and take the content of the new ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from pyautoload.reloading.classes import ClassMerge
from pyautoload.reloading.codediff import same_code
from pyautoload.reloading.functions import CACHED
from pyautoload.reloading.journal import MISSING, Journal
from pyautoload.reloading.kinds import held_by, is_a, is_proxy

__all__ = ["Reconciler", "same_value"]

_ATOMS = (int, str, bytes, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented))


def same_value(old: Any, new: Any, depth: int = 0) -> bool:
    """Whether nobody who used ``old`` could tell ``new`` from it."""
    if old is new:
        return True
    kind = type(old)
    if kind is not type(new) or depth > 20:
        return False
    if kind in _ATOMS:
        return repr(old) == repr(new) if kind in (float, complex) else bool(old == new)
    if kind in (tuple, list):
        return len(old) == len(new) and all(same_value(a, b, depth + 1) for a, b in zip(old, new, strict=True))
    if kind is dict:
        return list(old) == list(new) and all(same_value(old[key], new[key], depth + 1) for key in old)
    if kind in (set, frozenset):
        return bool(old == new) and {type(item) for item in old} == {type(item) for item in new}
    if is_a(old, (type, FunctionType)) or getattr(kind, "__eq__", None) is object.__eq__ or is_proxy(kind):
        return False
    if held_by(old).keys() != held_by(new).keys():
        return False  # of a class that has got or lost a field
    try:
        return bool(old == new)
    except Exception:  # noqa: BLE001 - a user's __eq__ may do anything; then the values count as different
        return False


class Reconciler:
    """Merges new objects into old ones, for one module.

    Args:
        journal: remembers how to take it back.
        module: the module's name: objects of other modules are left alone.
    """

    def __init__(self, journal: Journal, module: str) -> None:
        self.journal = journal
        self.module = module
        # Functions whose behaviour changed, by qualified name. Example: {"User.greet", "helper"}
        self.bodies: set[str] = set()
        # Class → names of its attributes that changed. Example: {"User": {"greet", "TIMEOUT"}}
        self.attributes: dict[str, set[str]] = {}
        # Classes that could not be updated in place: old and new.
        self.replaced: list[tuple[type, type]] = []
        # What was merged already: (id(old), id(new)) → result; keeps both alive, so that ids stay theirs.
        self._done: dict[tuple[int, int], tuple[Any, Any, Any]] = {}

    def merged(self, old: Any, new: Any) -> Any:
        """What should be bound where ``old`` was and the new code made ``new``."""
        if old is new or old is MISSING:
            return new
        if type(old) is FunctionType and type(new) is FunctionType and _is_twin(old, new):
            return old
        key = (id(old), id(new))
        if key in self._done:
            return self._done[key][2]
        self._done[key] = (old, new, old)
        result = self._merge(old, new)
        self._done[key] = (old, new, result)
        return result

    def _merge(self, old: Any, new: Any) -> Any:
        if type(old) is FunctionType and type(new) is FunctionType:
            return old if self._function(old, new) else new
        if is_a(old, type) and is_a(new, type):
            return self._class(old, new)
        if type(old) is type(new):
            merge = self._descriptor_merge(new)
            if merge is not None:
                return merge(old, new)
        return old if same_value(old, new) else new

    def _class(self, old: type, new: type) -> type:
        if new.__module__ != self.module or old.__module__ != self.module or new.__qualname__ != old.__qualname__:
            return new
        merge = ClassMerge(self, old, new)
        if merge.in_place():
            return old
        self.replaced.append((old, new))
        return new

    # Functions

    def _function(self, old: FunctionType, new: FunctionType) -> bool:
        if old.__globals__ is not new.__globals__ or old.__code__.co_freevars != new.__code__.co_freevars:
            return False
        if (old.__module__, old.__qualname__) != (new.__module__, new.__qualname__):
            return False  # another function under the same name must not take over the identity of this one
        if (old.__code__.co_filename, old.__code__.co_name) != (new.__code__.co_filename, new.__code__.co_name):
            return False
        changed = not same_code(old.__code__, new.__code__)
        set_attribute = self.journal.set_attribute
        if old.__code__ is not new.__code__:
            set_attribute(old, "__code__", new.__code__)
        for name in ("__defaults__", "__kwdefaults__"):
            if not same_value(getattr(old, name), getattr(new, name)):
                set_attribute(old, name, getattr(new, name))
                changed = True
        for name in ("__doc__", "__name__", "__qualname__", "__module__"):
            if getattr(old, name) != getattr(new, name):
                set_attribute(old, name, getattr(new, name))
        self._annotations(old, new)
        changed = self._attributes_of(old.__dict__, new.__dict__) or changed
        changed = self._cells(old, new) or changed
        if changed:
            self.bodies.add(new.__qualname__)
        return True

    def _annotations(self, old: FunctionType, new: FunctionType) -> None:
        annotate = getattr(new, "__annotate__", None)
        if annotate is not None:
            self.journal.set_attribute(old, "__annotate__", annotate)
        elif old.__annotations__ != new.__annotations__:
            self.journal.set_attribute(old, "__annotations__", new.__annotations__)

    def _attributes_of(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Attributes set on a function, ``__wrapped__`` among them; those set from elsewhere stay."""
        changed = False
        for name, value in new.items():
            before = old.get(name, MISSING)
            result = self.merged(before, value)
            if result is not before:
                self.journal.set_item(old, name, result)
                changed = True
        return changed

    def _cells(self, old: FunctionType, new: FunctionType) -> bool:
        changed = False
        for name, mine, theirs in zip(
            old.__code__.co_freevars, old.__closure__ or (), new.__closure__ or (), strict=True
        ):
            if name in ("__class__", "__classdict__") or mine is theirs:
                continue
            before, value = _content(mine), _content(theirs)
            if value is MISSING:
                continue
            result = self.merged(before, value)
            if result is not before:
                self.journal.set_cell(mine, result)
                changed = True
        return changed

    # What wraps functions

    def _descriptor_merge(self, new: object) -> Callable[[Any, Any], Any] | None:
        if is_a(new, (staticmethod, classmethod)):
            return self._method_wrapper
        if is_a(new, property):
            return self._property
        if is_a(new, functools.cached_property):
            return self._cached_property
        if is_a(new, CACHED):
            return self._cache
        return None

    def _method_wrapper(self, old: Any, new: Any) -> Any:
        function = self.merged(old.__func__, new.__func__)
        return old if function is old.__func__ else type(new)(function)

    def _property(self, old: property, new: property) -> property:
        parts = [self.merged(getattr(old, name), getattr(new, name)) for name in ("fget", "fset", "fdel")]
        if all(part is getattr(old, name) for part, name in zip(parts, ("fget", "fset", "fdel"), strict=True)):
            return old
        if type(new) is not property:
            return new
        getter, setter, deleter = parts
        return property(getter, setter, deleter, new.__doc__)

    def _cached_property(self, old: Any, new: Any) -> Any:
        return old if self.merged(old.func, new.func) is old.func and old.attrname == new.attrname else new

    def _cache(self, old: Any, new: Any) -> Any:
        """A function under ``lru_cache`` stays; the answers of the old code go."""
        inner = getattr(old, "__wrapped__", None)
        if old.cache_parameters() != new.cache_parameters() or inner is None:
            return new
        if self.merged(inner, new.__wrapped__) is not inner:
            return new
        old.cache_clear()
        return old


def _is_twin(old: FunctionType, new: FunctionType) -> bool:
    """Whether a function was merely made again: the same code, nothing else to it. Most are, in a dependent."""
    return (
        old.__code__ is new.__code__
        and not new.__closure__
        and not new.__dict__
        and old.__globals__ is new.__globals__
        and old.__kwdefaults__ is None
        and new.__kwdefaults__ is None
        and (old.__defaults__ is new.__defaults__ or same_value(old.__defaults__, new.__defaults__))
        and old.__annotations__ == new.__annotations__
        and old.__doc__ == new.__doc__
    )


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
