"""Members: a changed class body is applied member by member where that says all, so that nothing else runs.

Running the whole class statement again would call metaclasses, ``__init_subclass__`` and decorators once more, and with
them registries that refuse to see a class twice.
"""

from __future__ import annotations

import abc
import ast
import enum
import sys
from types import CodeType, FunctionType
from typing import Any

from pyautoload.reloading.classes import class_putter, refresh_abstract, retarget_cells
from pyautoload.reloading.codediff import FunctionChange
from pyautoload.reloading.functions import FunctionIndex, Patch, is_used_up, patch
from pyautoload.reloading.identity import members_of, redirects
from pyautoload.reloading.journal import MISSING
from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.nested import is_deferred
from pyautoload.reloading.patching import changed_function, moved_within
from pyautoload.reloading.reconcile import Reconciler
from pyautoload.reloading.selection import Selection
from pyautoload.reloading.statementdiff import Change, diff, lines_of, lines_of_same, same_header
from pyautoload.reloading.statements import Statement
from pyautoload.syntax import FUNCTIONS

__all__ = ["plan_members"]

_COLLECT = "__pyautoload_collect__"
_SPECIAL = frozenset({"__slots__", "__init_subclass__", "__class_getitem__", "__set_name__", "__annotations__"})


def plan_members(selection: Selection, old: ast.stmt, new: ast.stmt, code: CodeType) -> Patch | None:
    """How to change a class by its members alone.

    Args:
        selection: of the module.
        old: the class statement that is loaded.
        new: the new one.
        code: the new code of the module.

    Returns:
        What to do; ``None`` where the class statement has to run.
    """
    assert isinstance(old, ast.ClassDef)
    assert isinstance(new, ast.ClassDef)
    cls = selection.names.get(new.name)
    if not same_header(old, new) or not is_a(cls, type):
        return None
    if cls.__module__ != selection.record.name or cls.__qualname__ != new.name:
        return None
    plan = _MemberPlan(selection, cls, new, code)
    return plan.apply if plan.make(old) else None


