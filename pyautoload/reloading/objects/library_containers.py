"""Lists, dicts and sets of libraries, and of Python, into which a module enters things while it is imported.

When its code runs again, it enters them again: ``log.addHandler(handler)`` would be there twice. What came in on top of
what was there is compared with that: an entry that stands for an earlier one takes its place, or leaves it to it.
"""

from __future__ import annotations

import os
import weakref
from types import FunctionType, MethodType, ModuleType
from typing import Any

from pyautoload.reloading.objects.exit_functions import ExitFunctions
from pyautoload.reloading.objects.heap import is_immortal
from pyautoload.reloading.objects.journal import Journal
from pyautoload.reloading.objects.safe_inspection import held_by, is_a
from pyautoload.reloading.objects.value_comparison import Comparison
from pyautoload.reloading.objects.values import ATOMS, shape_of

__all__ = ["LibraryContainers"]

# Larger ones are caches, and not what somebody registers with.
_LARGEST = 5000
# Modules of the standard library that hold nothing that others change, and large ones that only look so.
_QUIET = frozenset(
    {
        *("typing", "dataclasses", "enum", "abc", "functools", "itertools", "collections", "re", "json", "datetime"),
        *("math", "pathlib", "uuid", "decimal", "fractions", "types", "inspect", "ast", "dis", "builtins", "operator"),
        *("string", "textwrap", "time", "contextlib", "random", "hashlib", "base64", "io", "copy", "traceback"),
        *("numpy", "pandas", "__future__", "typing_extensions", "linecache", "tokenize", "asyncio", "importlib"),
    }
)
_NOT_THESE = frozenset({"modules", "path_importer_cache", "meta_path", "path_hooks"})


