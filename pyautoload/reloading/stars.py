"""What a module needs that took everything by a star from another one, which has changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from pyautoload.reloading.aliases import Alias
from pyautoload.reloading.effects import Effects
from pyautoload.reloading.facts import ValueFact
from pyautoload.reloading.imports import exported_by, source_of, star_imports
from pyautoload.reloading.journal import MISSING
from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.need import Need
from pyautoload.reloading.record import Record

__all__ = ["note_star"]


def note_star(effects: Effects, record: Record, alias: Alias, need: Need, since: int) -> None:
    """Note what a module needs because of one star import.

    Args:
        effects: what has changed so far.
        record: of the module.
        alias: the import.
        need: takes it.
        since: the tick up to which the module has been brought.
    """
    star = _Star(effects, record, alias)
    star.note_list(need, since)
    star.note_values(need, since)
    need.star = need.star or bool(need.contested)


class _Star:
    def __init__(self, effects: Effects, record: Record, alias: Alias) -> None:
        self.record = record
        self.names: dict[str, Any] = sys.modules[record.name].__dict__
        self.source = sys.modules.get(alias.module)
        # What has changed of the other module. Example: {"LIMIT": ValueFact(5, 7)}
        self.known = effects.facts.values.get(alias.module, {})
        # Its `__all__`, if that is another one than before.
        self.listed = self.known.get("__all__")
        # What the star gives, and what it gave before the reload.
        exported, held = getattr(self.source, "__all__", None), vars(self.source) if self.source is not None else {}
        self.now = _given(exported, held)
        self.before = _given(exported if self.listed is None else self.listed.old, {**held, **self.known})
        self.others = _bound_otherwise(effects, record, alias.module)

    def note_list(self, need: Need, since: int) -> None:
        """The names that came and went with ``__all__``."""
        if self.listed is None or self.listed.tick <= since:
            return
        need.star = True
        for name in self.before - self.now:
            held = self.names.get(name, MISSING)
            if name in self.others:
                need.contested.add(name)
            elif held is not MISSING and self._came_from_it(name, held):
                need.rebinds[name] = ValueFact(held, MISSING)
        need.contested |= {name for name in self.now & self.others if not _is_module(self.names.get(name))}

    def _came_from_it(self, name: str, held: object) -> bool:
        return held is getattr(self.source, name, MISSING) or (name in self.known and self.known[name].was(held))

    def note_values(self, need: Need, since: int) -> None:
        """The names that stand for something else now."""
        loads = self.record.scanned().loads
        for name, fact in self.known.items():
            if name == "__all__" or fact.tick <= since or name in need.rebinds:
                continue
            if name not in self.now and not (fact.is_removal and name in self.before):
                continue
            held = self.names.get(name, MISSING)
            if name in self.others:
                # Which of them holds is for the order, and what stands between the two used what was imported.
                if held is not fact.new or not _is_module(held):
                    need.contested.add(name)
                continue
            if not fact.was(held) or held is fact.new:
                continue
            need.rebinds[name] = fact
            if name in loads:
                need.changed.add(name)


def _given(listed: object, names: Iterable[str]) -> set[str]:
    """What a star import gives of a module whose ``__all__`` is ``listed``, if it has one."""
    if isinstance(listed, (list, tuple)):
        return {item for item in listed if isinstance(item, str)}
    return {name for name in names if name[:1] != "_"}


def _bound_otherwise(effects: Effects, record: Record, source: str) -> set[str]:
    """The names that a module binds by other statements than the star import of one other module."""
    parsed = effects.parsed(record.name)
    if parsed is None:
        return set()
    found, package = parsed.bound(), sys.modules[record.name].__dict__.get("__package__")
    for item in parsed.statements:
        for star in star_imports(item.node):
            if source_of(star, package) != source:
                found.update(exported_by(star, package, effects.gone))
    return found


def _is_module(value: object) -> bool:
    return is_a(value, ModuleType)  # the same from wherever it was imported
