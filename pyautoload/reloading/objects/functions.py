"""Finding the function objects behind names, decorators, descriptors and closures, and giving them new code."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from pyautoload.reloading.code.codediff import FunctionChange, same_code
from pyautoload.reloading.code.nested import deferred_codes
from pyautoload.reloading.objects.heap import living_objects
from pyautoload.reloading.objects.journal import Journal
from pyautoload.reloading.objects.safe_inspection import held_by, is_a

__all__ = [
    "CACHED",
    "FunctionIndex",
    "Patch",
    "give_code",
    "is_held_elsewhere",
    "patch",
    "patch_hidden",
    "underlying",
]

# What functools.lru_cache makes.
CACHED: type = type(functools.lru_cache(lambda: None))
_DEPTH = 8
# What most values are, and most members of classes: nothing to look into.
_PLAIN = frozenset(
    {
        *(str, int, float, bytes, list, tuple, set, frozenset, dict, type(None), bool, type),
        *(types.ModuleType, types.BuiltinFunctionType, types.GetSetDescriptorType, types.MemberDescriptorType),
        *(types.WrapperDescriptorType, types.MethodDescriptorType, types.CodeType),
    }
)
_NO_FUNCTIONS = (ModuleType, str, int, float, bytes, list, tuple, set, frozenset, dict, type(None))


def underlying(value: object, seen: set[int] | None = None, depth: int = 0) -> Iterator[FunctionType]:
    """The functions that ``value`` is or wraps: through decorators, descriptors, partials and closures."""
    seen = set() if seen is None else seen
    if id(value) in seen or depth > _DEPTH:
        return
    seen.add(id(value))
    if is_a(value, FunctionType):
        yield value
        for inner in _held_by_function(value):
            yield from underlying(inner, seen, depth + 1)
        return
    for inner in _parts(value):
        yield from underlying(inner, seen, depth + 1)


def _held_by_function(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        if not is_a(content, (type, ModuleType)):
            yield content
    wrapped = getattr(function, "__wrapped__", None)  # asking for its `__dict__` would make one
    if wrapped is not None:
        yield wrapped


def _parts(value: Any) -> Iterable[object]:
    if type(value) in _PLAIN:
        return ()
    if issubclass(type(value), (staticmethod, classmethod, MethodType)):
        return (value.__func__,)
    if is_a(value, property):
        return (value.fget, value.fset, value.fdel)
    if is_a(value, functools.cached_property):
        return (value.func,)
    if issubclass(type(value), (functools.partial, functools.partialmethod)):
        return (value.func, *value.args, *value.keywords.values())
    if is_a(value, functools.singledispatchmethod):
        return (value.func, value.dispatcher)
    if is_a(value, CACHED):
        return (held_by(value).get("__wrapped__"),)
    if is_a(value, (type, *_NO_FUNCTIONS)):
        return ()
    # A decorator written as a class keeps the function in an attribute.
    held = held_by(value)
    return tuple(held.values()) if len(held) < 30 else ()


class FunctionIndex:
    """The functions of one module that can be reached by name, by where their code stands in the file.

    Args:
        module: the module.
        path: its file: functions whose code is from elsewhere are left out.
        code: of the module. A function that runs a part of it is that one, and no other that does the same.
    """

    def __init__(self, module: ModuleType, path: str, code: CodeType | None) -> None:
        self._path = path
        self._code = code
        # The code objects of all functions in `code`, by identity; made when it is asked for.
        self._placed: set[int] | None = None
        self._name = module.__name__
        # (name, first line) of the code → functions. Example: {("greet", 12): [<function User.greet>]}
        self._functions: dict[tuple[str, int], list[FunctionType]] = {}
        # Qualified name → functions, for those that stand where they stood in an earlier version of the file.
        self._by_name: dict[str, list[FunctionType]] = {}
        # Caches found on the way: their answers are those of the old code.
        self.caches: list[Any] = []
        self.classes: dict[str, type] = {}
        self._seen: set[int] = set()
        for value in list(module.__dict__.values()):
            self._add(value)

    def _add(self, value: object) -> None:
        if type(value) is FunctionType and not value.__closure__ and not value.__dict__:
            if id(value) not in self._seen:
                self._seen.add(id(value))
                self._note(value)
            return
        if is_a(value, _NO_FUNCTIONS):
            return
        if is_a(value, type):
            if value.__module__ == self._name and id(value) not in self._seen:
                self._seen.add(id(value))
                self.classes.setdefault(value.__qualname__, value)
                for member in list(value.__dict__.values()):
                    self._add(member)
            return
        if is_a(value, CACHED):
            self.caches.append(value)
        for function in underlying(value, self._seen):
            self._note(function)

    def _note(self, function: FunctionType) -> None:
        code = function.__code__
        if code.co_filename == self._path:
            self._functions.setdefault((code.co_name, code.co_firstlineno), []).append(function)
            self._by_name.setdefault(function.__qualname__, []).append(function)

    def functions(self) -> list[FunctionType]:
        """All of them."""
        return [function for found in self._functions.values() for function in found]

    def find(self, code: CodeType, qualname: str) -> list[FunctionType]:
        """The functions whose code is ``code``, or was compiled from the same lines, or at least does the same."""
        found = self._functions.get((code.co_name, code.co_firstlineno), [])
        found = [function for function in found if same_code(function.__code__, code)]
        if found:
            return found
        alike = [function for function in self._by_name.get(qualname, []) if same_code(function.__code__, code)]
        return [function for function in alike if not self._is_placed(function.__code__)]

    def _is_placed(self, code: CodeType) -> bool:
        """Whether it is known where in the file a function stands."""
        if self._placed is None:
            self._placed = {id(item) for item in deferred_codes(self._code)} if self._code is not None else set()
        return id(code) in self._placed


def give_code(function: FunctionType, code: CodeType, journal: Journal) -> None:
    """Replace a function's code; its docstring follows unless it was set by hand."""
    old = function.__code__
    if old is code:
        return
    old_doc, new_doc = _docstring(old), _docstring(code)
    journal.set_attribute(function, "__code__", code)
    if old_doc != new_doc and function.__doc__ == old_doc:
        journal.set_attribute(function, "__doc__", new_doc)


