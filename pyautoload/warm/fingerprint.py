"""The fingerprint of modules: what they hold, in words that are the same in every process that has loaded the same.

A path (``shop.order.Order.total#code``) stands for each thing, a short text for what it is. Functions and classes of
these modules are described where they are defined, and named everywhere else, with a mark where the name leads to
another object than the one that is held: an old class in a registry is found so. Nothing of the program is called: no
property, no ``__eq__``, no ``__repr__``. Addresses and the order of sets are left out; times and random values are
found out by who compares.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import re
import sys
import types
import typing
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Fingerprint", "is_strict"]

# Names of modules that say nothing of their code.
_SKIPPED = frozenset([
    "__builtins__", "__loader__", "__spec__", "__cached__", "__warningregistry__", "__getattr__", "__dir__", "__file__",
    "__path__", "__conditional_annotations__",
])  # fmt: skip
# Members of classes that say nothing, or are made on demand.
_SKIPPED_MEMBERS = frozenset([
    "__dict__", "__weakref__", "_abc_impl", "__abstractmethods__", "__annotate__", "__annotate_func__", "__module__",
    "__annotations_cache__", "__static_attributes__", "__firstlineno__", "__subclasshook__",
])  # fmt: skip
_PLAIN = (int, float, complex, bool, str, bytes, range, type(None), type(...), type(NotImplemented))
_DATES = ("datetime", "decimal", "fractions", "pathlib", "uuid", "zoneinfo")
_HINTS = ("typing", "types")
_DEPTH = 5
_ITEMS = 500
_LENGTH = 120


def is_strict(path: str) -> bool:
    """Whether what a path stands for is code, which a program does not change while it runs."""
    return "#" in path


class Fingerprint:
    """Describes modules, bit by bit.

    Args:
        names: of the modules whose functions and classes are described; others are only named.
        pause: called before each thing that is described, so that who has other things to do can do them.
    """

    def __init__(self, names: Iterable[str], pause: Callable[[], object] = lambda: None) -> None:
        self.names = frozenset(names)
        self._pause = pause
        self.found: dict[str, str] = {}
        # Objects on the way from the module to the one that is described: a circle ends there.
        self._way: list[int] = []

    def module(self, name: str) -> None:
        """Describe a module."""
        module = sys.modules.get(name)
        if module is None:
            return
        names = vars(module)
        shown = sorted(key for key in list(names) if isinstance(key, str) and key not in _SKIPPED)
        for key in shown:
            if key in names and not (hasattr(module, "__path__") and _is_bound_on_use(name, key, names[key])):
                self._describe(f"{name}.{key}", names[key], _DEPTH)

    def _describe(self, path: str, value: Any, depth: int) -> None:
        self._pause()
        if id(value) in self._way:
            self.found[path] = "(what it is part of)"
            return
        self._way.append(id(value))
        try:
            self.found[path] = self._kind(path, value, depth)
        finally:
            self._way.pop()

    def _kind(self, path: str, value: Any, depth: int) -> str:
        """The text for a value; what it consists of is described below its path."""
        kind = type(value)
        if (text := _plain(value, kind)) is not None:
            return text
        if isinstance(value, type):
            return self._class(path, value)
        if kind is types.FunctionType:
            return self._function(path, value)
        if kind is types.ModuleType:
            return f"module {value.__name__}"
        if depth == 0:
            return f"a {_name(kind)}"
        if (parts := _PARTS.get(kind)) is not None:
            for part in parts.split():
                self._describe(f"{path}#{part}", getattr(value, part, None), depth - 1)
            return f"a {kind.__name__}"
        if kind.__module__ in _HINTS and not isinstance(value, (types.MethodType, types.SimpleNamespace)):
            return _clean(_hint(value))
        if isinstance(value, (dict, types.MappingProxyType)):
            return self._mapping(path, value, depth)
        if isinstance(value, (list, tuple, deque)):
            return self._sequence(path, value, depth)
        if isinstance(value, (set, frozenset)):
            return f"{kind.__name__} of {_clean(', '.join(sorted(map(self._label, list(value)[:_ITEMS]))))}"
        return self._instance(path, value, kind, depth)

    # Functions and classes

    def _reference(self, value: Any) -> str:
        """The name of a function or class, marked where that leads to another object."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "?")
        found: Any = sys.modules.get(module) if isinstance(module, str) else None
        for part in name.split("."):
            found = _static(found, part)
        found = getattr(found, "__func__", found) if type(found) in (staticmethod, classmethod) else found
        is_it = found is value or "<locals>" in name or getattr(found, "__wrapped__", None) is value
        return f"{module}.{name}" + ("" if is_it or module not in self.names else " (an object of before)")

    def _is_home(self, path: str, value: Any) -> bool:
        """Whether a path is the one under which a function or class of these modules was defined."""
        return value.__module__ in self.names and path == f"{value.__module__}.{value.__qualname__}"

    def _function(self, path: str, value: types.FunctionType) -> str:
        if not self._is_home(path, value) and "<locals>" not in value.__qualname__ and "#" not in path:
            return self._reference(value)
        if value.__module__ not in self.names:
            return self._reference(value)
        does, where = _code(value.__code__)
        self.found[f"{path}#code"], self.found[f"{path}#lines"] = does, where
        for part in ("__doc__", "__defaults__", "__kwdefaults__"):
            self._describe(f"{path}#{part}", getattr(value, part), 3)
        self.found[f"{path}#__annotations__"] = _annotations(value)
        for key, attribute in sorted(vars(value).items()):
            self._describe(f"{path}#.{key}", attribute, 3)
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=False):
            if cell != types.CellType():
                self._describe(f"{path}#cell {name}", cell.cell_contents, 2)
        return f"function {value.__qualname__}"

    def _class(self, path: str, value: type) -> str:
        if not self._is_home(path, value):
            return f"class {self._reference(value)}"
        members = vars(value)
        below: list[type] = type.__subclasses__(value)
        facts = {
            "bases": [self._reference(base) for base in value.__mro__[1:]],
            "type": [self._reference(type(value))],
            "members": sorted(key for key in members if key not in _SKIPPED_MEMBERS and not key.startswith("_abc")),
            "subclasses": sorted(self._reference(each) for each in below if self._is_listed(each)),
            "abstract": sorted(members.get("__abstractmethods__", ())),
            "fields": list(members.get("__dataclass_fields__", ())),
        }
        self.found |= {f"{path}#{fact}": _clean(", ".join(map(str, found))) for fact, found in facts.items()}
        self.found[f"{path}#__annotations__"] = _annotations(value)
        for key in facts["members"]:
            if key not in ("__annotations__", "__dataclass_fields__"):
                self._describe(f"{path}.{key}", members[key], 4)
        return f"class {value.__qualname__}"

    def _is_listed(self, value: type) -> bool:
        """Whether a subclass is one that a module has from its import: not one that a function makes when it runs."""
        return value.__module__ in self.names and "<locals>" not in value.__qualname__

    # Values

    def _label(self, value: Any) -> str:
        """A short text, for keys and for what is in sets."""
        kind = type(value)
        text = _plain(value, kind)
        if text is not None:
            return text
        if isinstance(value, enum.Enum):
            return f"{_name(kind)}.{value.name}"
        if isinstance(value, (type, types.FunctionType)):
            return self._reference(value)
        if isinstance(value, (tuple, frozenset)):
            parts = [self._label(each) for each in list(value)[:_ITEMS]]
            return f"({', '.join(parts if isinstance(value, tuple) else sorted(parts))})"
        return f"a {_name(kind)}"

    def _mapping(self, path: str, value: Any, depth: int) -> str:
        items = list(dict.items(value) if isinstance(value, dict) else value.items())[:_ITEMS]
        seen: dict[str, int] = {}
        for key, item in items:  # two keys of one name, as an old class and its successor, are told apart
            label = self._label(key)
            seen[label] = seen.get(label, 0) + 1
            self._describe(f"{path}[{label}{f' {seen[label]}' if seen[label] > 1 else ''}]", item, depth - 1)
        return f"{_name(type(value))} of {len(value)}"

    def _sequence(self, path: str, value: Any, depth: int) -> str:
        for index, item in enumerate(list(value)[:_ITEMS]):
            self._describe(f"{path}[{index}]", item, depth - 1)
        return f"{_name(type(value))} of {len(value)}"

    def _instance(self, path: str, value: Any, kind: type, depth: int) -> str:
        if isinstance(value, enum.Enum):
            return f"{_name(kind)}.{value.name} = {self._label(value.value)}"
        if kind.__module__ in self.names:
            for key, item in sorted(_attributes(value).items()):
                self._describe(f"{path}.{key}", item, min(depth - 1, 2))
            return f"an instance of {self._reference(kind)}"
        for key, item in sorted(_attributes(value).items()):
            if type(item) in (dict, list, set):  # what a library keeps of the program: registries, for the most part
                self._describe(f"{path}.{key}", item, min(depth - 1, 2))
        return f"a {_name(kind)}"


