"""Class statements: ``class K`` runs as in a fresh process, then the old ``K`` takes everything that the new one has.

It is the old one that decorators, subclasses and registries get to see.
"""

from __future__ import annotations

import abc
import builtins
import enum
import functools
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from pyautoload.reloading.applying.takeover.class_attributes import ClassAttributes
from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.takeover_state import TakeoverState
from pyautoload.reloading.code.nested import is_deferred
from pyautoload.reloading.objects.adapters import adapted, refusal
from pyautoload.reloading.objects.class_identity import SET_CLASS, absorb, fits, retire
from pyautoload.reloading.objects.heap import living_objects
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.objects.reconcile import Reconciler
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.restart import RestartNeeded

__all__ = ["ClassStatements"]


class ClassStatements:
    """Brings old and new classes together, for all modules that one reload runs again."""

    def __init__(self, state: TakeoverState, attributes: ClassAttributes) -> None:
        self._state = state
        self._attributes = attributes
        # (module, qualified name) → old class, where there is one of that name and one statement that makes it.
        self._waiting: dict[tuple[str, str], type] = {}
        # New classes whose content an old one has taken, but that somebody may hold: old and new.
        self._leaked: list[tuple[type, type]] = []
        # Module, old class, and the new one whose content it cannot take.
        self._unfit: list[tuple[str, type, type]] = []
        # Classes that statements made.
        self._created: list[type] = []
        # The thread in which the modules run.
        self._thread = 0

    def expect(self, name: str, former: FormerModule, code: CodeType) -> None:
        """The code of a module is about to run again.

        Args:
            name: of the module.
            former: what it was.
            code: what will run.
        """
        once = {qualname for qualname, number in _class_statements(code).items() if number == 1}
        found: dict[str, list[type]] = {}
        for cls in former.classes:
            found.setdefault(cls.__qualname__, []).append(cls)
        for qualname, classes in found.items():
            if qualname in once and len(classes) == 1:
                self._waiting[(name, qualname)] = classes[0]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """As long as this lasts, class statements of this thread give the old class where there is one."""
        original = builtins.__build_class__
        self._thread = threading.get_ident()

        def build(body: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
            if threading.get_ident() == self._thread:
                self._check(body)
            new = original(body, name, *bases, **keywords)
            if threading.get_ident() != self._thread or not isinstance(new, type):
                return new
            return self._made(body, new)

        builtins.__build_class__ = build
        try:
            yield
        finally:
            builtins.__build_class__ = original

    def _check(self, body: FunctionType) -> None:
        module = body.__globals__.get("__name__", "")
        old = self._waiting.get((module, getattr(body, "__qualname__", "")))
        reason = refusal(old) if old is not None else None
        if reason is not None:
            raise RestartNeeded(module, reason)

    def _made(self, body: FunctionType, new: type) -> type:
        name = body.__globals__.get("__name__", "")
        if any(name.partition(".")[0] == former.partition(".")[0] for former in self._state.formers):
            self._created.append(new)  # not those of a library that is imported meanwhile, and stays
        self._state.changes.attribute("__subclasses__")
        old = self._waiting.pop((name, new.__qualname__), None)
        if old is None or new.__module__ != name:
            return new
        self._state.body_names[old] = body.__code__.co_names
        if not fits(old, new):
            self._unfit.append((name, old, new))  # a decorator may make a class of it that fits
            return new
        return self._taken(self._state.reconciler(name), old, new)

    def _taken(self, reconciler: Reconciler, old: type, new: type) -> type:
        """The old class with the content of the new one; the new one where that is not possible."""
        _check_fields(reconciler.module, old, new)
        self._state.members_before[old] = dict(vars(old))
        is_known = _may_be_known(new)
        result: type = reconciler.merged(old, new)
        if result is old:
            self._state.merged[id(new)] = (new, old)
            adapted(old, new, self._state.journal)
            if is_known:
                self._leaked.append((old, new))
            self._attributes.settle_at_once(reconciler.module, old)
        else:
            self._give_way(reconciler, old, new)
        return result

    def standing(self, classes: Iterable[type]) -> tuple[type, ...]:
        """Those that stand for classes which the code has made: where an old one took their content, that one."""
        found = [self._state.merged[id(cls)][1] if id(cls) in self._state.merged else cls for cls in classes]
        return tuple({id(cls): cls for cls in found}.values())

    def _give_way(self, reconciler: Reconciler, old: type, new: type) -> None:
        """The new class stands for the old one from now on."""
        self._state.members_before.setdefault(old, dict(vars(old)))
        self._state.successors[id(old)] = new
        self._state.replaced.append((old, new))
        self._state.changes.name(reconciler.module, new.__qualname__.partition(".")[0])

    def settle(self, former: FormerModule, names: dict[str, Any], reconciler: Reconciler) -> None:
        """Classes that no statement made under their name: by a decorator, ``type()``, ``namedtuple()``."""
        for name, new in list(names.items()):
            old = former.names.get(name, MISSING)
            if old is new or not is_a(new, type) or not is_a(old, type) or id(old) in self._state.successors:
                continue
            if new.__qualname__ != old.__qualname__ or name in former.imported:
                continue
            if not any(old is cls for cls in former.classes):
                continue
            if new.__module__ != reconciler.module or old in self._state.members_before:
                continue
            if (reason := refusal(old)) is not None:
                raise RestartNeeded(reconciler.module, reason)
            if any(new is item for _, _, item in self._unfit):
                self._give_way(reconciler, old, new)  # it did not fit when it was made, and others have it by now
            elif self._taken(reconciler, old, new) is old:
                names[name] = old
                self._leaked.append((old, new))
                _move(new, old)
        for module, old, new in self._unfit:
            if module == reconciler.module and old not in self._state.members_before:
                self._give_way(reconciler, old, new)

    def absorb(self) -> None:
        """Put the old class where a metaclass or ``__init_subclass__`` has put the new one."""
        leaked = list(self._leaked)
        self._leaked.clear()
        if leaked:
            absorb(leaked, self._state.journal)

    def give_up(self) -> bool:
        """Everything is put back: what was made meanwhile is nobody's subclass.

        Returns:
            Whether that is not so of some of it until the garbage collector comes by.
        """
        lingers = [cls for cls in self._created if not retire(cls, Journal())]
        self.release()
        return bool(lingers)

    def release(self) -> None:
        """Do not keep alive what was made: an exception may hold the frames of a reload for long."""
        self._waiting.clear()
        self._leaked.clear()
        self._unfit.clear()
        self._created.clear()


def _class_statements(code: CodeType, prefix: str = "") -> Counter[str]:
    """Qualified name → how many statements at import time make a class of it."""
    found: Counter[str] = Counter()
    for const in code.co_consts:
        if isinstance(const, CodeType) and not is_deferred(const):
            if const.co_name.startswith("<"):
                found += _class_statements(const, prefix)
                continue
            name = prefix + const.co_name
            found[name] += 1
            found += _class_statements(const, f"{name}.")
    return found


def _move(new: type, old: type) -> None:
    """Objects that were made meanwhile, and subclasses, of the class that gave its content away."""
    for item in living_objects():
        if type(item) is new:
            try:
                SET_CLASS(item, old)
            except TypeError:
                continue
    children: list[type] = type.__subclasses__(new)
    for child in children:
        try:
            child.__bases__ = tuple(old if base is new else base for base in child.__bases__)
        except TypeError:
            continue


def _check_fields(module: str, old: type, new: type) -> None:
    """Named tuples that live cannot get the fields of a new definition."""
    fields = getattr(old, "_fields", None)
    if not issubclass(old, tuple) or fields == getattr(new, "_fields", None):
        return
    alive = sum(1 for item in living_objects() if type(item) is old)
    if alive:
        raise RestartNeeded(module, f"{alive} living {old.__qualname__} cannot get the fields of the new definition")


# Metaclasses that keep no class anywhere but in its own members.
_KEEP_NOTHING = (type, abc.ABCMeta, enum.EnumMeta)


def _may_be_known(cls: type) -> bool:
    """Whether somebody may have got hold of a class while it was made: its metaclass, a base class, a descriptor."""
    if type(cls) not in _KEEP_NOTHING:
        return True
    if any("__init_subclass__" in vars(base) for base in cls.__mro__[1:-1]):
        return True
    return any(hasattr(type(value), "__set_name__") for value in list(vars(cls).values()) if not _is_common(value))


def _is_common(value: object) -> bool:
    return type(value) in (FunctionType, property, functools.cached_property, staticmethod, classmethod)