def _docstring(code: CodeType) -> str | None:
    if sys.version_info >= (3, 14) and not code.co_flags & 0x4000000:  # CO_HAS_DOCSTRING
        return None
    first = code.co_consts[0] if code.co_consts else None
    return first if isinstance(first, str) else None


def nested_changes(change: FunctionChange) -> Iterator[FunctionChange]:
    """The functions within a changed function, paired by name and order: closures made by it may be alive."""
    old = [const for const in change.old.co_consts if isinstance(const, CodeType)]
    new = [const for const in change.new.co_consts if isinstance(const, CodeType)]
    for index, code in enumerate(old):
        same_name = [other for other in new if other.co_name == code.co_name]
        position = sum(1 for other in old[:index] if other.co_name == code.co_name)
        if position < len(same_name):
            inner = FunctionChange(f"{change.qualname}.<locals>.{code.co_name}", code, same_name[position])
            yield inner
            yield from nested_changes(inner)


def _references(change: FunctionChange) -> int:
    return sys.getrefcount(change.old)


def _probe() -> FunctionChange:
    code = compile("def f(): pass", "", "exec").co_consts[0]
    return FunctionChange("", code, code)


# What the count shows for a code object that nobody holds but the two entries of one change: how many references the
# call itself adds depends on the version of Python.
_BASE = _references(_probe()) - 2


def is_held_elsewhere(change: FunctionChange, functions: list[FunctionType]) -> bool:
    """Whether functions beside those found may run the old code: closures, entries of a registry.

    The change holds one reference to it, the constants that it lies in one, and each function that runs it one.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return True  # without a GIL the count is not exact
    held = len({id(function) for function in functions if function.__code__ is change.old})
    return _references(change) - _BASE > held + 2


def find_alive(codes: list[CodeType]) -> list[FunctionType]:
    """All living functions that run one of ``codes``: a sweep over the heap, for what cannot be reached by name."""
    files = {code.co_filename for code in codes}
    keys = {(code.co_name, code.co_firstlineno) for code in codes}
    return [
        item
        for item in living_objects()
        if type(item) is FunctionType
        and item.__code__.co_filename in files
        and (item.__code__.co_name, item.__code__.co_firstlineno) in keys
    ]


# Something to be done to the functions of a module; returns what is left for `patch_hidden`.
Patch = Callable[[FunctionIndex], list[FunctionChange]]


def patch(changes: list[FunctionChange], index: FunctionIndex, journal: Journal) -> list[FunctionChange]:
    """Give every function that can be reached by name the new code.

    Returns:
        The changes whose old code seems to be run by functions that cannot be reached so, for ``patch_hidden``.
    """
    hidden: list[FunctionChange] = []
    for change in changes:
        functions = index.find(change.old, change.qualname)
        nested = list(nested_changes(change))
        if not functions or is_held_elsewhere(change, functions):
            hidden.append(change)
        hidden += [inner for inner in nested if is_held_elsewhere(inner, []) and _same_shape(inner)]
        for function in functions:
            give_code(function, change.new, journal)
    return hidden


def _same_shape(change: FunctionChange) -> bool:
    return change.old.co_freevars == change.new.co_freevars


def patch_hidden(changes: list[FunctionChange], journal: Journal) -> None:
    """Give new code to living closures and to functions that only a registry knows: one sweep over the heap."""
    if not changes:
        return
    by_key = {(change.old.co_filename, change.old.co_name, change.old.co_firstlineno): change for change in changes}
    for function in find_alive([change.old for change in changes]):
        code = function.__code__
        change = by_key.get((code.co_filename, code.co_name, code.co_firstlineno))
        if change is not None and (code is change.old or same_code(code, change.old)):
            give_code(function, change.new, journal)
