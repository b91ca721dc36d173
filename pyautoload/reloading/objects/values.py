"""Values: what a module's names held when its code had run, so that a later run can be compared with it.

How it is compared is in ``value_comparison``.
"""

from __future__ import annotations

import collections
import contextvars
import functools
import sys
import types
import typing
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from pyautoload.reloading.objects.safe_inspection import held_by

__all__ = [
    "ATOMS",
    "DEEPEST",
    "NOT_OWN",
    "NOT_STATE",
    "NUMBERS",
    "Shape",
    "is_plain",
    "parts_of",
    "restore",
    "shape_of",
    "shapes_of",
]

# What is equal exactly when type and value are.
ATOMS = frozenset({int, str, bytes, bool, type(None), type(Ellipsis), type(NotImplemented), range, CodeType})
NUMBERS = frozenset({float, complex})
# What is compared by what it is called, or is itself.
_NAMED = frozenset(
    {
        *(FunctionType, type, ModuleType, types.BuiltinFunctionType, types.MethodWrapperType),
        *(types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType),
        *(types.GetSetDescriptorType, types.MemberDescriptorType),
    }
)
# Members of a class that are no state: who runs the class statement again makes them anew.
NOT_STATE = frozenset(
    {
        *(FunctionType, staticmethod, classmethod, property, types.MemberDescriptorType, types.GetSetDescriptorType),
        *(types.WrapperDescriptorType, types.MethodDescriptorType, types.BuiltinFunctionType),
    }
)
NOT_OWN = frozenset(
    [
        "__module__",
        "__qualname__",
        "__doc__",
        "__dict__",
        "__weakref__",
        "__annotations__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__firstlineno__",
        "__static_attributes__",
        "__abstractmethods__",
        "_abc_impl",
        "__orig_bases__",
        "__parameters__",
        "__type_params__",
        "__slots__",
        "__match_args__",
        "__hash__",
    ]
)
# Modules whose objects hold the state of the process: of these only plain attributes are looked at.
_SHALLOW = frozenset(
    [
        "_thread",
        "threading",
        "_io",
        "socket",
        "ssl",
        "_ssl",
        "logging",
        "concurrent",
        "asyncio",
        "_asyncio",
        "selectors",
        "multiprocessing",
        "subprocess",
        "sqlite3",
        "_sqlite3",
        "contextvars",
        "_contextvars",
        "importlib",
        "_frozen_importlib",
        "_frozen_importlib_external",
        "zipimport",
        "select",
        "signal",
        "weakref",
        "_weakref",
        "_weakrefset",
        "queue",
        "_queue",
        "pyautoload",
    ]
)
# So many objects of one value are looked at; one that goes further is compared by what was looked at.
_MOST = 4000
DEEPEST = 24
_CACHED: type = type(functools.lru_cache(lambda: None))


class Shape:
    """What an object held when it was looked at.

    Attributes:
        kind: its type.
        value: the object itself, kept so that its identity means something.
        parts: key → what was held there; keys are positions, keys of a dict, names of attributes.
        is_cut: whether it was not looked into, as it lies too deep or there was too much.
    """

    __slots__ = ("is_cut", "kind", "parts", "value")

    def __init__(self, value: object) -> None:
        self.kind = type(value)
        self.value: Any = value
        self.parts: dict[Any, Any] = {}
        self.is_cut = False

    def __repr__(self) -> str:
        return f"<Shape {self.kind.__name__} {len(self.parts)}>"


def classes_within(shapes: Iterable[Any]) -> set[type]:
    """The classes that some values are, or hold, given their shapes."""
    found, pending, seen = set[type](), list(shapes), set[int]()
    while pending:
        shape = pending.pop()
        if type(shape) is Shape:
            if id(shape) not in seen:
                seen.add(id(shape))
                pending += shape.parts.values()
        elif issubclass(type(shape), type):
            found.add(shape)
    return found


def shapes_of(names: Mapping[str, Any], known: dict[int, Shape]) -> dict[str, Any]:
    """What the names of a module hold, atoms and functions as they are, everything else as a ``Shape``.

    Args:
        names: the module's dict.
        known: shapes of other modules' objects: ``from a import REGISTRY`` does not look into it once more. Filled.
    """
    found: dict[str, Any] = {}
    for name, value in names.items():
        kind = type(value)
        if type(name) is not str or kind is _LAZY_IMPORT or name in _IMPORT_SYSTEM:
            continue  # a lazy import, which is not to be made now
        if kind in ATOMS or kind in NUMBERS or kind in _NAMED:
            found[name] = value
            continue
        shape = known.get(id(value))
        if shape is None or shape.value is not value:
            shape = shape_of(value)
            if type(shape) is Shape:
                known[id(value)] = shape
        found[name] = shape
    return found