class LibraryContainers:
    """What containers of others held before modules ran again.

    Args:
        journal: remembers how to take it back.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        journal.note(self.put_back)
        # id of a container → the container, and a copy of what it held.
        self._known: dict[int, tuple[Any, Any]] = {}
        # id of a module of others → the module, and what its names were.
        self._attributes: dict[int, tuple[ModuleType, dict[str, Any]]] = {}
        self._at_exit = ExitFunctions()
        # What `reconcile` was told.
        self._twins: dict[int, tuple[Any, Any, Any]] = {}
        self._dead: dict[int, Any] = {}
        # Module → names of libraries that hold a function or class of it → library.
        # Example: {"myapp.patches": {"which": "shutil"}}
        self.own: dict[str, dict[str, str]] = {}

    def look_before(self, names: dict[str, Any], managed: frozenset[str]) -> None:
        """A module is about to run again.

        Args:
            names: its dict.
            managed: top-level names of what is managed: modules of that kind run again themselves where needed.
        """
        for value in list(names.values()):
            if is_a(value, ModuleType):
                name = value.__name__
                if name.partition(".")[0] in managed:
                    continue
                self._attributes.setdefault(id(value), (value, dict(value.__dict__)))
                self._note_own(names.get("__name__", ""), value)
                if name.partition(".")[0] in _QUIET:
                    continue
                for key, held in list(value.__dict__.items()):
                    if key[:2] != "__" and key not in _NOT_THESE:
                        self._note(held)
                if value is os:
                    self._note(held_by(os.environ).get("_data"))
            elif not is_a(value, (type, FunctionType)) and type(value) not in ATOMS:
                for held in list(held_by(value).values()):
                    self._note(held)

    def _note_own(self, module: str, library: ModuleType) -> None:
        """Find what a module has put into a library under a name of its own or of that."""
        for name, value in list(library.__dict__.items()):
            if is_a(value, (FunctionType, type)) and getattr(value, "__module__", None) == module:
                self.own.setdefault(module, {})[name] = library.__name__

    def _note(self, container: Any) -> None:
        kind = type(container)
        if kind not in (list, dict, set) or id(container) in self._known or len(container) > _LARGEST:
            return
        copy = kind(container)
        self._known[id(container)] = (container, copy)
        self.journal.note(lambda: _put_back(container, copy))

    def replaced(self) -> dict[str, str]:
        """Names of modules of others that have been bound anew: name → module."""
        found = {}
        for module, before in self._attributes.values():
            for name, value in module.__dict__.items():
                if name in before and before[name] is not value and is_a(value, (FunctionType, type, MethodType)):
                    found[name] = module.__name__
        return found

    def put_back(self) -> None:
        """Bind the names of modules of others as they were; exit functions that have come go."""
        self._at_exit.put_back()
        for module, before in self._attributes.values():
            for name, value in list(module.__dict__.items()):
                if name in before and before[name] is not value and is_a(value, (FunctionType, type, MethodType)):
                    setattr(module, name, before[name])

    def reconcile(self, twins: dict[int, tuple[Any, Any, Any]], dead: dict[int, Any]) -> None:
        """Everything has run: leave each entry once.

        Args:
            twins: id of an old or a new object → old, new, and the one of them that stays.
            dead: id → functions and classes that are not there any more.
        """
        for container, before in self._known.values():
            kind = type(container)
            if kind is list:
                _settle_list(container, before, twins, dead)
            elif kind is set:
                _settle_set(container, before, twins, dead)
            else:
                _settle_dict(container, before, twins, dead)
        self._twins, self._dead = twins, dead

    def release(self) -> None:
        """Do not keep alive what containers held."""
        for known in (self._known, self._attributes, self._twins, self._dead):
            known.clear()

    def finish(self) -> None:
        """Nothing is put back any more: exit functions, which cannot be, are there once."""
        self._at_exit.settle(self._twins, lambda function: _is_dead(function, self._dead))
        for item in list(self._dead.values()):
            _tell_weak_references(item)


def _tell_weak_references(dead: Any) -> None:
    """Let those that hold what has gone weakly know it, where it is never freed.

    Without a GIL Python 3.13 makes functions and classes immortal once a second thread has been started.
    """
    if not is_immortal(dead):
        return
    own = dead.__dict__.values() if is_a(dead, type) else ()
    for item in (dead, *(value for value in own if is_a(value, FunctionType))):
        for reference in weakref.getweakrefs(item):
            if reference.__callback__ is not None:
                reference.__callback__(reference)


def _put_back(container: Any, copy: Any) -> None:
    """Let a container hold again what it held; one that holds it is left alone, as the order of a set would change."""
    if type(container) is list:
        container[:] = copy
    elif type(container) is set:
        if {id(item) for item in container} != {id(item) for item in copy}:
            container.clear()
            container.update(copy)
    elif not _are_same(container, copy):
        container.clear()
        container.update(copy)


def _are_same(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    if len(one) != len(other):
        return False
    pairs = zip(one.items(), other.items(), strict=True)
    return all(key is key_there and value is value_there for (key, value), (key_there, value_there) in pairs)


def _settle_list(
    container: list[Any], before: list[Any], twins: dict[int, tuple[Any, Any, Any]], dead: dict[int, Any]
) -> None:
    if len(container) == len(before) and all(a is b for a, b in zip(container, before, strict=True)):
        kept = [item for item in container if not _is_dead(item, dead)]
        if len(kept) != len(container):
            container[:] = kept
        return
    former = {id(item) for item in before}
    count = dict.fromkeys(former, 0)
    result: list[Any] = []
    for item in container:
        if _is_dead(item, dead):
            continue
        if id(item) in former:
            count[id(item)] += 1
            if count[id(item)] <= sum(1 for other in before if other is item):
                result.append(item)
            continue
        place = _earlier(item, before, twins)
        if place is None:
            result.append(item)
        elif place[1] is item:
            result = [item if other is place[0] else other for other in result]
    container[:] = result


def _is_dead(item: Any, dead: dict[int, Any]) -> bool:
    """Whether an entry is a function or a class that is gone, an object of such a class, or a method of one."""
    if id(item) in dead or id(type(item)) in dead:
        return True
    return is_a(item, MethodType) and (id(item.__func__) in dead or id(type(item.__self__)) in dead)


def _earlier(item: Any, before: Any, twins: dict[int, tuple[Any, Any, Any]]) -> tuple[Any, Any] | None:
    """The entry that was there already for what has come, and which of the two stays."""
    twin = twins.get(id(item))
    if twin is not None and any(other is twin[0] for other in before):
        return twin[0], twin[2]
    for other in before:
        if type(other) is type(item) and id(other) not in twins and Comparison().same(shape_of(other), item):
            return other, other
    return None


def _settle_set(
    container: set[Any], before: set[Any], twins: dict[int, tuple[Any, Any, Any]], dead: dict[int, Any]
) -> None:
    former = {id(item) for item in before}
    for item in list(container):
        if _is_dead(item, dead):
            container.discard(item)
        elif id(item) not in former and (place := _earlier(item, before, twins)) is not None:
            container.discard(place[0] if place[1] is item else item)


def _settle_dict(
    container: dict[Any, Any], before: dict[Any, Any], twins: dict[int, tuple[Any, Any, Any]], dead: dict[int, Any]
) -> None:
    for key, value in list(container.items()):
        if _is_dead(value, dead) or _is_dead(key, dead):
            del container[key]
            continue
        if key in before:
            continue
        twin = twins.get(id(key))
        if twin is not None and twin[0] in before:
            if twin[2] is twin[1]:
                container.pop(twin[0], None)
            else:
                container[twin[0]] = container.pop(key)
