"""Reconcile: old objects keep their identity and take the content of the new ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

from pyautoload.reloading.code.codediff import call_shape, same_code
from pyautoload.reloading.objects.class_identity import ClassMerge
from pyautoload.reloading.objects.functions import CACHED
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.objects.safe_inspection import held_by, is_a, is_proxy

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
        # Functions that look otherwise, by qualified name: not in their code alone. Example: {"User.greet", "helper"}
        self.bodies: set[str] = set()
        # Class → names of its attributes that changed. Example: {"User": {"greet", "TIMEOUT"}}
        self.attributes: dict[str, set[str]] = {}
        # Whether a class that was made is still a subclass of others, until the garbage collector comes by.
        self.lingers = False
        # Classes that could not be updated in place: old and new.
        self.replaced: list[tuple[type, type]] = []
        # The code that functions ran which do something else now.
        self.codes: list[CodeType] = []
        # What was merged already: (id(old), id(new)) → result; keeps both alive, so that ids stay theirs.
        self._done: dict[tuple[int, int], tuple[Any, Any, Any]] = {}

    def merged(self, old: Any, new: Any) -> Any:
        """What should be bound where ``old`` was and the new code made ``new``."""
        if old is new or old is MISSING:
            return new
        key = (id(old), id(new))
        if key in self._done:
            return self._done[key][2]
        if type(old) is FunctionType and type(new) is FunctionType and _is_twin(old, new):
            return old
        self._done[key] = (old, new, old)
        result = self._merge(old, new)
        self._done[key] = (old, new, result)
        return result

    def holds(self, old: Any, new: Any) -> int:
        """How many references to the new one there are only because it was merged."""
        return (id(old), id(new)) in self._done

    def prefer(self, old: Any, new: Any) -> None:
        """From now on the new one is bound where the old one was, in all that is still to be merged."""
        self._done[id(old), id(new)] = (old, new, new)

    def _merge(self, old: Any, new: Any) -> Any:
        if type(old) is FunctionType and type(new) is FunctionType:
            return old if self._function(old, new) else new
        if is_a(old, type) and is_a(new, type):
            return self._class(old, new)
        if type(old) is type(new):
            merge = self._descriptor_merge(new)
            if merge is not None:
                return merge(old, new)
        return new

    def _class(self, old: type, new: type) -> type:
        if new.__module__ != self.module or new.__qualname__ != old.__qualname__:
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
        before = old.__code__
        # Whether it looks otherwise to who does not call it: decorators, frameworks, readers of signatures.
        looks = call_shape(before) != call_shape(new.__code__)
        changed = not same_code(before, new.__code__)
        set_attribute = self.journal.set_attribute
        if old.__code__ is not new.__code__:
            set_attribute(old, "__code__", new.__code__)
        for name in ("__defaults__", "__kwdefaults__"):
            mine, theirs = getattr(old, name), getattr(new, name)
            if mine is not theirs:
                set_attribute(old, name, theirs)
                looks = looks or not same_value(mine, theirs)
        for name in ("__doc__", "__name__", "__qualname__", "__module__", "__type_params__"):
            mine, theirs = getattr(old, name, MISSING), getattr(new, name, MISSING)
            if mine is not theirs and (name == "__type_params__" or mine != theirs):
                set_attribute(old, name, theirs)
                looks = looks or name != "__type_params__" or bool(theirs)
        looks = self._annotations(old, new) or looks
        looks = self._attributes_of(old.__dict__, new.__dict__) or looks
        looks = self._cells(old, new) or looks
        if looks:
            self.bodies.add(new.__qualname__)
        if looks or changed:
            self.codes.append(before)
        return True

    def _annotations(self, old: FunctionType, new: FunctionType) -> bool:
        annotate, known = getattr(new, "__annotate__", None), getattr(old, "__annotate__", None)
        if annotate is not None:
            self.journal.set_attribute(old, "__annotate__", annotate)
            return known is None or not same_code(known.__code__, annotate.__code__)
        if known is None and not (old.__annotations__ or new.__annotations__):
            return False
        if known is None and _same_annotations(old.__annotations__, new.__annotations__):
            return False  # the dict stays: ``functools.wraps`` has given it to others
        before = repr(old.__annotations__)
        self.journal.set_attribute(old, "__annotations__", new.__annotations__)
        return before != repr(new.__annotations__)

    def _attributes_of(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Attributes set on a function, ``__wrapped__`` among them."""
        changed = False
        for name in [name for name in old if name not in new]:
            self.journal.set_item(old, name, MISSING)
            changed = True
        for name, value in new.items():
            before = old.get(name, MISSING)
            result = self.merged(before, value)
            if result is not before:
                self.journal.set_item(old, name, result)
                changed = changed or not same_value(before, result)
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
                changed = changed or not same_value(before, result)
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
        if function is not old.__func__:
            return type(new)(function)
        self._take_attributes(old, new)
        return old

    def _property(self, old: property, new: property) -> property:
        parts = [self.merged(getattr(old, name), getattr(new, name)) for name in ("fget", "fset", "fdel")]
        same = all(part is getattr(old, name) for part, name in zip(parts, ("fget", "fset", "fdel"), strict=True))
        if same and old.__doc__ == new.__doc__:
            return old
        if type(new) is not property:
            return new
        getter, setter, deleter = parts
        return property(getter, setter, deleter, new.__doc__)

    def _cached_property(self, old: Any, new: Any) -> Any:
        function = self.merged(old.func, new.func)
        if function is not old.func or old.attrname != new.attrname or old.__doc__ != new.__doc__:
            self.journal.set_attribute(new, "func", function)
            return new
        return old

    def _take_attributes(self, old: Any, new: Any) -> None:
        """What ``functools.update_wrapper`` has copied from the function: its name, its docstring."""
        mine = held_by(old)
        for name, value in held_by(new).items():
            known = mine.get(name, MISSING)
            same = _same_annotations if name == "__annotations__" else same_value
            if name != "__wrapped__" and not same(known, value):
                self.journal.set_item(mine, name, value)

    def _cache(self, old: Any, new: Any) -> Any:
        """A function under ``lru_cache`` stays; the answers of the old code go."""
        inner = getattr(old, "__wrapped__", None)
        if old.cache_parameters() != new.cache_parameters() or inner is None:
            return new
        if self.merged(inner, new.__wrapped__) is not inner:
            return new
        self._take_attributes(old, new)
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
        and not old.__dict__
        and not getattr(new, "__type_params__", ())
        and _same_annotations(old.__annotations__, new.__annotations__)
        and old.__doc__ == new.__doc__
    )


def _same_annotations(old: Any, new: Any) -> bool:
    """Whether they say the same: hints of ``typing`` are other objects each time, and equal."""
    return old is new or same_value(old, new) or (repr(old) == repr(new) and bool(old == new))


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
