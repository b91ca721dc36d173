"""Affected: whether what has changed was used while a module was imported, so that its code has to run again.

Where that cannot be told (``getattr`` with a computed name, a module that is given to other code), it counts as used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType, ModuleType

from pyautoload.reloading.code.codefacts import dotted_texts
from pyautoload.reloading.code.nested import import_time_codes
from pyautoload.reloading.code.opcodes import (
    ATTR_SHIFT,
    GLOBAL_SHIFT,
    LOAD_ATTR,
    LOAD_GLOBAL,
    LOAD_METHOD,
    LOAD_NAME,
    instructions_of,
)
from pyautoload.reloading.dependencies.aliases import WHOLE
from pyautoload.reloading.dependencies.changes import Changes
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.objects.journal import MISSING
from pyautoload.reloading.records.record import Record

__all__ = ["Affected"]

# Ways to reach a name that the code does not spell out.
_BY_NAME = frozenset(
    {"getattr", "hasattr", "vars", "dir", "eval", "exec", "attrgetter", "__dict__", "__getattribute__"}
)


class Affected:
    """Answers for one reload.

    Args:
        graph: the dependencies.
        changes: what has changed so far.
    """

    def __init__(self, graph: Graph, changes: Changes) -> None:
        self.graph = graph
        self.records = graph.records
        self.changes = changes
        # Module → its names that mean something else, also those that others gave it; as of a count of changes.
        self._reexported: dict[str, dict[str, int]] = {}
        self._counted = -1

    def _changed(self, module: str) -> dict[str, int]:
        """The names of a module that mean something else, whether it makes them or has them from another module."""
        if self._counted != self.changes.count:
            self._reexported.clear()
            self._counted = self.changes.count
        known = self._reexported.get(module)
        if known is not None:
            return known
        found = self._reexported[module] = dict(
            self.changes.names.get(module, ())
        )  # first of all: modules go in circles
        for alias in self.graph.aliases(module):
            if alias.attribute == "*":
                for name, noted in self._changed(alias.module).items():
                    found[name] = max(noted, found.get(name, -1))
            elif alias.local is not None and alias.attribute not in (None, WHOLE):
                noted = self._changed(alias.module).get(alias.attribute or "", -1)
                if noted > found.get(alias.local, -1):
                    found[alias.local] = noted
        return found

    def candidates(self, names: Iterable[str]) -> set[str]:
        """The modules that changes in ``names`` may concern."""
        found = self.graph.affected(names)
        codes = self.changes.codes
        for record in self.records.all():
            if record.name in found:
                continue
            if (
                record.reaches_anywhere
                or self._named(record, -1)
                or any(known and not codes.keys().isdisjoint(known) for known in (record.ran, record.reads))
            ):
                found.add(record.name)
        return found

    def why(self, record: Record, since: int = -1) -> str | None:
        """Why a module has to run again, ``None`` where it has not.

        Args:
            record: of the module.
            since: what was noted up to then it has seen already.
        """
        changes = self.changes
        if record.is_adopted and any(a.module in changes.modules for a in self.graph.aliases(record.name)):
            return "what it uses has changed, and it was loaded before anything was recorded"
        if changes.count <= since:
            return None
        for known in _common(changes.codes, record.ran, since):
            return f"{_called(known)} has changed, which ran while it was imported"
        for known in _common(changes.codes, record.reads, since):
            return f"{_called(known)} has changed, whose code was looked at while it was imported"
        found = self._names(record, since) or self._star(record, since) or self._named(record, since)
        if found is not None:
            return found
        return self._attributes(record, since)

    def _names(self, record: Record, since: int) -> str | None:
        names = self.changes.names
        facts = record.scanned()
        own = names.get(record.name)
        if own:
            for name in facts.loads:
                if own.get(name, -1) > since:
                    return f"{record.name}.{name} has changed, which it uses"
        for alias in self.graph.aliases(record.name):
            changed = self._changed(alias.module)
            if not changed or alias.module == record.name:
                continue  # a module that imports itself has nothing of others by that
            if alias.local is not None and alias.attribute in changed and self._is_gone(alias.module, alias.attribute):
                return f"{alias.module}.{alias.attribute} is gone, which it imports"
            if not alias.used:
                continue
            if alias.attribute == WHOLE:
                return f"{alias.module} has changed, which it gives to other code"
            if alias.attribute is not None and changed.get(alias.attribute, -1) > since:
                return f"{alias.module}.{alias.attribute} has changed, which it uses"
            if alias.attribute is None and (found := _first(changed, facts.attributes, since)):
                return f"{alias.module}.{found} has changed, which it uses"
        for code in (record.ran or {}).values():
            module = self.records.by_path.get(code.co_filename)
            changed = self._changed(module) if module is not None else {}
            if changed and (found := _first(changed, _names_of(code), since)):
                return f"{module}.{found} has changed, which {_called(code)} used while it was imported"
            for alias in self.graph.aliases(module) if module is not None else ():
                # An import within the function: nothing of its module's own has changed.
                if alias.attribute in code.co_names and self._changed(alias.module).get(alias.attribute, -1) > since:
                    return f"{alias.module}.{alias.attribute} has changed, which {_called(code)} took meanwhile"
        return None

    def _is_gone(self, module: str, name: str) -> bool:
        _, now = self.changes.replaced.get(module, {}).get(name, (None, None))
        return now is MISSING

    def _star(self, record: Record, since: int) -> str | None:
        for alias in self.graph.aliases(record.name):
            changed = self._changed(alias.module)
            if alias.attribute == "*" and changed and any(noted > since for noted in changed.values()):
                return f"{alias.module} has changed, of which it imports everything"
        return None

    def _named(self, record: Record, since: int) -> str | None:
        """Modules that a text names, for somebody who imports by name."""
        texts = list(record.scanned().dotted)
        for code in (record.ran or {}).values():
            texts += dotted_texts(code)
        for text in texts:
            for module in (text, text.rpartition(".")[0]):
                changed = self._changed(module)
                if changed and module != record.name and any(noted > since for noted in changed.values()):
                    return f"{module} has changed, which it names by a text"
        return None

    def _attributes(self, record: Record, since: int) -> str | None:
        """Attributes that import-time code reads by their names, or by names that it computes."""
        fresh = {name for name, noted in self.changes.attributes.items() if noted > since}
        codes = [*import_time_codes(record.code), *(record.ran or {}).values()] if record.code is not None else []
        for code in codes:
            for name in fresh.intersection(code.co_names) or fresh.intersection(_strings_of(code)):
                if self._reads_member(code, name):
                    return f"the attribute {name} has changed, which it reads while it is imported"
        changed = [name for name, names in self.changes.names.items() if any(noted > since for noted in names.values())]
        others = [name for name in changed if name != record.name]
        if record.reaches_anywhere and others:
            return f"{others[0]} has changed, and it imports names that it computes"
        for code in codes:
            module = self.records.by_path.get(code.co_filename, record.name)
            if module in changed and "globals" in code.co_names and code.co_name != "__getattr__":
                return f"{module} has changed, of which {_called(code)} read names that it computes"
            for name in others:
                if not _BY_NAME.isdisjoint(code.co_names) and self._holds_module(module, name):
                    return f"{name} has changed, and it reads names that it computes"
                found = _first(self.changes.names[name], code.co_names, since)
                if found and module != name and self._holds_module(module, name):
                    return f"{name}.{found} has changed, which {_called(code)} used while it was imported"
        return None

    def _reads_member(self, code: CodeType, name: str) -> bool:
        """Whether code reads an attribute of something else than a module: those are looked at name by name."""
        if name not in code.co_names:
            return True  # by a text
        owner = sys.modules.get(self.records.by_path.get(code.co_filename, ""))
        names = getattr(owner, "__dict__", {})
        before = None
        for op, arg in instructions_of(code):
            attribute = arg >> ATTR_SHIFT if op == LOAD_ATTR else arg
            is_read = op in (LOAD_ATTR, LOAD_METHOD) and code.co_names[attribute] == name
            if is_read and (before is None or not isinstance(names.get(before), ModuleType)):
                return True
            before = code.co_names[arg >> GLOBAL_SHIFT] if op == LOAD_GLOBAL else None
            if op == LOAD_NAME:
                before = code.co_names[arg]
        return False

    def _holds_module(self, module: str, other: str) -> bool:
        """Whether a module has another one as an object, of which it may read any name."""
        return any(a.module == other and a.attribute in (None, WHOLE, "*") for a in self.graph.aliases(module))


def _common(changed: dict[int, tuple[CodeType, int]], known: Iterable[int] | None, since: int) -> Iterable[CodeType]:
    for code in known or ():
        found = changed.get(code)
        if found is not None and found[1] > since:
            yield found[0]


def _first(changed: dict[str, int], mentioned: Iterable[str], since: int) -> str | None:
    for name in mentioned:
        if changed.get(name, -1) > since:
            return name
    return None


def _names_of(code: CodeType) -> tuple[str, ...]:
    return code.co_names


def _strings_of(code: CodeType) -> list[str]:
    return [const for const in code.co_consts if type(const) is str and const.isidentifier()]


def _called(code: CodeType) -> str:
    return getattr(code, "co_qualname", code.co_name)