# What the import system, and not the file, binds.
# Python 3.15: what stands for a name that is not resolved.
_LAZY_IMPORT: Any = getattr(types, "LazyImportType", None)
_IMPORT_SYSTEM = frozenset(
    {
        *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__"),
        *("__builtins__", "__warningregistry__", "__annotations__", "__annotate__", "__conditional_annotations__"),
    }
)


def shape_of(value: Any, seen: dict[int, Any] | None = None) -> Any:
    """The shape of one value; atoms, functions, classes and modules are returned as they are."""
    kind = type(value)
    if kind in ATOMS or kind in NUMBERS or kind in _NAMED or issubclass(kind, (type, ModuleType)):
        return value
    seen = {} if seen is None else seen
    return _shape(value, seen, 0)


def _shape(value: Any, seen: dict[int, Any], depth: int) -> Any:
    kind = type(value)
    if kind in ATOMS or kind in NUMBERS or kind in _NAMED or issubclass(kind, (type, ModuleType)):
        return value
    known = seen.get(id(value))
    if known is not None:
        return known
    shape = Shape(value)
    seen[id(value)] = shape
    if depth >= DEEPEST or len(seen) >= _MOST:
        shape.is_cut = True
    else:
        shape.parts = {key: _shape(part, seen, depth + 1) for key, part in parts_of(value, kind).items()}
    return shape


def parts_of(value: Any, kind: type) -> dict[Any, Any]:
    """What an object holds, by keys that mean the same in a later run."""
    if kind is list or kind is tuple:
        return dict(enumerate(value))
    if kind is dict:
        return _items(value)
    if kind is set or kind is frozenset:
        return _members(value)
    make = _BY_KIND.get(kind)
    if make is not None:
        return make(value)
    return _attributes(value, kind)


