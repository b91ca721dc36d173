"""Which functions import-time code may have called, followed by what functions mention in their code."""

from __future__ import annotations

import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.codeimports import late_imports
from pyautoload.reloading.functions import underlying
from pyautoload.reloading.identity import Function, key_of, members_of
from pyautoload.reloading.kinds import contents, is_a, leads_nowhere
from pyautoload.reloading.nested import names_in
from pyautoload.reloading.records import Records

__all__ = ["CallTrace"]


class CallTrace:
    """Follows what may be called from a set of values, by what functions mention: too much rather than too little.

    Args:
        records: of the loaded modules; what others define is not followed.
        attributes: names that import-time code asks objects for.
    """

    def __init__(self, records: Records, attributes: set[str]) -> None:
        self.records = records
        # What was come to. Example: {("myapp.tools", "slug"), ("myapp.tools", "Slugger.*")}
        self.found: set[Function] = set()
        # Names that any of the code mentions: members of these names may be what it calls.
        self.attributes = attributes
        # Classes whose instances may be used on the way.
        self.classes: list[type] = []
        self._seen: set[int] = set()

    def visit(self, value: object) -> None:
        """Follow what may be called through a value."""
        kind = type(value)
        if leads_nowhere(value) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if issubclass(kind, ModuleType):
            return
        if is_a(value, type):
            self._class(value)
        elif kind.__module__ in self.records:
            self._class(kind)
        for item in contents(value):
            self.visit(item)
        for function in underlying(value):
            self._function(function)

    def visit_chain(self, value: object, rest: tuple[str, ...]) -> None:
        """Follow what may be called through a dotted name that begins at a value."""
        for attribute in rest:
            if not is_a(value, ModuleType):
                return
            value = value.__dict__.get(attribute)
            self.visit(value)

    def _class(self, cls: type) -> None:
        for base in cls.__mro__:
            if base.__module__ not in self.records or members_of(base) in self.found:
                continue
            self.found.add(members_of(base))
            self.classes.append(base)
            for name, member in list(base.__dict__.items()):
                if name in self.attributes or (name[:2] == "__" and name not in ("__dict__", "__weakref__")):
                    self._member(member)
        meta = type(cls)
        if meta is not type and meta.__module__ in self.records:
            self.visit(meta)

    def _member(self, member: object) -> None:
        for function in underlying(member):
            self._function(function)

    def _mention(self, names: set[str]) -> None:
        fresh = names - self.attributes
        self.attributes |= fresh
        for cls in list(self.classes):
            members = cls.__dict__
            for name in fresh:
                if name in members:
                    self._member(members[name])

    def _function(self, function: FunctionType) -> None:
        key = key_of(function)
        if id(function.__code__) in self._seen or key[0] not in self.records:
            return
        self._seen.add(id(function.__code__))
        self.code(function.__code__, function.__globals__, key)

    def code(self, code: CodeType, scope: dict[str, Any], key: Function) -> None:
        """Follow what the code of a function mentions."""
        self.found.add(key)
        names = names_in(code)
        self._mention(names)
        for module, attribute, _ in late_imports(code, scope.get("__package__") or ""):
            if module in self.records and attribute is not None:
                self.visit(sys.modules[module].__dict__.get(attribute) if module in sys.modules else None)
        for name in names:
            value = scope.get(name)
            if is_a(value, ModuleType):
                if value.__name__ in self.records:
                    for attribute in names:
                        self.visit(value.__dict__.get(attribute))
            else:
                self.visit(value)
        owner = scope.get(key[1].partition(".")[0])
        if is_a(owner, type):
            self._class(owner)