class _MemberPlan:
    def __init__(self, selection: Selection, cls: type, node: ast.ClassDef, code: CodeType) -> None:
        self.selection = selection
        self.cls = cls
        self.node = node
        self.code = code
        # Methods that only take new code.
        self.bodies: list[FunctionChange] = []
        # Member statements that have to run.
        self.define: list[ast.stmt] = []
        self.removed: set[str] = set()
        meta = type(cls)
        # Decorators, metaclasses and enums may read constants and special methods when the class is made.
        self.is_plain = meta in (type, abc.ABCMeta) and not node.decorator_list and not _is_described(cls)
        self.takes_members = not isinstance(cls, enum.EnumMeta)

    def make(self, old: ast.ClassDef) -> bool:
        before = [Statement(item, ast.dump(item)) for item in old.body]
        after = [Statement(item, ast.dump(item)) for item in self.node.body]
        change = diff(before, after)
        for index, item in change.changed.items():
            if not self._member(after[index].node, item.node):
                return False
        if not all(self._member(after[index].node, None) for index in change.added):
            return False
        kept = {name for item in after for name in item.binds}
        for item in change.removed:
            if item.binds <= kept:
                return False  # one of several definitions of a name, as of a property
            if not self._may_define(item.node):
                return False
            self.removed |= item.binds
        if not self._add_users(after):
            return False
        self._tell_selection()
        self._move(after, change)
        return True

    def _move(self, members: list[Statement], change: Change) -> None:
        """Methods that are the same have other lines now."""
        code = self.selection.record.code
        if code is not None:
            self.selection.moved += moved_within(code, self.code, lines_of_same(change, members))

    def _add_users(self, members: list[Statement]) -> bool:
        """Members that use a changed one when the class is made (``B = A + 1``) are made again, too."""
        done = {id(node) for node in self.define}
        names = set(self.removed).union(*(Statement(node, "").binds for node in self.define))
        while True:
            users = [item for item in members if id(item.node) not in done and item.uses.names & names]
            if not users:
                return True
            for item in users:
                if not self._may_define(item.node) or self._is_repeated(item.node):
                    return False
                self.define.append(item.node)
                done.add(id(item.node))
                names |= item.binds

    def _tell_selection(self) -> None:
        """Import-time code of the same module that uses what changes has to run."""
        selection, module = self.selection, self.selection.record.name
        selection.bodies |= {(module, body.qualname) for body in self.bodies}
        members = set(self.removed)
        for node in self.define:
            members |= Statement(node, "").binds
        selection.bodies |= {(module, f"{self.node.name}.{name}") for name in members}
        for function in selection.effects.graph.called_in(module):
            is_method = function.partition(".")[0] == self.node.name
            if is_method and selection.effects.mentions(module, function, members):
                selection.bodies.add((module, function))
        if members and redirects(self.cls, members):
            selection.bodies.add(members_of(self.cls))
        if members:
            selection.members.setdefault(self.node.name, set()).update(members)

    def _member(self, node: ast.stmt, before: ast.stmt | None) -> bool:
        change = self._body_change(node, before) if before is not None and same_header(before, node) else None
        if change is not None:
            self.bodies.append(change)
            return True
        if not self._may_define(node) or self._is_repeated(node):
            return False
        self.define.append(node)
        return True

    def _body_change(self, node: ast.stmt, before: ast.stmt) -> FunctionChange | None:
        if not isinstance(node, FUNCTIONS) or self.selection.record.code is None:
            return None
        old = _class_code(self.selection.record.code, self.node.name)
        new = _class_code(self.code, self.node.name)
        if old is None or new is None:
            return None
        change = changed_function(old, new, f"{self.node.name}.{node.name}", lines_of(before), lines_of(node))
        record = self.selection.record
        if change is None or is_used_up(sys.modules[record.name], record.path, record.code, change):
            return None
        return change

    def _may_define(self, node: ast.stmt) -> bool:
        if isinstance(node, FUNCTIONS):
            if node.name in _SPECIAL:
                return False
            return self.is_plain or not (node.name[:2] == "__" and node.name[-2:] == "__")
        if not self.is_plain or not self.takes_members:
            return False
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            plain = len(names) == len(node.targets) and not set(names) & _SPECIAL
            return plain and not any(isinstance(child, ast.Call) for child in ast.walk(node.value))
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

    def _is_repeated(self, node: ast.stmt) -> bool:
        """Whether a name has several definitions that build on each other, as a property and its setter do."""
        name = getattr(node, "name", None)
        return name is not None and sum(getattr(item, "name", None) == name for item in self.node.body) > 1

    # Applying

    def apply(self, index: FunctionIndex) -> list[FunctionChange]:
        """Change the class."""
        journal = self.selection.effects.journal
        hidden = patch(self.bodies, index, journal)
        if self.define or self.removed:
            self._apply_members()
        return hidden

    def _apply_members(self) -> None:
        journal = self.selection.effects.journal
        reconciler = Reconciler(journal, self.selection.record.name)
        put = class_putter(self.cls)
        changed: set[str] = set()
        for name, value in self._made().items():
            before = self.cls.__dict__.get(name, MISSING)
            count = len(reconciler.bodies)
            result = reconciler.merged(before, value)
            if result is not before:
                journal.set_class_attribute(self.cls, name, result, put)
            if result is not before or len(reconciler.bodies) != count:
                changed.add(name)
        for name in (_mangled(name, self.cls) for name in self.removed):
            if name in self.cls.__dict__:
                journal.set_class_attribute(self.cls, name, MISSING, put)
                changed.add(name)
        if isinstance(self.cls, abc.ABCMeta):
            refresh_abstract(self.cls, journal)
        effects = self.selection.effects
        effects.facts.body(self.selection.record.name, *reconciler.bodies)
        effects.note_attributes(self.selection.record.name, self.node.name, changed)

    def _made(self) -> dict[str, Any]:
        """Run the member statements in a class of their own, in which the old members can be named."""
        if not self.define:
            return {}
        names, cls = self.selection.names, self.cls
        visible = {
            name: value
            for name, value in cls.__dict__.items()
            if name[:2] != "__" and is_a(value, (int, str, float, tuple, FunctionType, property, frozenset))
        }
        collect = ast.keyword("metaclass", ast.Name(_COLLECT, ast.Load()))
        body = sorted(self.define, key=lambda item: item.lineno)
        fields: dict[str, Any] = {"name": self.node.name, "bases": [], "keywords": [collect], "body": body}
        fields["decorator_list"] = []
        if sys.version_info >= (3, 12):
            fields["type_params"] = []
        temporary = ast.ClassDef(**fields)
        ast.copy_location(temporary, self.node)
        module = ast.fix_missing_locations(self.selection.parsed.alone(temporary))
        code = compile(module, self.selection.parsed.path, "exec", flags=self.selection.parsed.flags, dont_inherit=True)
        scope: dict[str, Any] = {_COLLECT: type("_Collect", (_Collect,), {"visible": visible})}
        exec(code, names, scope)  # the module itself never sees this class
        made: type = scope[self.node.name]
        retarget_cells(made, cls, self.selection.effects.journal)
        bound = {name for node in self.define for name in Statement(node, "").binds}
        if any(isinstance(node, ast.Expr) for node in self.define):
            bound.add("__doc__")
        return {mangled: made.__dict__[mangled] for mangled in (_mangled(name, cls) for name in bound)}


class _Collect(type):
    """Makes a class of some members; the other members of the real class can be named in its body."""

    visible: dict[str, Any] = {}

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **keywords: Any) -> dict[str, Any]:
        return dict(cls.visible)


def _mangled(name: str, cls: type) -> str:
    if name.startswith("__") and not name.endswith("__"):
        return f"_{cls.__name__.lstrip('_')}{name}"
    return name


def _is_described(cls: type) -> bool:
    """Whether a base class reads the members of its subclasses when they are made."""
    return any(
        "__init_subclass__" in base.__dict__
        for base in cls.__mro__[1:]
        if base.__module__ not in ("typing", "builtins")
    ) or issubclass(cls, tuple)


def _class_code(code: CodeType, name: str) -> CodeType | None:
    for const in code.co_consts:
        if isinstance(const, CodeType) and not is_deferred(const):
            if const.co_name == name:
                return const
            if const.co_name.startswith("<") and (inner := _class_code(const, name)) is not None:
                return inner
    return None
