"""Carrying out plans: a transaction each, tried again without what needs a restart, put back where it fails."""

from __future__ import annotations

import linecache
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyautoload import log
from pyautoload.errors import ReloadError
from pyautoload.importing.eager_load import collection_paused
from pyautoload.reloading.apply import Transaction
from pyautoload.reloading.failures import Failures
from pyautoload.reloading.gate import Gate
from pyautoload.reloading.graph import Graph
from pyautoload.reloading.interrupts import is_interrupt
from pyautoload.reloading.parsing import ParsedSources
from pyautoload.reloading.plan import Plan
from pyautoload.reloading.planning import Planner
from pyautoload.reloading.rerun import RestartNeeded
from pyautoload.reloading.result import ReloadResult
from pyautoload.reloading.upkeep import Upkeep
from pyautoload.sources import FILE_SYSTEM, source_for

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["Engine"]


class Engine:
    """Carries out plans, one at a time.

    Args:
        binder: of the loader.
        graph: the dependencies.
        planner: is told what has been carried out.
        gate: is closed meanwhile.
    """

    def __init__(self, binder: Binder, graph: Graph, planner: Planner, gate: Gate) -> None:
        self.binder = binder
        self.records = graph.records
        self.graph = graph
        self.planner = planner
        self.gate = gate
        self.upkeep = Upkeep(binder, self.records)
        self.sources = ParsedSources(self.records)
        # What could not be applied: tried again with the next change, whatever that is.
        self.failures = Failures()

    def carry_out(self, plan: Plan, result: ReloadResult) -> None:
        """Do what a plan says; what goes wrong is noted in the result."""
        result.changed = sorted({*plan.changed, *plan.data})
        result.added = list(plan.added)
        result.restart_required.update(plan.refused)
        if not (plan.changed or plan.gone or plan.forced):
            self.failures.clear()
            self.planner.settled()
            return
        with self.gate.closed() as alone, collection_paused():
            if not alone:
                result.notes.append(
                    f"requests were still running after {self.gate.timeout} s: they may see both versions"
                )
            for _ in range(1 + len(self.records)):
                if self._is_done(plan, result):
                    return

    def _is_done(self, plan: Plan, result: ReloadResult) -> bool:
        """Try once; says whether that was all. Otherwise the plan has become another one."""
        transaction = Transaction(self.upkeep, self.graph, self.sources, plan, result)
        before = self.binder.registry.loaded()
        try:
            transaction.run()
        except RestartNeeded as needed:
            self._undo(transaction, before, result)
            self._leave_out(plan, needed, result)
            return False
        except BaseException as error:
            self._undo(transaction, before, result)
            if is_interrupt(error):
                raise
            module = transaction.effects.current
            if module in transaction.added_to:
                plan.strict.add(module)
                return False
            self.fail(result, self.upkeep.located(error, module), self._paths(plan))
        else:
            self._finish(transaction, result)
        return True

    def _leave_out(self, plan: Plan, needed: RestartNeeded, result: ReloadResult) -> None:
        name = needed.module
        result.restart_required[name] = needed.reason
        plan.skipped.add(name)
        plan.forced.discard(name)
        version = plan.changed.pop(name, None)
        if version is not None:
            self.planner.refused[name] = version.stamp

    def _undo(self, transaction: Transaction, before: list[str], result: ReloadResult) -> None:
        for error in transaction.roll_back():
            log.warning(self.binder.tag, "putting back after a failed reload: %r", error)
        known = set(before)
        self.binder.unload([name for name in self.binder.registry.loaded() if name not in known])
        for name in [record.name for record in self.records.all() if record.name not in known]:
            self.records.forget(name)
            self.graph.forget(name)
        for names in (result.patched, result.reexecuted, result.rebound, result.removed):
            names.clear()

    def fail(self, result: ReloadResult, error: ReloadError, paths: Iterable[str]) -> None:
        """Note a failure, which is tried again with the next change.

        Args:
            result: of the reload.
            error: what went wrong.
            paths: of the files that are not live because of it.
        """
        self.failures.note(paths, error)
        result.errors.append(error)
        error.result = result

    def _paths(self, plan: Plan) -> list[str]:
        paths = [version.path for version in plan.changed.values()]
        paths += [record.path for name in plan.gone if (record := self.records.get(name)) is not None]
        return paths + [path for files in plan.data.values() for path in files]

    def _finish(self, transaction: Transaction, result: ReloadResult) -> None:
        self.failures.clear()
        self.planner.settled()
        plan, effects = transaction.plan, transaction.effects
        for version in plan.changed.values():
            if source_for(version.path) is not FILE_SYSTEM:
                linecache.cache.pop(version.path, None)  # it cannot tell by itself that those lines are old
        for name in plan.gone:
            self.graph.forget(name)
            self.sources.forget(name)
        for name, files in plan.data.items():
            record = self.records.get(name)
            if record is not None and record.files is not None:
                record.files.update({path: self.records.own.left(path, stamp) for path, stamp in files.items()})
        for record in effects.stale:
            if self.records.get(record.name) is record:
                self.graph.renew(record)
        self.graph.update()
        if effects.redirected:
            renewed = {record.name for record in effects.stale}
            self.graph.doubt(self.graph.affected(effects.redirected) - renewed)
        transaction.rerun.caches.clear()
        result.removed.sort()

    def start_over(self) -> ReloadResult:
        """Unload everything that is managed; what is used is loaded anew."""
        start = time.perf_counter()
        registry, tree = self.binder.registry, self.binder.tree
        result = ReloadResult()
        with self.gate.closed():
            names = [name for name in registry.loaded() if not (name in self.binder.externals or self._is_given(name))]
            result.removed = sorted(names)
            self.binder.unload(names)
            for name in [record.name for record in self.records.all()]:
                self.records.forget(name)
                self.graph.forget(name)
            self.sources.clear()
            self.failures.clear()
            for space in registry.namespaces():
                tree.relist(space.name)
        result.duration = time.perf_counter() - start
        return result

    def _is_given(self, name: str) -> bool:
        """Whether a namespace was given by the user and is mere directory: it keeps its identity."""
        return self.binder.tree.is_root(name) and name not in self.records
