"""What the changes so far mean for one module that depends on what has changed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyautoload.reloading.facts import ValueFact
from pyautoload.reloading.graph import Alias
from pyautoload.reloading.journal import MISSING
from pyautoload.reloading.records import Record

if TYPE_CHECKING:
    from pyautoload.reloading.apply import Transaction

__all__ = ["Need", "need_of"]

# Attributes of a class that make themselves felt wherever the class is a base or is gone through.
_FAR_REACHING = frozenset(
    {
        "__bases__",
        "__init_subclass__",
        "__class_getitem__",
        "__dataclass_fields__",
        "__slots__",
        "_fields",
        "_member_map_",
        "_member_names_",
        "__annotations__",
        "__annotate_func__",
    }
)


def _names(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []


@dataclass
class Need:
    """What a dependent needs.

    Attributes:
        rebinds: global name → what it has to be bound to.
        changed: global names whose values have changed and that import-time code uses.
        calls: functions that behave differently and that import-time code calls.
        missing: an import of the module will fail.
        through: a value reached through a namespace at import time has changed.
        star: what a ``from x import *`` gives is another list of names.
    """

    rebinds: dict[str, ValueFact] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)
    missing: bool = False
    through: set[str] = field(default_factory=set)
    star: bool = False

    @property
    def runs(self) -> bool:
        """Whether import-time code has to run again."""
        return bool(self.changed or self.calls or self.missing or self.through or self.star)

    def __bool__(self) -> bool:
        return self.runs or bool(self.rebinds)


def need_of(transaction: Transaction, record: Record) -> Need:
    """What ``record``'s module needs, given the changes so far."""
    facts, need = transaction.facts, Need()
    _spread_to_functions(transaction, record)
    for alias in transaction.graph.aliases(record.name):
        if not facts.knows(alias.module) or alias.module == record.name:
            continue
        if alias.module in facts.gone:
            _note_gone(alias, need)
        elif alias.attribute == "*":
            _note_star(transaction, record, alias, need)
        elif alias.attribute is not None:
            fact = facts.values.get(alias.module, {}).get(alias.attribute)
            if fact is not None:
                _note_value(record, alias, fact, need)
            attributes = facts.attributes.get(alias.module, {}).get(alias.attribute)
            if attributes and alias.used and _matters(record, alias, attributes):
                _note_used(alias, need)
    bodies = {function for function in facts.bodies if record.name in transaction.graph.called_by(*function)}
    if bodies and transaction.search.statements(record.name, bodies):
        need.calls = bodies
    return need


def _spread_to_functions(transaction: Transaction, record: Record) -> None:
    """Functions that import-time code calls behave differently when what they reach in other modules has changed.

    ``def f(): return base.LIMIT`` looks up ``LIMIT`` in the other module whenever it runs; so does a function that
    imports it, or that asks a class for an attribute.
    """
    called = transaction.graph.called_in(record.name)
    if not called:
        return
    facts, names, members = transaction.facts, set(), set()
    for alias in transaction.graph.aliases(record.name):
        if alias.attribute is None or alias.module == record.name or not facts.knows(alias.module):
            continue
        if alias.local is None and alias.attribute in facts.values.get(alias.module, ()):
            names.add(alias.attribute)
        of_classes = facts.attributes.get(alias.module, {})
        members |= set().union(*of_classes.values()) if alias.attribute == "*" else of_classes.get(alias.attribute, set())
    for function in called if names or members else ():
        if transaction.mentions(record.name, function, names | members):
            facts.bodies.add((record.name, function))


def _note_gone(alias: Alias, need: Need) -> None:
    if alias.local is not None or alias.attribute == "*" or alias.used:
        need.missing = True
        if alias.local is not None:
            need.changed.add(alias.local)


def _note_value(record: Record, alias: Alias, fact: ValueFact, need: Need) -> None:
    if alias.local is None:
        if alias.used:
            _note_used(alias, need)
        return
    held = sys.modules[record.name].__dict__.get(alias.local, MISSING)
    if held is MISSING or (held is fact.new and not fact.is_removal):
        return  # it was brought up to date before, or the import is one that did not run
    if fact.is_removal:
        need.missing = True
        need.changed.add(alias.local)
        return
    if alias.used:
        need.changed.add(alias.local)
    need.rebinds[alias.local] = fact


def _note_used(alias: Alias, need: Need) -> None:
    if alias.local is not None:
        need.changed.add(alias.local)
    else:
        assert alias.attribute is not None
        need.through.add(alias.attribute)


def _matters(record: Record, alias: Alias, attributes: set[str]) -> bool:
    """Whether import-time code that uses a class can tell that these attributes of it have changed."""
    facts = record.scanned()
    return bool(attributes.intersection(facts.attributes) or attributes & _FAR_REACHING)


def _note_star(transaction: Transaction, record: Record, alias: Alias, need: Need) -> None:
    names = sys.modules[record.name].__dict__
    loads = record.scanned().loads
    source = sys.modules.get(alias.module)
    exported = getattr(source, "__all__", None)
    listed = transaction.facts.values.get(alias.module, {}).get("__all__")
    if listed is not None:
        need.star = True
        for name in set(_names(listed.old)) - set(_names(listed.new)):
            held = names.get(name, MISSING)
            if held is not MISSING and held is getattr(source, name, MISSING):
                need.rebinds[name] = ValueFact(held, MISSING)
    for name, fact in transaction.facts.values.get(alias.module, {}).items():
        if name == "__all__" or (exported is not None and fact.old is MISSING and name not in exported):
            continue
        if name[:1] == "_" and exported is None:
            continue
        held = names.get(name, MISSING)
        if held is not fact.old or held is fact.new:
            continue
        need.rebinds[name] = fact
        if name in loads:
            need.changed.add(name)
    for cls, attributes in transaction.facts.attributes.get(alias.module, {}).items():
        if cls in loads and _matters(record, alias, attributes):
            need.changed.add(cls)
