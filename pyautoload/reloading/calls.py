"""Which statements of a module call a given function when they run, directly or through other functions."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType

from pyautoload.reloading.facts import Facts
from pyautoload.reloading.functions import underlying
from pyautoload.reloading.kinds import contents, is_a
from pyautoload.reloading.statements import LAMBDA, Parsed, Statement, Uses, _collect, absolute_name

__all__ = ["CallSearch", "Function", "is_gone", "key_of", "members_of", "redirects"]

# A function by module and qualified name. Example: ("myapp.tools", "Slugger.clean")
Function = tuple[str, str]
_FOR_BASES = ("__init_subclass__", "__class_getitem__", "__set_name__")
_LIMIT = 4000
_CODE_KNOWS = sys.version_info >= (3, 11)
# How far dotted names are followed.
_DEPTH = 4
# What is called rather than run by being read.
_CALLABLE = (FunctionType, staticmethod, classmethod, type)


def key_of(function: FunctionType) -> Function:
    """The function at module or class level that a function is, or was made by.

    What ``functools.wraps`` says about a function is what it wraps; its code knows better.
    """
    module: str = function.__globals__.get("__name__", function.__module__)
    if _CODE_KNOWS:
        return module, function.__code__.co_qualname.partition(".<locals>")[0]  # type: ignore[attr-defined,unused-ignore]
    if "__wrapped__" in function.__dict__:
        return module, _maker_of(function)
    return function.__module__, function.__qualname__.partition(".<locals>")[0]


def _maker_of(function: FunctionType) -> str:
    """The function in whose code a function was made: Python 3.10 does not note that."""
    for name, value in list(function.__globals__.items()):
        if type(value) is FunctionType and _contains(value.__code__, function.__code__):
            return name
    return function.__qualname__.partition(".<locals>")[0]


def _contains(code: CodeType, inner: CodeType) -> bool:
    return any(
        const is inner
        or ((const.co_name, const.co_firstlineno) == (inner.co_name, inner.co_firstlineno) or _contains(const, inner))
        for const in code.co_consts
        if isinstance(const, CodeType)
    )


def members_of(cls: type) -> Function:
    """What stands, among functions, for which members a class has: ``("myapp.tools", "Slugger.*")``."""
    return cls.__module__, f"{cls.__qualname__}.*"


# Members that are notes about a class and change nothing that it does.
_NOTES = frozenset(
    {"__doc__", "__module__", "__qualname__", "__annotations__", "__annotate_func__", "__annotations_cache__"}
)


def redirects(cls: type, members: set[str]) -> bool:
    """Whether code that makes or uses instances may come to other functions, as these members came, went or changed."""
    for name in members - _NOTES:
        inherited = any(name in base.__dict__ for base in cls.__mro__[1:])
        if name[:2] == "__" or inherited or name not in cls.__dict__:
            return True
    return False


def is_gone(module: object, name: str) -> bool:
    """Whether the name of a function holds something else than a function: a decorator called it, it seems."""
    value = getattr(module, "__dict__", {}).get(name)
    return next(underlying(value), None) is None


class CallSearch:
    """Looks into the source of the functions involved, and resolves names by what is loaded.

    Args:
        parsed_of: the parsed source of a module, ``None`` for one that is not ours.
    """

    def __init__(self, parsed_of: Callable[[str], Parsed | None]) -> None:
        self._parsed_of = parsed_of
        # What the body of a function uses, looked up once. Example: {("myapp.tools", "slug"): Uses(...)}
        self._bodies: dict[Function, Uses | None] = {}
        # The same without functions within it.
        self._at_once: dict[Function, Uses | None] = {}

    def statements(self, module: str, targets: set[Function], parsed: Parsed | None = None) -> set[int]:
        """The indices of the statements of ``module`` that may call one of ``targets``.

        Args:
            module: the module's name.
            targets: the functions.
            parsed: the module's source, if another than what is loaded.
        """
        parsed = parsed or self._parsed_of(module)
        if parsed is None or not targets:
            return set()
        return {index for index, item in enumerate(parsed.statements) if self._calls(module, item, targets)}

    def reaches(self, function: Function, facts: Facts, values: Mapping[str, Iterable[str]], limit: int = 50) -> bool:
        """Whether a function comes to anything that has changed, or calls more than ``limit`` others on the way.

        Args:
            function: where to begin.
            facts: functions and classes that have changed.
            values: module → names that are bound to something else.
            limit: how many functions are followed.
        """
        walk = _Walk(self, set(facts.bodies), limit, facts, values)
        walk._add(function)
        return walk.run()

    def forget(self, module: str) -> None:
        """The source of a module is another one from now on."""
        for known in (self._bodies, self._at_once):
            for function in [function for function in known if function[0] == module]:
                del known[function]

    def _calls(self, module: str, item: Statement, targets: set[Function]) -> bool:
        if item.kind == "import" or not (item.uses.names or item.uses.called):
            return False
        walk = _Walk(self, targets)
        walk.code(module, item.uses)
        if item.kind == "class":
            walk.bases(module, item)
        elif item.kind == "def" and is_gone(sys.modules.get(module), item.name):
            walk._add((module, item.name))
        return walk.run()

    def at_once(self, function: Function) -> Uses | None:
        """What a function's body uses when it is called, functions that it defines left out."""
        if function not in self._at_once:
            scope = self._scope(function)
            uses = None if scope is None else Uses.none()
            for child in scope or ():
                assert uses is not None
                _collect(child, uses, None)
            self._at_once[function] = uses
        return self._at_once[function]

    def body(self, function: Function) -> Uses | None:
        """What a function's body uses, nested functions included."""
        if function not in self._bodies:
            self._bodies[function] = self._find(function)
        return self._bodies[function]

    def _find(self, function: Function) -> Uses | None:
        scope = self._scope(function)
        if scope is None:
            return None
        uses = Uses.none()
        for child in scope:
            _collect(child, uses, uses)
        return uses

    def _scope(self, function: Function) -> Sequence[ast.AST] | None:
        """The statements of a function's body."""
        parsed = self._parsed_of(function[0])
        if parsed is None:
            return None
        scope: list[ast.stmt] = [item.node for item in parsed.statements]
        for part in function[1].partition(".<locals>")[0].split("."):
            if part == LAMBDA:
                return _lambdas(scope)
            node = _definition(scope, part)
            if node is None:
                return None
            scope = getattr(node, "body", [])
        return scope