# Descriptors and their like → what they are made of.
_PARTS: dict[type, str] = {
    staticmethod: "__func__",
    classmethod: "__func__",
    property: "fget fset fdel __doc__",
    functools.cached_property: "func",
    functools.partial: "func args keywords",
    functools.partialmethod: "func args keywords",
    type(functools.lru_cache(len)): "__wrapped__",
    types.MethodType: "__func__",
}


def _is_bound_on_use(package: str, key: str, value: Any) -> bool:
    """Whether a name of a package is one of what lies in it: bound when somebody uses it, in any order."""
    if isinstance(value, types.ModuleType):
        return value.__name__ == f"{package}.{key}"
    home = getattr(value, "__module__", None)
    return isinstance(value, (type, types.FunctionType)) and isinstance(home, str) and home.startswith(f"{package}.")


def _static(holder: Any, name: str) -> Any:
    try:
        return vars(holder).get(name)
    except TypeError:
        return None


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _attributes(value: Any) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        found = {}
    attributes = {key: item for key, item in list(found.items()) if isinstance(key, str)} if type(found) is dict else {}
    for base in type(value).__mro__:
        for key, member in vars(base).items():
            if type(member) is types.MemberDescriptorType and base.__module__ not in sys.stdlib_module_names:
                try:
                    attributes[key] = member.__get__(value)
                except AttributeError:
                    continue  # never set
    return attributes


