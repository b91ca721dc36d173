"""Rerun: modules leave and are imported again, in their own module objects, as a fresh process would import them.

The import system does the work: what is to run again is taken out of ``sys.modules``, its dict is emptied, and it is
imported in the order of the first time. So imports, circles, ``__init__.py`` and callbacks are what they always are.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from types import CodeType, ModuleType
from typing import Any

from pyautoload.importing.hooked_code import code_through_hook
from pyautoload.importing.namespace_access import access_of
from pyautoload.lazy.imports import rerunning
from pyautoload.reloading.applying.cross_module_stores import StoredInto
from pyautoload.reloading.applying.module_entries import ModuleEntries
from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.takeover import Takeover
from pyautoload.reloading.code.codefacts import scan
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.objects.journal import Journal
from pyautoload.reloading.objects.values import shapes_of
from pyautoload.reloading.planning.plan import NewVersion
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.restart import RestartNeeded

__all__ = ["Rerun", "Reruns"]


# Functions that would see how the names of a module are bound.
_LOOKS_AT_NAMES = frozenset({"locals", "vars", "dir", "exec", "eval", "_getframe", "currentframe", "stack"})


class Rerun:
    """One module that runs again.

    Attributes:
        module: the module object, which stays.
        code: what is executed.
        path: the file that it is of now, a directory for a package without code.
        former: the record of before.
        version: the new state of its file, ``None`` where that has not changed.
        has_run: whether the code has run to its end.
    """

    def __init__(self, reruns: Reruns, former: Record, module: ModuleType, version: NewVersion | None) -> None:
        code = version.code if version is not None else former.code
        assert code is not None
        if version is not None and reruns.entries.binder.is_hooked(former.name):
            code = code_through_hook(module, version.source, version.path)
        self.module = module
        self.code: CodeType = code
        self.path = version.path if version is not None else former.path
        self.former = former
        self.version = version
        self.has_run = False
        # When it ended, as a count of changes.
        self.seen = 0
        self._reruns = reruns

    def execute(self) -> None:
        """Run the code in the module; names are bound by way of the takeover, unless the code looks at its names."""
        names, code = self.module.__dict__, self.code
        policy = self._reruns.entries.binder.tree.config.lazy_for(self.path)
        if policy is not None or sys.version_info >= (3, 15):
            code = rerunning.runnable_again(code, self.module, policy, lambda: _source_of(self))
        if _LOOKS_AT_NAMES.isdisjoint(self.code.co_names):
            exec(code, names, self._reruns.takeover.binding(self.former.name, names))
        else:
            exec(code, names)

    def settle(self, module: ModuleType) -> None:
        """The code has run: bring what was there before and what it made together."""
        aside = rerunning.set_aside(module)
        self._settle(module)
        rerunning.put_back(module, aside)

    def _settle(self, module: ModuleType) -> None:
        reruns, name = self._reruns, self.former.name
        record = reruns.entries.records.executing()
        fresh = shapes_of(module.__dict__, {})
        if record is not None and record.name == name:
            record.shapes = fresh
            reruns.entries.records.look_at_classes(record)
        reruns.takeover.settle(name, module, fresh)
        if record is not None and record.name == name:
            record.classes = reruns.takeover.standing(record.classes)
            for qualname, members in reruns.takeover.state.kept_members.get(name, {}).items():
                if record.members is not None and qualname in record.members:
                    record.members[qualname].update(members)
        reruns.stored.look_after(name, reruns.takeover.state.kept.get(name, ()))
        reruns.restore_children(name, module)
        self.has_run = True
        self.seen = reruns.takeover.state.changes.count


class Reruns:
    """The modules that one attempt runs again.

    Args:
        entries: of the loader.
        graph: the dependencies.
        takeover: brings old and new together.
        stored: finds out who stores into whom.
        journal: remembers how to take everything back.
    """

    def __init__(
        self, entries: ModuleEntries, graph: Graph, takeover: Takeover, stored: StoredInto, journal: Journal
    ) -> None:
        self.entries = entries
        self.graph = graph
        self.stored = stored
        self.takeover = takeover
        self.journal = journal
        # Module → its rerun, in the order in which they were taken out.
        self.all: dict[str, Rerun] = {}
        # Module → its names that were not resolved when it was taken out, with what they stand for.
        self.aside: dict[str, dict[str, Any]] = {}
        # The module whose code runs, for the error.
        self.current = ""

    def take_out(self, names: Iterable[str], versions: dict[str, NewVersion]) -> None:
        """Take modules out of ``sys.modules`` and empty them.

        Args:
            names: in the order in which they are to be imported.
            versions: module → the new state of its file.
        """
        records, binder = self.entries.records, self.entries.binder
        taken: list[str] = []
        for name in names:
            record, module = records.get(name), sys.modules.get(name)
            if record is None or name in self.all:
                continue
            self._check(record, module, versions.get(name))
            assert isinstance(module, ModuleType)
            self.aside[name] = rerunning.set_aside(module)
            rerun = self.all[name] = Rerun(self, record, module, versions.get(name))
            self.takeover.expect(name, self._former(record, module, rerun), rerun.code)
            if record.cleanups is not None:
                self.takeover.state.cleaned.add(name)
                self.takeover.state.anew.add(name)
            taken.append(name)
        self._note_undo(taken)
        self.current = taken[0] if taken else ""
        for name in sorted(taken, key=lambda name: -self.all[name].former.order):
            records.clean_up(name)  # all of them before the first one is emptied: they may use each other
        binder.unload(taken, for_good=False)
        for name in taken:
            records.forget(name)
            binder.reruns[name] = self.all[name]
            module = self.all[name].module
            module.__dict__.clear()
            module.__dict__["__doc__"] = None
            if type(module) is not ModuleType:
                module.__class__ = ModuleType

    def _former(self, record: Record, module: ModuleType, rerun: Rerun) -> FormerModule:
        aliases = self.graph.aliases(record.name)
        imported = {alias.local for alias in aliases if alias.local is not None}
        if rerun.version is not None:
            facts = scan(rerun.version.code, record.package)
            imported |= {fact.local for fact in facts.imports if fact.local is not None}
        for source in {alias.module for alias in aliases if alias.attribute == "*"}:
            given = getattr(sys.modules.get(source), "__dict__", {})
            imported |= {name for name, value in module.__dict__.items() if given.get(name, self) is value}
        return FormerModule(module, record, frozenset(imported), frozenset(self.entries.stored_names(record.name)))

    def _check(self, record: Record, module: object, version: NewVersion | None) -> None:
        if not isinstance(module, ModuleType) or module.__dict__.get("__name__") != record.name:
            raise RestartNeeded(record.name, "it has put something else into its own place")
        if version is None and record.code is None:
            raise RestartNeeded(record.name, "its code is not known")

    def _note_undo(self, names: list[str]) -> None:
        """All that must be put back: modules, their content, their packages' content, what the registry knows."""
        records, registry = self.entries.records, self.entries.binder.registry
        for parent in {name.rpartition(".")[0] for name in names} - set(names):
            module = sys.modules.get(parent)
            if isinstance(module, ModuleType):
                self.journal.keep_module(module)
        for name in names:
            rerun = self.all[name]
            module, record = rerun.module, rerun.former
            content, kind, status = dict(module.__dict__), type(module), registry.loaded_status(name)
            place = records.order_of(name)
            aside = self.aside[name]

            def undo(
                name: str = name,
                module: ModuleType = module,
                record: Record = record,
                content: dict[str, object] = content,
                kind: type = kind,
                status: object = status,
                place: int = place,
                aside: dict[str, Any] = aside,
            ) -> None:
                sys.modules[name] = module
                rerunning.set_aside(module)
                module.__dict__.clear()
                module.__dict__.update(content)
                rerunning.put_back(module, aside)
                if type(module) is not kind:
                    module.__class__ = kind
                records.put_back(record, place)
                if status is not None:
                    registry.mark_loaded(name, status.path, status.mtime_ns)  # type: ignore[attr-defined]

            self.journal.note(undo)

    def run(self, names: Iterable[str]) -> None:
        """Import what was taken out.

        Raises:
            Exception: whatever the code of a module raises.
        """
        with self.takeover.watching_classes():
            for name in names:
                rerun = self.all[name]
                if rerun.has_run:
                    continue
                self.current = name
                importlib.import_module(name)
                if type(rerun.module).__name__ == "_LazyModule":
                    rerun.module.__doc__  # noqa: B018 - a finder of somebody else makes modules lazy: it runs now
                if not rerun.has_run:
                    raise RestartNeeded(name, "it was imported by somebody else's finder")
                if sys.modules.get(name) is not rerun.module:
                    raise RestartNeeded(name, "it has put something else into its own place")

    def restore_children(self, name: str, package: ModuleType) -> None:
        """A package that ran again has its loaded modules, and their expected names, as attributes again."""
        if "__path__" not in package.__dict__:
            return
        binder = self.entries.binder
        former = self.takeover.state.formers[name]
        for attribute, value in former.names.items():
            full = f"{name}.{attribute}"
            if isinstance(value, ModuleType) and sys.modules.get(full) is value and full not in self.pending():
                package.__dict__.setdefault(attribute, value)
        for full in binder.registry.loaded():
            parent, _, stem = full.rpartition(".")
            module = sys.modules.get(full)
            if parent == name and isinstance(module, ModuleType) and full not in self.pending():
                binder.store_again(name, stem, module)
        access = access_of(package, binder.tree)
        if access is not None:
            access.relisted()

    def pending(self) -> set[str]:
        """Modules that were taken out and have not run yet."""
        return {name for name, rerun in self.all.items() if not rerun.has_run}

    def finish(self) -> None:
        """Everything has run: the records say what is loaded now."""
        records, binder = self.entries.records, self.entries.binder
        rerunning.bind_what_waits_for(self.all)
        for name, rerun in self.all.items():
            binder.reruns.pop(name, None)
            record, former, version = records.get(name), rerun.former, rerun.version
            if record is None:
                continue
            record.order, record.begun = former.order, former.begun
            if version is not None and binder.is_hooked(name):
                record.source, record.stamp = version.source, version.stamp  # the code is what the hook has made
            elif version is not None:
                record.take(version.code, version.source, version.stamp)
            else:
                record.take_over(former)

    def stop(self) -> None:
        """Nothing is run again any more, and what was is to be put back."""
        records = self.entries.records
        for name in reversed(self.all):
            self.entries.binder.reruns.pop(name, None)
            if records.get(name) is not self.all[name].former:
                records.clean_up(name)


def _source_of(rerun: Rerun) -> bytes:
    """The text that the code came from."""
    source = rerun.version.source if rerun.version is not None else rerun.former.source
    if source is not None:
        return source
    with open(rerun.path, "rb") as file:
        return file.read()