def _lambdas(scope: list[ast.stmt]) -> list[ast.expr]:
    """The bodies of a module's or class's lambdas, all together: they have no names to tell them apart."""
    return [node.body for statement in scope for node in ast.walk(statement) if isinstance(node, ast.Lambda)]


def _definition(scope: list[ast.stmt], name: str) -> ast.stmt | None:
    for node in scope:
        for child in ast.walk(node) if not hasattr(node, "name") else (node,):
            if getattr(child, "name", None) == name and isinstance(child, ast.stmt):
                return child
    return None


class _Walk:
    def __init__(
        self,
        search: CallSearch,
        targets: set[Function],
        limit: int = _LIMIT,
        facts: Facts | None = None,
        values: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self.search = search
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
        if self.found:
            return True
        while self.pending and len(self.seen) < self.limit:
            function = self.pending.pop()
            if function in self.targets:
                return True
            uses = self.search.body(function)
            if uses is not None:
                self._own_class(function)
                self.code(function[0], uses, self.search.at_once(function))
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
            self._add((module, LAMBDA))
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
            full = absolute_name(name, level, package)
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
                self._add((module, LAMBDA))
            for name in mentioned:
                value = names.get(name)
                if is_a(value, FunctionType):
                    self._call(value)
                for item in contents(value):
                    self._call(item)

    def bases(self, module: str, item: Statement) -> None:
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
            self._add(key_of(function))
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
                self._add(key)
                uses = self.search.body(key)
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

    def _add(self, function: Function) -> None:
        if function not in self.seen:
            self.seen.add(function)
            self.pending.append(function)