def _plain(value: Any, kind: type) -> str | None:
    if kind in _PLAIN or kind.__module__ in _DATES:
        return _clean(repr(value))
    if kind is re.Pattern:
        return _clean(f"re {value.pattern!r} {value.flags}")
    return None


def _clean(text: str) -> str:
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x", text)
    if len(text) <= _LENGTH:
        return text
    return f"{text[:_LENGTH]}... {hashlib.sha1(text.encode(errors='replace'), usedforsecurity=False).hexdigest()[:10]}"


def _annotations(value: Any) -> str:
    try:
        found = (
            value.__annotations__ if isinstance(value, types.FunctionType) else vars(value).get("__annotations__", {})
        )
    except Exception as error:  # noqa: BLE001 - evaluated late, they raise whatever they like
        return f"raises {type(error).__name__}"
    if not isinstance(found, dict):
        return "none"
    shown = (f"{key}: {_hint(hint)}" for key, hint in found.items())
    return _clean(", ".join(shown))


def _hint(value: Any) -> str:
    """A type hint in words. Unions have no order: which of two that are equal one gets depends on who asked first."""
    if isinstance(value, type) and not isinstance(value, types.GenericAlias):
        return _name(value)
    if isinstance(value, list):  # the arguments of a Callable
        return f"[{', '.join(map(_hint, value))}]"
    if type(value) in _PLAIN or isinstance(value, typing.ForwardRef):
        return repr(value)
    origin, parts = typing.get_origin(value), list(map(_hint, typing.get_args(value)))
    if origin is typing.Union or origin is types.UnionType:
        return f"Union[{', '.join(sorted(parts))}]"
    if parts:
        return f"{type(value).__name__} {_hint(origin)}[{', '.join(parts)}]"
    if type(value).__name__ == "TypeVar" or type(value).__module__ not in _HINTS:
        return f"a {_name(type(value))}"
    return repr(value)


def _code(code: types.CodeType) -> tuple[str, str]:
    """What a code object does, and in which lines."""
    inner = [_code(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    constants = [_constant(constant) for constant in code.co_consts if not isinstance(constant, types.CodeType)]
    facts = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_argcount)
    more = (code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags & 0xFFFF, code.co_name)
    text = repr((code.co_code, constants, facts, more, [does for does, _ in inner]))
    lines = repr(([(start, end, line) for start, end, line in code.co_lines()], [where for _, where in inner]))
    return (_digest(text), f"{code.co_firstlineno} {_digest(lines)}")


def _constant(constant: object) -> str:
    return f"{sorted(map(repr, constant))}" if isinstance(constant, frozenset) else repr(constant)


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()[:12]
