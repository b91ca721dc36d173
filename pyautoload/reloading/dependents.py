"""What the changes so far mean for one module that depends on what has changed."""

from __future__ import annotations

import sys

from pyautoload.reloading.aliases import WHOLE, Alias, made_by, overridden
from pyautoload.reloading.effects import Effects
from pyautoload.reloading.facts import Facts, ValueFact
from pyautoload.reloading.journal import MISSING
from pyautoload.reloading.kinds import leads_nowhere
from pyautoload.reloading.need import Need
from pyautoload.reloading.nested import names_in
from pyautoload.reloading.record import Record
from pyautoload.reloading.stars import note_star

__all__ = ["need_of"]

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


def need_of(effects: Effects, record: Record) -> Need:
    """What ``record``'s module needs, given the changes so far."""
    facts, need = effects.facts, Need()
    since = effects.seen.get(record.name, 0)
    effects.seen[record.name] = facts.tick
    for alias in effects.graph.aliases(record.name):
        if not facts.knows(alias.module) or alias.module == record.name:
            continue
        if alias.module in facts.gone:
            if not since:
                _note_gone(alias, need)
        elif alias.attribute == "*":
            note_star(effects, record, alias, need, since)
        elif alias.attribute == WHOLE:
            if any(fact.tick > since for fact in facts.values.get(alias.module, {}).values()):
                _note_used(alias, need)
        elif alias.attribute is not None:
            fact = facts.values.get(alias.module, {}).get(alias.attribute)
            if fact is not None and fact.tick > since:
                _note_value(record, alias, fact, need)
    _note_made(effects, record, need, since)
    if facts.attributes:
        _note_members(effects, record, need, since)
    own = _functions_in_need(effects, record, need, since)
    if own:
        facts.body(record.name, *own)
        effects.seen[record.name] = facts.tick
    called_by = effects.graph.called_by
    bodies = {item for item, tick in facts.bodies.items() if tick > since and record.name in called_by(*item)}
    if bodies and effects.search.statements(record.name, bodies):
        need.calls = bodies
    for alias in effects.graph.aliases(record.name) if bodies else ():
        if alias.attribute == "*" and record.code is not None:
            names = overridden(alias.module, sys.modules[record.name], names_in(record.code))
            need.contested |= {name for name, value in names if not leads_nowhere(value)}
            need.star = need.star or bool(need.contested)
    return need


def _functions_in_need(effects: Effects, record: Record, need: Need, since: int) -> list[str]:
    """Functions that import-time code calls behave differently when what they reach in other modules has changed.

    ``def f(): return base.LIMIT`` looks up ``LIMIT`` in the other module whenever it runs; so does a function that
    imports it, or that asks a class for an attribute.
    """
    called = effects.graph.called_in(record.name)
    if not called:
        return []
    facts = effects.facts
    names: set[str] = {*need.rebinds, *need.changed}
    for alias in effects.graph.aliases(record.name):
        if alias.module == record.name:
            continue
        attribute = alias.attribute or ""
        fact = facts.values.get(alias.module, {}).get(attribute) if alias.local is None else None
        if fact is not None and fact.tick > since:
            names.add(attribute)
        for value in _held(record, alias) if facts.attributes else ():
            names |= _changed_members(facts, value, since)
    return [name for name in called if names and effects.mentions(record.name, name, names)]


def _held(record: Record, alias: Alias) -> list[object]:
    """The objects that an import, or a dotted name, stands for just now."""
    if alias.attribute == "*":
        names = sys.modules[record.name].__dict__
        return [names[name] for name in record.scanned().loads if name in names]
    module, name = (record.name, alias.local) if alias.local is not None else (alias.module, alias.attribute or "")
    names = getattr(sys.modules.get(module), "__dict__", {})
    return [names[name]] if name in names else []


def _changed_members(facts: Facts, value: object, since: int) -> set[str]:
    """The attributes that changed of a class, its bases, or the class of an instance, wherever it was imported from."""
    kind = type(value)  # not `isinstance`, which asks proxies for their class
    found: set[str] = set()
    for base in value.__mro__ if issubclass(kind, type) else kind.__mro__:  # type: ignore[attr-defined]
        of_module = facts.attributes.get(base.__module__)
        if of_module:
            found |= {name for name, tick in of_module.get(base.__qualname__, {}).items() if tick > since}
    return found


def _note_made(effects: Effects, record: Record, need: Need, since: int) -> None:
    """Names that a module does not bind itself: its ``__getattr__`` may give another answer now."""
    for alias in effects.graph.aliases(record.name):
        if effects.facts.bodies.get((alias.module, "__getattr__"), 0) <= since or made_by(alias) is None:
            continue
        if alias.local is not None:
            need.missing = True
            need.changed.add(alias.local)
        elif alias.used:
            _note_used(alias, need)


def _note_members(effects: Effects, record: Record, need: Need, since: int) -> None:
    """What import-time code uses of classes whose attributes have changed in place."""
    facts = effects.facts
    for alias in effects.graph.aliases(record.name):
        if alias.attribute in (None, WHOLE) or alias.module == record.name:
            continue
        if alias.attribute == "*":
            names = sys.modules[record.name].__dict__
            for name in record.scanned().loads:
                if name in names and _matters(record, _changed_members(facts, names[name], since)):
                    need.changed.add(name)
        elif alias.used and any(
            _matters(record, _changed_members(facts, value, since)) for value in _held(record, alias)
        ):
            _note_used(alias, need)


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


def _matters(record: Record, attributes: set[str]) -> bool:
    """Whether import-time code that uses a class can tell that these attributes of it have changed."""
    if not attributes:
        return False
    return bool(attributes.intersection(record.scanned().attributes) or attributes & _FAR_REACHING)
