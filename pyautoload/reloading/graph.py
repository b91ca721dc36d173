"""Graph: which module depends on which, name by name, and which functions import-time code may have called."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload.importing.stems import stem_for
from pyautoload.reloading.calls import is_gone, key_of, members_of
from pyautoload.reloading.functions import underlying
from pyautoload.reloading.index import Index
from pyautoload.reloading.kinds import contents, is_a, leads_nowhere
from pyautoload.reloading.records import Record, Records
from pyautoload.reloading.sources import CodeFacts, is_deferred, late_imports, names_in
from pyautoload.reloading.statements import LAMBDA

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["HELD_ONLY", "USED", "WHOLE", "Alias", "Graph", "made_by", "overridden"]

USED = "used at import time"
HELD_ONLY = "held only"
_CACHES = frozenset({"lru_cache", "cache", "*"})
# Stands for all names of a module that is used as an object.
WHOLE = "."


_NOBODY: Index[str] = Index()


class Alias(NamedTuple):
    """One name of another module that a module uses or holds.

    Attributes:
        module: the other module.
        attribute: its name there, ``"*"`` for all, ``None`` for the module itself, ``WHOLE`` for a module that is given
            to other code, so that any of its names may be used.
        local: the global name that holds it here, ``None`` where it is reached through a namespace or in a function.
        used: whether import-time code uses it.
    """

    module: str
    attribute: str | None
    local: str | None
    used: bool


class Graph:
    """Dependencies between managed modules, worked out lazily from records.

    Args:
        records: of the loaded modules.
        binder: of the loader, for names.
    """

    def __init__(self, records: Records, binder: Binder) -> None:
        self.records = records
        self.binder = binder
        # Module → what it uses and holds of others.
        self._aliases: dict[str, tuple[Alias, ...]] = {}
        # Module → those that import it. Example: {"myapp.base": ("myapp.user", "myapp.order")}
        self._importers: Index[str] = Index()
        # Module → modules imported at module level, for the order of execution.
        self._imports: dict[str, tuple[str, ...]] = {}
        # Module → function → modules whose import-time code may have called it.
        # Example: {"myapp.tools": {"slug": ("myapp.routes",)}}
        self._called: dict[str, Index[str]] = {}
        # Modules that define functions under `lru_cache`.
        self.cachers: set[str] = set()

    # Keeping up to date

    def update(self, limit: int | None = None) -> int:
        """Look at modules that were loaded since the last time.

        Args:
            limit: at most so many.

        Returns:
            How many were looked at.
        """
        done = 0
        fresh = self.records.fresh
        while fresh and (limit is None or done < limit):
            name = fresh.pop(0) if len(fresh) < 64 else self._pop_many(fresh)
            record = self.records.get(name)
            if record is not None:
                self._add(record)
            done += 1
        return done

    @staticmethod
    def _pop_many(fresh: list[str]) -> str:
        # A list gives up its last element at once, its first one only after moving all the others.
        return fresh.pop()

    def doubt(self, names: Iterable[str]) -> None:
        """What import-time code of these modules may call has to be traced anew, at the next reload at the latest."""
        known = set(self.records.fresh)
        fresh = [name for name in names if name in self._aliases and name not in known]
        self.records.fresh += fresh
        if fresh:
            self.records.on_fresh()

    def renew(self, record: Record) -> None:
        """A module's code has changed: look at it again."""
        self._add(record)

    def forget(self, name: str) -> None:
        """A module is not loaded any more."""
        self._drop_edges(name)
        self._importers.pop(name)
        self._called.pop(name, None)

    def _drop_edges(self, name: str) -> None:
        for target in {alias.module for alias in self._aliases.pop(name, ())}:
            self._importers.discard(target, name)
        self._imports.pop(name, None)
        self.cachers.discard(name)

    def _add(self, record: Record) -> None:
        self._drop_edges(record.name)
        self.records.complete(record)
        record.facts = None
        facts = record.scanned()
        aliases = tuple(self._resolve(record, facts))
        self._aliases[record.name] = aliases
        for module in {alias.module for alias in aliases}:
            self._importers.add(module, record.name)
        if _makes_caches(facts):
            self.cachers.add(record.name)
        self._trace_calls(record)
        # What follows from these is known now; there may be ten thousand records.
        record.facts = facts._replace(imports=(), chains=(), late_chains=(), bare=(), active=())

    # Edges

    def _resolve(self, record: Record, facts: CodeFacts) -> Iterator[Alias]:
        module = sys.modules.get(record.name)
        early: set[str] = set()
        for module_name, attribute, local in facts.imports:
            used = local is not None and local in facts.loads
            if used and local in facts.bare:
                yield from self._given_away(module_name, attribute, local)
            for alias in self._import(module_name, attribute, local, used):
                if local is not None or attribute == "*":
                    early.add(alias.module)
                yield alias
        for chains, used in ((facts.chains, True), (facts.late_chains, False)):
            for chain in chains:
                for alias in self._follow(module, chain, used):
                    if used:
                        early.add(alias.module)
                    yield alias
        self._imports[record.name] = tuple(early)

    def _import(self, name: str, attribute: str | None, local: str | None, used: bool) -> Iterator[Alias]:
        if not self._is_ours(name):
            return
        if attribute is None:
            yield Alias(name, None, local, used)
            return
        submodule = f"{name}.{attribute}"
        if submodule in self.records or (self.binder.registry.is_loaded(submodule) and attribute != "*"):
            yield Alias(submodule, None, local, used)
        yield Alias(name, attribute, local, used)
        yield from self._behind(name, attribute, local, used)

    def _given_away(self, name: str, attribute: str | None, local: str | None) -> Iterator[Alias]:
        """A module that import-time code does something with as a whole: all of its names count as used."""
        target = name if attribute is None else f"{name}.{attribute}"
        if target in self.records:
            yield Alias(target, WHOLE, local, True)

    def _behind(self, name: str, attribute: str, local: str | None, used: bool) -> Iterator[Alias]:
        """The module that the expected name ``attribute`` of a namespace comes from."""
        space = self.binder.registry.namespace(name)
        if space is None or attribute == "*":
            return
        stem, _ = stem_for(self.binder, attribute, space)
        if stem is not None and (full := f"{name}.{stem}" if name else stem) in self.records:
            yield Alias(full, attribute, local, used)

    def _follow(self, module: object, chain: tuple[str, ...], used: bool) -> Iterator[Alias]:
        """What a dotted read reaches: ``myapp.models.User`` is ``User`` of ``myapp.models``."""
        value = getattr(module, "__dict__", {}).get(chain[0])
        for attribute in chain[1:]:
            if not is_a(value, ModuleType) or not self._is_ours(value.__name__):
                return
            following = value.__dict__.get(attribute)
            if is_a(following, ModuleType) and following.__name__ == f"{value.__name__}.{attribute}":
                value = following
                continue
            yield Alias(value.__name__, attribute, None, used)
            yield from self._behind(value.__name__, attribute, None, used)
            return

    def _is_ours(self, name: str) -> bool:
        return (
            name in self.records or self.binder.registry.is_loaded(name) or self.binder.registry.get(name) is not None
        )

    def aliases(self, name: str) -> tuple[Alias, ...]:
        """What a module uses and holds of others."""
        return self._aliases.get(name, ())

    def importers(self, name: str) -> set[str]:
        """The modules that import ``name``, or reach into it."""
        return set(self._importers.get(name))

    def is_used(self, module: str, names: set[str]) -> bool:
        """Whether import-time code of another module uses one of the names of a module."""
        return any(
            alias.used and alias.module == module and alias.attribute in (*names, WHOLE, "*")
            for importer in self.importers(module) - {module}
            for alias in self.aliases(importer)
        )

    # Questions of users

    def dependencies(self, name: str) -> dict[str, str]:
        """Module → kind of the dependency, for everything that ``name`` depends on."""
        found: dict[str, str] = {}
        for alias in self.aliases(name):
            if alias.module not in self.records or alias.module == name:
                continue
            if alias.used or alias.module not in found:
                found[alias.module] = USED if alias.used else HELD_ONLY
        return dict(sorted(found.items()))

    def dependents(self, name: str, *, transitive: bool = False) -> dict[str, str]:
        """Module → kind of the dependency, for everything that depends on ``name``."""
        found: dict[str, str] = {}
        pending = [name]
        while pending:
            current = pending.pop()
            for importer in self.importers(current):
                kind = self.dependencies(importer).get(current)
                if kind is None or importer == name:
                    continue
                if importer not in found and transitive:
                    pending.append(importer)
                if found.get(importer) != USED:
                    found[importer] = kind
        return dict(sorted(found.items()))

    # Order

    def affected(self, names: Iterable[str]) -> set[str]:
        """``names`` and every module that imports one of them, directly or not."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self._importers.get(name)
        return found

    def ordered(self, names: set[str]) -> list[str]:
        """``names``, each after those that it imports; within a circle as they were loaded."""
        known = [record for name in names if (record := self.records.get(name)) is not None]
        known.sort(key=lambda record: record.order)
        result: list[str] = []
        seen: set[str] = set()
        for record in known:
            stack = [(record.name, iter(self._before(record.name, names)))]
            if record.name in seen:
                continue
            seen.add(record.name)
            while stack:
                name, before = stack[-1]
                following = next((item for item in before if item not in seen), None)
                if following is None:
                    result.append(name)
                    stack.pop()
                    continue
                seen.add(following)
                stack.append((following, iter(self._before(following, names))))
        return result + sorted(names - seen)

    def _before(self, name: str, names: set[str]) -> list[str]:
        found = [item for item in self._imports.get(name, ()) if item in names]
        return sorted(found, key=self._order_of) if len(found) > 1 else found

    def _order_of(self, name: str) -> int:
        record = self.records.get(name)
        return record.order if record is not None else 0

    def note_imports(self, record: Record, code_imports: Iterable[tuple[str, str | None, str | None]]) -> None:
        """What the new code of a module will import, before it has run: its dependencies must run first."""
        early = set(self._imports.get(record.name, ()))
        for module, attribute, local in code_imports:
            if local is not None or attribute == "*":
                early.update(alias.module for alias in self._import(module, attribute, local, False))
        self._imports[record.name] = tuple(early)

    # What import-time code may call

    def called_by(self, module: str, function: str) -> Collection[str]:
        """The modules whose import-time code may call a function of ``module``, directly or through others."""
        return self._called.get(module, _NOBODY).get(function)

    def called_in(self, module: str) -> Collection[str]:
        """The functions of ``module`` that any import-time code may call."""
        return self._called.get(module, _NOBODY).keys()

    def _trace_calls(self, record: Record) -> None:
        facts = record.facts
        module = sys.modules.get(record.name)
        if facts is None or module is None:
            return
        trace = _CallTrace(self.records, set(facts.attributes))
        for alias in self._aliases[record.name]:
            trace.visit(made_by(alias))
            if alias.attribute == "*" and record.code is not None:
                for _, value in overridden(alias.module, module, names_in(record.code)):
                    trace.visit(value)
        for name in facts.active:
            trace.visit(module.__dict__.get(name))
        for chain in facts.chains:
            trace.visit_chain(module.__dict__.get(chain[0]), chain[1:])
        for code in record.code.co_consts if record.code is not None else ():
            if not isinstance(code, CodeType) or not is_deferred(code):
                continue
            if code.co_name == LAMBDA or is_gone(module, code.co_name):
                trace.code(code, module.__dict__, (record.name, code.co_name))
        for owner, function in trace.found:
            callers = self._called.get(owner)
            if callers is None:
                callers = self._called[owner] = Index()
            callers.add(function, record.name)


def _makes_caches(facts: CodeFacts) -> bool:
    """Whether a module may define functions under ``lru_cache``."""
    taken = {item.attribute for item in facts.imports if item.module == "functools"}
    return not taken.isdisjoint(_CACHES) or (None in taken and not _CACHES.isdisjoint(facts.attributes))


def overridden(source: str, module: object, names: Iterable[str]) -> Iterator[tuple[str, object]]:
    """What a star import gave and the importing module has bound anew: until then import-time code may have used it.

    Args:
        source: the module from which it came.
        module: that imported it.
        names: those that matter.
    """
    given, held = getattr(sys.modules.get(source), "__dict__", {}), getattr(module, "__dict__", {})
    for name in names:
        if name in given and name in held and given[name] is not held[name]:
            yield name, given[name]


def made_by(alias: Alias) -> FunctionType | None:
    """The ``__getattr__`` of a module that made what was taken from it, if its own code has not bound that name."""
    names = getattr(sys.modules.get(alias.module), "__dict__", {})
    getter = names.get("__getattr__")
    if getter is None or alias.attribute in (None, "*", WHOLE) or alias.attribute in names:
        return None
    return getter if type(getter) is FunctionType else None


class _CallTrace:
    """Follows what may be called from a set of values, by what functions mention: too much rather than too little."""

    def __init__(self, records: Records, attributes: set[str]) -> None:
        self.records = records
        self.found: set[tuple[str, str]] = set()
        # Names that any of the code mentions: members of these names may be what it calls.
        self.attributes = attributes
        # Classes whose instances may be used on the way.
        self.classes: list[type] = []
        self._seen: set[int] = set()

    def visit(self, value: object) -> None:
        kind = type(value)
        if leads_nowhere(value) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if issubclass(kind, ModuleType):
            return
        if is_a(value, type):
            self._class(value)
        elif kind.__module__ in self.records:
            self._class(kind)
        for item in contents(value):
            self.visit(item)
        for function in underlying(value):
            self._function(function)

    def visit_chain(self, value: object, rest: tuple[str, ...]) -> None:
        for attribute in rest:
            if not is_a(value, ModuleType):
                return
            value = value.__dict__.get(attribute)
            self.visit(value)

    def _class(self, cls: type) -> None:
        for base in cls.__mro__:
            if base.__module__ not in self.records or members_of(base) in self.found:
                continue
            self.found.add(members_of(base))
            self.classes.append(base)
            for name, member in list(base.__dict__.items()):
                if name in self.attributes or (name[:2] == "__" and name not in ("__dict__", "__weakref__")):
                    self._member(member)
        meta = type(cls)
        if meta is not type and meta.__module__ in self.records:
            self.visit(meta)

    def _member(self, member: object) -> None:
        for function in underlying(member):
            self._function(function)

    def _mention(self, names: set[str]) -> None:
        fresh = names - self.attributes
        self.attributes |= fresh
        for cls in list(self.classes):
            members = cls.__dict__
            for name in fresh:
                if name in members:
                    self._member(members[name])

    def _function(self, function: FunctionType) -> None:
        key = key_of(function)
        if id(function.__code__) in self._seen or key[0] not in self.records:
            return
        self._seen.add(id(function.__code__))
        self.code(function.__code__, function.__globals__, key)

    def code(self, code: CodeType, scope: dict[str, Any], key: tuple[str, str]) -> None:
        """Follow what the code of a function mentions."""
        self.found.add(key)
        names = names_in(code)
        self._mention(names)
        for module, attribute, _ in late_imports(code, scope.get("__package__") or ""):
            if module in self.records and attribute is not None:
                self.visit(sys.modules[module].__dict__.get(attribute) if module in sys.modules else None)
        for name in names:
            value = scope.get(name)
            if is_a(value, ModuleType):
                if value.__name__ in self.records:
                    for attribute in names:
                        self.visit(value.__dict__.get(attribute))
            else:
                self.visit(value)
        owner = scope.get(key[1].partition(".")[0])
        if is_a(owner, type):
            self._class(owner)
