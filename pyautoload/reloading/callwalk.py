"""From a piece of code to what it may call, directly or through other functions."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Mapping
from types import FunctionType, ModuleType

from pyautoload.relative_imports import absolute_module
from pyautoload.reloading.bodies import FunctionBodies
from pyautoload.reloading.facts import Facts
from pyautoload.reloading.functions import underlying
from pyautoload.reloading.identity import Function, key_of, members_of
from pyautoload.reloading.kinds import contents, is_a
from pyautoload.reloading.statements import Statement
from pyautoload.reloading.uses import LAMBDA, Uses

__all__ = ["CallWalk"]

_FOR_BASES = ("__init_subclass__", "__class_getitem__", "__set_name__")
_LIMIT = 4000
# How far dotted names are followed.
_DEPTH = 4
# What is called rather than run by being read.
_CALLABLE = (FunctionType, staticmethod, classmethod, type)


class CallWalk:
    """Follows what a piece of code may call, by what is loaded: too much rather than too little.

    Args:
        bodies: of the functions on the way.
        targets: the functions that are looked for.
        limit: how many functions are followed; if there are more, one of ``targets`` counts as found.
        facts: if given, classes that have changed count as found, too.
        values: module → names that are bound to something else, and count as found.
    """

    def __init__(
        self,
        bodies: FunctionBodies,
        targets: set[Function],
        limit: int = _LIMIT,
        facts: Facts | None = None,
        values: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self.bodies = bodies
        # If classes and values that have changed count, too: which.
        self.facts = facts
        self.values = values or {}
        self.limit = limit
        self.targets = targets
        self.pending: list[Function] = []
        self.seen: set[Function] = set()
        # Classes whose instances are made or used on the way: methods are looked up in them.
        self.classes: list[type] = []
        self.methods: set[str] = set()
        # Attributes that are read: those that are properties run code.
        self.attributes: set[str] = set()
        # Whether a class is used whose members come from elsewhere now, or a value that has changed.
        self.found = False
        # What the code on the way mentions, by module, until something is called that has no name there: then that
        # may be any of these.
        self.mentioned: list[tuple[str, set[str]]] = []
        self.calls_anything = False

    def run(self) -> bool:
        """Whether any of the targets is come to."""
        if self.found:
            return True
        while self.pending and len(self.seen) < self.limit:
            function = self.pending.pop()
            if function in self.targets:
                return True
            uses = self.bodies.whole(function)
            if uses is not None:
                self._own_class(function)
                self.code(function[0], uses, self.bodies.at_once(function))
                if self.found:
                    return True
        return bool(self.pending)  # too many to follow: assume the worst

    def code(self, module: str, uses: Uses, at_once: Uses | None = None) -> None:
        """Follow a piece of code.

        Args:
            module: where it stands.
            uses: what it uses, functions within it included.
            at_once: what it uses without waiting for those to be called; the same by default.
        """
        names = getattr(sys.modules.get(module), "__dict__", {})
        if uses.imports:
            names = {**names, **self._imported(uses, names.get("__package__"))}
        self._note_values(module, uses)
        for name in uses.called:
            self._call(names.get(name))
        if LAMBDA in uses.called:
            self.add((module, LAMBDA))
        self._members(uses)
        for name in uses.names:
            value = names.get(name)
            if is_a(value, ModuleType):
                self._module(value, uses)
            else:
                self._used(value)
        self.mentioned.append((module, uses.names))
        called = (at_once or uses).called - {LAMBDA}
        if not self.calls_anything and any(name not in names and not hasattr(builtins, name) for name in called):
            self.calls_anything = True
        if self.calls_anything:
            self._call_anything()

    def _imported(self, uses: Uses, package: object) -> dict[str, object]:
        """What the imports in a function stand for, as far as that is loaded."""
        found: dict[str, object] = {}
        for local, name, level, attribute in uses.imports:
            full = absolute_module(name, level, package if isinstance(package, str) else None) or ""
            module = sys.modules.get(full)
            if attribute is None:
                found[local] = module
            elif module is not None:
                found[local] = module.__dict__.get(attribute, sys.modules.get(f"{full}.{attribute}"))
                self.found = self.found or attribute in self.values.get(full, ())
        return found

    def _module(self, module: ModuleType, uses: Uses, depth: int = 0) -> None:
        """What is reached through a module, and modules in it: ``myapp.tools.slug()``."""
        names = module.__dict__
        self._note_values(module.__name__, uses)
        for method in uses.methods:
            self._call(names.get(method))
        for attribute in uses.names:
            value = names.get(attribute)
            if not is_a(value, ModuleType):
                self._used(value)
            elif depth < _DEPTH and value is not module:
                self._module(value, uses, depth + 1)

    def _note_values(self, module: str, uses: Uses) -> None:
        if module in self.values:
            self.found = self.found or not uses.names.isdisjoint(self.values[module])

    def _members(self, uses: Uses) -> None:
        for method in uses.methods - self.methods:
            self.methods.add(method)
            for cls in self.classes:
                self._method(cls, method)
        for name in uses.names - self.attributes:
            self.attributes.add(name)
            for cls in self.classes:
                self._property(cls, name)

    def _used(self, value: object) -> None:
        """A value is used, not called: its properties and operators may run."""
        if value is None or is_a(value, (FunctionType, ModuleType)):
            return
        self._class(value if is_a(value, type) else type(value), made=False)

    def _call_anything(self) -> None:
        """A parameter is called, or a variable: ``def call(f): return f()``."""
        while self.mentioned:
            module, mentioned = self.mentioned.pop()
            names = getattr(sys.modules.get(module), "__dict__", {})
            if LAMBDA in mentioned:
                self.add((module, LAMBDA))
            for name in mentioned:
                value = names.get(name)
                if is_a(value, FunctionType):
                    self._call(value)
                for item in contents(value):
                    self._call(item)

    def bases(self, module: str, item: Statement) -> None:
        """Follow what the base classes of a class statement run when it is executed."""
        names = getattr(sys.modules.get(module), "__dict__", {})
        assert isinstance(item.node, ast.ClassDef)
        for base in item.node.bases:
            value = names.get(base.id) if isinstance(base, ast.Name) else None
            if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
                owner = names.get(base.value.id)
                value = owner.__dict__.get(base.attr) if is_a(owner, (ModuleType, type)) else None
            if is_a(value, type):
                for method in _FOR_BASES:
                    self._method(value, method)
                if type(value) is not type:
                    self._class(type(value), made=True)

    def _call(self, value: object) -> None:
        if is_a(value, type):
            self._class(value, made=True)
            return
        for item in contents(value):
            if is_a(item, (type, FunctionType)):
                self._call(item)
        for function in underlying(value):
            self.add(key_of(function))
        if value is not None and not is_a(value, FunctionType):
            self._method(type(value), "__call__")

    def _class(self, cls: type, *, made: bool) -> None:
        if cls.__module__ == "builtins" or cls in self.classes:
            return
        self.classes.append(cls)
        for base in cls.__mro__:
            self.found = self.found or members_of(base) in self.targets
            if self.facts is not None and base.__qualname__ in self.facts.attributes.get(base.__module__, ()):
                self.found = True
            for name in [name for name in base.__dict__ if name[:2] == "__"] if base.__module__ != "builtins" else ():
                if made or name not in ("__init__", "__new__", "__post_init__"):
                    self._method(base, name)
        for method in self.methods:
            self._method(cls, method)
        for name in self.attributes:
            self._property(cls, name)

    def _method(self, cls: type, name: str) -> None:
        for base in cls.__mro__:
            if name not in base.__dict__:
                continue
            goes_on = False
            for function in underlying(base.__dict__[name]):
                key = key_of(function)
                self.add(key)
                uses = self.bodies.whole(key)
                goes_on = goes_on or (uses is not None and "super" in uses.called)
            if not goes_on:
                return

    def _property(self, cls: type, name: str) -> None:
        for base in cls.__mro__:
            if name in base.__dict__:
                member = base.__dict__[name]
                if not is_a(member, _CALLABLE) and any("__get__" in kind.__dict__ for kind in type(member).__mro__):
                    self._method(base, name)
                return

    def _own_class(self, function: Function) -> None:
        owner = getattr(sys.modules.get(function[0]), "__dict__", {}).get(function[1].partition(".")[0])
        if "." in function[1] and is_a(owner, type):
            self._class(owner, made=False)

    def add(self, function: Function) -> None:
        """Follow a function, too."""
        if function not in self.seen:
            self.seen.add(function)
            self.pending.append(function)
