"""Carrying out plans: a transaction each, tried again without what needs a restart, put back where it fails."""

from __future__ import annotations

import gc
import linecache
import os
import time
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pyautoload import log
from pyautoload.callbacks import is_of_callback
from pyautoload.errors import ReloadError
from pyautoload.importing.eager_load import collection_paused
from pyautoload.reloading.applying.cross_module_stores import keepers
from pyautoload.reloading.applying.module_entries import ModuleEntries
from pyautoload.reloading.applying.program_file import PROGRAM
from pyautoload.reloading.applying.transaction import Transaction, Widen
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.follower import Change, Follower, FollowerFailed
from pyautoload.reloading.gate import Gate
from pyautoload.reloading.interrupts import is_interrupt
from pyautoload.reloading.planning.failures import Failures
from pyautoload.reloading.planning.plan import NewVersion, Plan
from pyautoload.reloading.planning.planning import Planner
from pyautoload.reloading.restart import RestartNeeded
from pyautoload.reloading.result import ReloadResult
from pyautoload.sources import FILE_SYSTEM, source_for

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["Engine"]

_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep
# How often an attempt begins anew with more modules.
_ROUNDS = 8
# In so many of these the set of modules that run again grows by what was found only.
_STEPS = 3
# What the new code is to blame for without a doubt.
_SURELY_OF_THE_EDIT = (NameError, ImportError, SyntaxError)


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
        self.entries = ModuleEntries(binder, self.records)
        # Whether an attempt that was put back has left classes that only the garbage collector removes.
        self._lingers = False
        # What could not be applied: tried again with the next change, whatever that is.
        self.failures = Failures()
        # Modules whose values are to be those of a fresh process, whatever the program has put there.
        self.anew: set[str] = set()
        # Takes what changes to other processes.
        self.follower: Follower | None = None

    def carry_out(self, plan: Plan, result: ReloadResult) -> None:
        """Do what a plan says; what goes wrong is noted in the result."""
        result.changed = sorted({*plan.changed, *plan.data})
        result.added = list(plan.added)
        result.restart_required.update(plan.refused)
        follower, asked = self.follower, len(result.restart_required)
        if follower is None:
            self._carry_out_here(plan, result)
            return
        try:
            paths = follower.prepare(Change(self._what_is_live(plan), plan.held, sorted(plan.forced)))
        except ReloadError as error:
            self.fail(result, error, self._paths(plan) or [path for path in [error.file] if path])
            return
        try:
            self._carry_out_here(plan, result)
            if not result.errors and len(result.restart_required) == asked and not result.workers:
                result.workers = follower.apply()  # nothing that this process has loaded
        except ReloadError as error:
            self.fail(result, error, paths)
        finally:
            if not result.workers:
                follower.abandon()

    def _what_is_live(self, plan: Plan) -> Callable[[str, bytes | None], bytes | None]:
        """What of a file is going to be live here: where a restart is asked for, that is not what it holds."""
        sources = {version.path: version.source for version in plan.changed.values()}

        def live(path: str, content: bytes | None) -> bytes | None:
            if path in sources:
                return sources[path]
            record = self.records.get(self.records.by_path.get(path, ""))
            if record is None or record.name in plan.changed or record.name in plan.gone:
                return content
            known = record.source
            return content if known is None else known

        return live

    def _carry_out_here(self, plan: Plan, result: ReloadResult) -> None:
        if not (plan.changed or plan.gone or plan.forced):
            self.failures.clear()
            self.planner.settled()
            return
        with self.gate.closed() as alone:
            if not alone:
                result.notes.append(
                    f"requests were still running after {self.gate.timeout} s: they may see both versions"
                )
            with collection_paused():
                any_dead = self._carry_out(plan, result)
                if not result.ok:
                    self._make_good(plan, result)
            if any_dead or self._lingers:
                self._lingers = False
                gc.collect()  # registries that hold weakly, of signals say, show what has gone until it really has

    def _make_good(self, plan: Plan, result: ReloadResult) -> None:
        """What was put back had cleaned up already: its code runs again, as it was, and does anew what that undid."""
        cleaned = [record for record in self.records.all() if record.cleanups is not None and not record.cleanups]
        versions = {
            record.name: NewVersion(record.source, record.code, record.path, record.stamp, everything=True)
            for record in cleaned
            if record.source is not None and record.code is not None
        }
        if not versions:
            return
        transaction = Transaction(
            self.entries, self.graph, Plan(changed=versions, is_kept=plan.is_kept), ReloadResult(), {}, set()
        )
        before = self.binder.registry.loaded()
        try:
            transaction.run()
        except Exception as error:  # noqa: BLE001 - told in the result
            self._undo(transaction, before, ReloadResult())
            reason = f"its clean-ups were called, and its former code did not run again: {described(error)}"
            result.restart_required[transaction.current] = reason
        else:
            self._renew(transaction)
            result.notes.append(f"ran again as before, as they had cleaned up: {', '.join(sorted(versions))}")

    def _carry_out(self, plan: Plan, result: ReloadResult) -> bool:
        """Whether functions or classes have gone with it."""
        also: dict[str, str] = {}
        anew, apart = set(self.anew), set[tuple[str, str]]()
        for number in range(_ROUNDS):
            transaction = Transaction(self.entries, self.graph, plan, result, also, anew, apart)
            before = self.binder.registry.loaded()
            try:
                transaction.run()
                self._let_follow(result)
            except BaseException as error:
                self._undo(transaction, before, result)
                if isinstance(error, FollowerFailed):
                    self.fail(result, error.error, self._paths(plan))
                    result.why.clear()
                    return False
                if not isinstance(error, (Exception, SystemExit)) and is_interrupt(error):
                    raise
                if isinstance(error, RestartNeeded):
                    self._ask(plan, error.module, error.reason, result)
                    return False
                wider = _wider(self.graph, transaction, error, anew)
                if wider is None:
                    self._failed(plan, transaction, error, result)
                    return False
                # Step by step at first; then everything that may depend on it, as circles can go on for long.
                names = wider.names if number < _STEPS else self._all_that_depend(plan, wider.names)
                also.update(dict.fromkeys(names, wider.reason))
                apart |= wider.apart
                if wider.anew:
                    anew |= wider.names
            else:
                self._finish(transaction, result)
                any_dead = transaction.takeover.leaves_garbage
                transaction.let_go()
                return any_dead or transaction.lingers
        self._ask(plan, transaction.current, "more and more modules depend on each other while they run again", result)
        return False

    def _let_follow(self, result: ReloadResult) -> None:
        """All has gone well here: now the other processes."""
        if self.follower is None:
            return
        try:
            result.workers = self.follower.apply()
        except ReloadError as error:
            raise FollowerFailed(error) from error

    def _all_that_depend(self, plan: Plan, names: set[str]) -> set[str]:
        found = self.graph.affected({*names, *plan.changed})
        records = [record for name in found if name != PROGRAM and (record := self.records.get(name)) is not None]
        return names | {record.name for record in records if not plan.is_kept(record)}

    def _ask(self, plan: Plan, module: str, reason: str, result: ReloadResult) -> None:
        """Nothing of the plan can be applied soundly: a restart is needed, and is asked for once."""
        name = module or next(iter(plan.changed), "")
        result.restart_required[name] = reason
        self.planner.ask(plan)
        result.why.clear()

    def _failed(self, plan: Plan, transaction: Transaction, error: BaseException, result: ReloadResult) -> None:
        module = transaction.current
        if waiting := ", ".join(self.planner.waiting()):
            self._ask(plan, module, f"{waiting} needs a restart, and without that: {described(error)}", result)
        elif _is_of_ours(error):
            trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            log.warning(self.binder.tag, "a reload met a fault of PyAutoload:\n%s", trace)
            self._ask(plan, module, f"a fault of PyAutoload: {described(error)}", result)
        elif not (isinstance(error, _SURELY_OF_THE_EDIT) or is_of_callback(error)) and self._fails_without_the_edit(
            plan, error
        ):
            self._ask(plan, module, f"its code cannot run twice in one process: {described(error)}", result)
        else:
            self.fail(result, self.entries.located(error, module), self._paths(plan))
            result.why.clear()

    def _fails_without_the_edit(self, plan: Plan, error: BaseException) -> bool:
        """Whether the former code fails in the same way when it runs again: a library takes something once only."""
        versions = {}
        for name, version in plan.changed.items():
            record = self.records.get(name)
            if record is None or record.code is None or record.source is None:
                continue
            versions[name] = NewVersion(record.source, record.code, version.path, record.stamp, everything=True)
        control = Plan(changed=versions, forced=set(plan.forced), is_kept=plan.is_kept)
        transaction = Transaction(self.entries, self.graph, control, ReloadResult(), {}, set())
        before = self.binder.registry.loaded()
        try:
            transaction.run()
        except Exception as again:  # noqa: BLE001 - which one it is, is the question
            return type(again) is type(error) or isinstance(again, RestartNeeded)
        finally:
            self._undo(transaction, before, ReloadResult())
        return False

    def _undo(self, transaction: Transaction, before: list[str], result: ReloadResult) -> None:
        failures = transaction.roll_back()
        self._lingers = self._lingers or transaction.lingers
        for error in failures:
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
        plan = transaction.plan
        self.planner.applied(plan)
        for version in plan.changed.values():
            if source_for(version.path) is not FILE_SYSTEM:
                linecache.cache.pop(version.path, None)  # it cannot tell by itself that those lines are old
        for name in plan.gone:
            self.graph.forget(name)
        self._renew(transaction)
        result.removed.sort()

    def _renew(self, transaction: Transaction) -> None:
        for record in transaction.renewed:
            if self.records.get(record.name) is record:
                self.graph.renew(record)
        self.graph.update()

    def start_over(self) -> ReloadResult:
        """Unload everything that is managed; what is used is loaded anew."""
        start = time.perf_counter()
        registry, tree = self.binder.registry, self.binder.tree
        result = ReloadResult()
        with self.gate.closed():
            left = {PROGRAM, *self.binder.externals}
            names = [name for name in registry.loaded() if name not in left and not self._is_given(name)]
            result.removed = sorted(names)
            self.binder.unload(names)
            for name in [record.name for record in self.records.all() if record.name != PROGRAM]:
                self.records.forget(name)
                self.graph.forget(name)
            self.failures.clear()
            self.planner.start_over()
            for space in registry.namespaces():
                tree.relist(space.name)
        result.duration = time.perf_counter() - start
        return result

    def _is_given(self, name: str) -> bool:
        """Whether a namespace was given by the user and is mere directory: it keeps its identity."""
        return self.binder.tree.is_root(name) and name not in self.records


def _is_of_ours(error: BaseException) -> bool:
    """Whether the code that raised is the reload engine's own."""
    if isinstance(error, (RecursionError, MemoryError)):
        return False  # where it came to that says nothing
    step, file = error.__traceback__, ""
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        step = step.tb_next
    return file.startswith(_HERE)


def described(error: BaseException) -> str:
    """An error in one line, even where its text cannot be had."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a user's `__str__` may do anything
        text = "(its text cannot be shown)"
    return f"{type(error).__name__}: {text}"


def _wider(graph: Graph, transaction: Transaction, error: BaseException, anew: set[str]) -> Widen | None:
    """Which modules have to run as well before an error counts: those that keep what was registered with them."""
    if isinstance(error, Widen):
        return error
    if isinstance(error, _SURELY_OF_THE_EDIT) or is_of_callback(error):
        return None
    names = keepers(graph, transaction.current, error) - anew
    if not names:
        return None
    return Widen(names, f"it keeps what {transaction.current} registers, and did not take it twice", anew=True)
