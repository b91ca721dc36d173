"""Executing code of a loaded module again, in its own namespace, statement by statement or as a whole."""

from __future__ import annotations

import abc
import ast
import enum
import sys
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from pyautoload.reloading.bindings import attributes_set
from pyautoload.reloading.classes import absorb
from pyautoload.reloading.imports import exported_by, star_imports
from pyautoload.reloading.journal import MISSING, Journal
from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.reconcile import Reconciler, same_value

if TYPE_CHECKING:
    from pyautoload.reloading.statements import Parsed, Statement

__all__ = ["Execution"]


class Execution:
    """One module's part of a reload: what it binds is reconciled with what was bound before.

    Args:
        module: the loaded module.
        journal: remembers how to take it back.
    """

    def __init__(self, module: ModuleType, journal: Journal) -> None:
        self.module = module
        self.names: dict[str, Any] = module.__dict__
        self.journal = journal
        journal.keep_module(module)
        # What the module held before this execution; it may not be the first one of the reload.
        self.before = dict(self.names)
        self.reconciler = Reconciler(journal, module.__name__)
        # Names bound to something else now: name → what it was.
        self.changed: dict[str, Any] = {}
        # Names that statements of the module itself, further below, bind in the course of this.
        self.to_come: set[str] = set()
        # Names that statements which ran in the course of this have bound.
        self.bound: set[str] = set()
        # Names that were bound in other modules: module, name, what it was and is.
        self.foreign: list[tuple[str, str, Any, Any]] = []
        # Names that were unbound before the statements ran, with their values.
        self.dropped: dict[str, Any] = {}

    # Statement by statement

    def run(self, parsed: Parsed, indices: set[int], patches: Mapping[int, Callable[[], object]]) -> None:
        """Run some statements of the module and apply patches to others, in the order of the file."""
        counts: dict[str, int] = {}
        for item in parsed.statements:
            for name in item.binds:
                counts[name] = counts.get(name, 0) + 1
        order = sorted(indices)
        last = {name: index for index in order for name in parsed.statements[index].binds}
        self.to_come = set(last)
        for index in sorted(indices | set(patches)):
            if index in indices:
                self.to_come.difference_update([name for name in parsed.statements[index].binds if last[name] == index])
                self.statement(parsed, parsed.statements[index], counts)
            else:
                patches[index]()

    def statement(self, parsed: Parsed, item: Statement, counts: dict[str, int]) -> None:
        """Run one statement and reconcile what it binds."""
        names = self.names
        star = next(star_imports(item.node), None) is not None
        earlier = {name: names.get(name, MISSING) for name in ({*names, *item.binds} if star else item.binds)}
        if isinstance(item.node, _CONDITIONAL):
            # Which of its names it binds this time is not known before: none of them may be left from last time.
            # What statements above it have just bound it may use, or leave as it is.
            self.dropped.update((name, names.pop(name)) for name in item.binds - self.bound if name in names)
        foreign = self._foreign_names(item) if item.kind == "other" else []
        exec(parsed.compiled(item), names)
        ran = frozenset(self.bound) if star else frozenset()
        self.bound.update(item.binds, exported_by(item.node, names.get("__package__")) if star else ())
        for module, name, before in foreign:
            now = module.__dict__.get(name, MISSING)
            if not same_value(before, now):
                self.foreign.append((module.__name__, name, before, now))
        if item.kind == "doc":
            return
        twins: list[tuple[Any, Any]] = []
        for name in {**names, **earlier} if star else item.binds:
            is_given = star and name not in item.binds
            new = names.get(name, MISSING)
            # With several bindings of one name the old value is that of the last one.
            old = earlier.get(name, MISSING) if counts.get(name, 1) == 1 else MISSING
            if name in self.dropped and not is_given:
                old = self.dropped.pop(name)
            # What a statement of the module itself binds holds against a star import, unless that statement runs again.
            is_own = is_given and name in counts and name in earlier and not (name in self.to_come or name in ran)
            if is_given and name in self.to_come and name in earlier and new is not earlier[name]:
                self.dropped.setdefault(name, earlier[name])
                continue
            result = earlier[name] if is_own else self._settled(item, old, new)
            if result is not new:
                names[name] = result
                twins.append((result, new))
            if not _is_dunder(name):
                self._note(name, result)
        if twins and item.kind in ("def", "class") and self._may_be_known_elsewhere(item, twins):
            absorb(twins, self.journal)

    def _foreign_names(self, item: Statement) -> list[tuple[ModuleType, str, Any]]:
        """What a statement will set in other modules, with the values of before."""
        found = []
        for owner, name in attributes_set(item.node):
            module = self.names.get(owner)
            if is_a(module, ModuleType) and module is not self.module:
                before = module.__dict__.get(name, MISSING)
                self.journal.set_item(module.__dict__, name, before)  # so that it is taken back to that
                found.append((module, name, before))
        return found

    def _settled(self, item: Statement, old: Any, new: Any) -> Any:
        if old is new or old is MISSING or new is MISSING or item.kind == "import":
            return new
        if item.kind in ("def", "class"):
            return self.reconciler.merged(old, new)
        if self._is_own_definition(new) and self._is_own_definition(old) and _is_made_here(item, old, new):
            return self.reconciler.merged(old, new)
        return old if same_value(old, new) else new

    def _is_own_definition(self, value: Any) -> bool:
        return is_a(value, (type, FunctionType)) and value.__module__ == self.module.__name__

    @staticmethod
    def _may_be_known_elsewhere(item: Statement, twins: list[tuple[Any, Any]]) -> bool:
        """Whether a decorator, a metaclass or ``__init_subclass__`` may have put the new object somewhere."""
        decorators = {*item.uses.called, *item.uses.methods} if getattr(item.node, "decorator_list", None) else set()
        for old, new in twins:
            if not is_a(new, type):
                if decorators and sys.getrefcount(new) > 4:
                    return True
                continue
            if decorators - _HARMLESS or type(new) not in _PLAIN_METACLASSES:
                return True
            if any("__init_subclass__" in base.__dict__ for base in old.__mro__[1:-1] if base.__module__ != "typing"):
                return True
        return False

    def _note(self, name: str, result: Any) -> None:
        before = self.before.get(name, MISSING)
        if result is not before:
            self.changed[name] = before
        else:
            self.changed.pop(name, None)

    # As a whole

    def whole(self, code: CodeType) -> None:
        """Run all of the module's code, then reconcile: the same where nothing in between looks at new objects."""
        names = self.names
        exec(code, names)
        for name in [name for name in names if not _is_dunder(name)]:
            new, old = names[name], self.before.get(name, MISSING)
            if new is old:
                continue
            if self._is_own_definition(new) and self._is_own_definition(old):
                result = self.reconciler.merged(old, new)
            else:
                result = old if old is not MISSING and same_value(old, new) else new
            if result is not new:
                names[name] = result
            self._note(name, result)

    # Bindings

    def drop(self, wanted: Iterable[str]) -> None:
        """Unbind names that the source does not bind any more."""
        for name in wanted:
            if name in self.names and not _is_dunder(name):
                self.dropped[name] = self.names.pop(name)
                self._note(name, MISSING)

    def bind(self, name: str, value: Any) -> None:
        """Bind a name that the module only holds."""
        self.names[name] = value
        self._note(name, value)


_CONDITIONAL = (ast.If, ast.Try, ast.For, ast.While, ast.Match)
# Decorators that do not keep what they decorate.
_HARMLESS = frozenset({"dataclass", "total_ordering", "final", "runtime_checkable", "unique"})
_PLAIN_METACLASSES = (type, abc.ABCMeta, enum.EnumMeta)


def _is_dunder(name: str) -> bool:
    """Whether a name is the import system's, or notes of Python, and not the module's own."""
    return name[:2] == "__" and name[-2:] == "__" and name != "__all__"


def _is_made_here(item: Statement, old: Any, new: Any) -> bool:
    """Whether a definition comes from within this statement: ``if x: def f(): ...``, ``f = lambda: 1``."""
    line = new.__code__.co_firstlineno if is_a(new, FunctionType) else None
    if is_a(new, type):
        return (
            any(isinstance(node, ast.ClassDef) and node.name == new.__qualname__ for node in ast.walk(item.node))
            and old.__qualname__ == new.__qualname__
        )
    return line is not None and item.node.lineno <= line <= (item.node.end_lineno or line)