def _items(value: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for index, (key, item) in enumerate(list(dict.items(value))):
        found[("item", index)] = item
        found[("key", index)] = key
    return found


def _members(value: Any) -> dict[Any, Any]:
    """Of a set: atoms by themselves, as their order means nothing; everything else by its name and order."""
    found: dict[Any, Any] = {}
    for item in list(value):
        kind = type(item)
        if kind in ATOMS or kind in NUMBERS:
            found[("atom", kind, repr(item))] = item
        else:
            label = getattr(item, "__qualname__", "") if kind in _NAMED or issubclass(kind, type) else ""
            number = 0
            while (kind.__qualname__, label, number) in found:
                number += 1
            found[(kind.__qualname__, label, number)] = item
    return found


def _function_parts(value: Any) -> dict[Any, Any]:
    found = {"func": value.func, "args": value.args, "keywords": value.keywords}
    return found


def _property_parts(value: Any) -> dict[Any, Any]:
    return {"fget": value.fget, "fset": value.fset, "fdel": value.fdel}


def _cached_parts(value: Any) -> dict[Any, Any]:
    return {"wrapped": getattr(value, "__wrapped__", None), "parameters": repr(value.cache_parameters())}


def _type_variable_parts(value: Any) -> dict[Any, Any]:
    names = ("__name__", "__bound__", "__constraints__", "__covariant__", "__contravariant__", "__infer_variance__")
    return {name: getattr(value, name, None) for name in (*names, "__default__")}


def _context_variable_parts(value: Any) -> dict[Any, Any]:
    try:
        return {"name": value.name, "default": contextvars.Context().run(value.get)}
    except LookupError:
        return {"name": value.name}


_BY_KIND: dict[type, Callable[[Any], dict[Any, Any]]] = {
    functools.partial: _function_parts,
    property: _property_parts,
    _CACHED: _cached_parts,
    MethodType: lambda value: {"self": value.__self__, "func": value.__func__},
    staticmethod: lambda value: {"func": value.__func__},
    classmethod: lambda value: {"func": value.__func__},
    types.MappingProxyType: lambda value: {"repr": len(value)},
    collections.deque: lambda value: {**dict(enumerate(value)), "maxlen": value.maxlen},
    bytearray: lambda value: {"bytes": bytes(value)},
    slice: lambda value: {"start": value.start, "stop": value.stop, "step": value.step},
    contextvars.ContextVar: _context_variable_parts,
    typing.TypeVar: _type_variable_parts,
    typing.ParamSpec: _type_variable_parts,
}
if sys.version_info >= (3, 12):
    # What it stands for is worked out when somebody asks: to ask would run code, and so each one counts as another.
    _BY_KIND[typing.TypeAliasType] = lambda value: {"alias": object()}


def _attributes(value: Any, kind: type) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    shallow = kind.__module__.partition(".")[0] in _SHALLOW
    held = held_by(value)
    for name, part in list(held.items()):
        if not shallow or type(part) in ATOMS or type(part) in NUMBERS:
            found[name] = part
    for name, descriptor in _slots(kind):
        try:
            part = descriptor.__get__(value)
        except AttributeError:
            continue
        if not shallow or type(part) in ATOMS or type(part) in NUMBERS:
            found[name] = part
    if issubclass(kind, BaseException):
        found["args"] = value.args
    elif issubclass(kind, dict):
        found.update(_items(value))
    elif issubclass(kind, (list, tuple)):
        base = list if issubclass(kind, list) else tuple
        found.update(enumerate(base.__iter__(value)))
    elif issubclass(kind, (set, frozenset)):
        found.update(_members(value))
    elif issubclass(kind, (int, str, bytes, float, complex)):
        found["plain value"] = _plain_value(value, kind)
    elif not held and not found and not shallow:
        found.update(_state_of_builtin(value, kind))
    return found


def _plain_value(value: Any, kind: type) -> str:
    """What a number or text of a user's class is, by the built-in type's own words."""
    builtin: Any = next(base for base in (int, str, bytes, float, complex) if issubclass(kind, base))
    return str(builtin.__repr__(value))


# A class → its slots. Held weakly: a class that goes is to go.
_known_slots: weakref.WeakKeyDictionary[type, tuple[tuple[str, Any], ...]] = weakref.WeakKeyDictionary()


def _slots(kind: type) -> tuple[tuple[str, Any], ...]:
    try:
        known = _known_slots.get(kind)
    except TypeError:  # its metaclass makes it one that cannot be hashed
        return _slots_of(kind)
    if known is None:
        known = _known_slots[kind] = _slots_of(kind)
    return known


def _slots_of(kind: type) -> tuple[tuple[str, Any], ...]:
    found: list[tuple[str, Any]] = []
    for base in kind.__mro__:
        for name, member in vars(base).items():
            if type(member) is types.MemberDescriptorType and name not in ("__dict__", "__weakref__"):
                found.append((name, member))
    return tuple(found)


# Types written in C whose `__reduce_ex__` says all there is to them, and runs no code of others.
_REDUCED = frozenset(
    [
        "datetime",
        "_datetime",
        "decimal",
        "_decimal",
        "fractions",
        "re",
        "_sre",
        "uuid",
        "pathlib",
        "_pathlib",
        "zoneinfo",
        "itertools",
        "operator",
        "_operator",
        "_struct",
        "array",
        "_random",
        "random",
        "ipaddress",
        "time",
        "numpy",
        "_collections",
        "collections",
        "builtins",
        "typing",
        "types",
    ]
)


def _state_of_builtin(value: Any, kind: type) -> dict[Any, Any]:
    if kind.__module__.partition(".")[0] not in _REDUCED or kind is object:
        return {}
    if kind.__module__ in ("types", "typing", "builtins") and hasattr(value, "__origin__"):
        return {"origin": value.__origin__, "args": getattr(value, "__args__", ())}
    if kind is types.UnionType if hasattr(types, "UnionType") else False:
        return {"args": value.__args__}
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001 - not every object can be taken apart; such a one is compared by its type
        return {}
    if isinstance(reduced, str):
        return {"global": reduced}
    return {("reduced", index): part for index, part in enumerate(reduced[:3])}


def restore(shape: Any, seen: set[int] | None = None) -> None:
    """Let an object, and what it holds, hold again what it held when it was looked at."""
    seen = set() if seen is None else seen
    if type(shape) is not Shape or shape.is_cut or id(shape) in seen:
        return
    seen.add(id(shape))
    value: Any = shape.value
    kind = shape.kind
    held = {key: part.value if type(part) is Shape else part for key, part in shape.parts.items()}
    if kind is dict:
        content = {held[("key", index)]: held[("item", index)] for index in range(len(held) // 2)}
        if list(value.items()) != list(content.items()):
            value.clear()
            value.update(content)
    elif kind is set:
        if len(value) != len(held):
            value.clear()
            value.update(held.values())
    elif kind is list:
        value[:] = held.values()
    elif kind not in _BY_KIND and kind is not tuple and kind is not frozenset:
        names = held_by(value)
        for name in [name for name in names if name not in held]:
            del names[name]
        names.update({name: part for name, part in held.items() if name in names})
    for part in shape.parts.values():
        restore(part, seen)


def is_plain(kind: type) -> bool:
    """Whether all that instances of a class hold are attributes: none of its bases is written in C."""
    return (
        all("__dict__" in vars(base) or "__slots__" in vars(base) or base.__dictoffset__ for base in kind.__mro__[:-1])
        and kind.__module__.partition(".")[0] not in _SHALLOW
    )
