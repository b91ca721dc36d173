"""Reloader: the one object that a loader delegates to. It serialises reloads, reports them, and runs the watcher."""

from __future__ import annotations

import linecache
import os
import threading
import time
import weakref
from collections.abc import Callable, Container, Iterable
from types import CodeType
from typing import TYPE_CHECKING, Any

from pyautoload import log
from pyautoload.errors import ReloadError
from pyautoload.importing.eager import collection_paused
from pyautoload.reloading.apply import RestartNeeded, Transaction
from pyautoload.reloading.failures import Failures
from pyautoload.reloading.gate import Gate, Pass
from pyautoload.reloading.graph import Graph
from pyautoload.reloading.plan import Plan
from pyautoload.reloading.planning import Planner
from pyautoload.reloading.records import Records, signature
from pyautoload.reloading.result import ReloadResult
from pyautoload.reloading.statements import Parsed
from pyautoload.reloading.upkeep import Upkeep
from pyautoload.reloading.watching import Watching
from pyautoload.sources import FILE_SYSTEM, is_anything_mounted, source_for

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder
    from pyautoload.reloading.watcher import Batch, Watcher

__all__ = ["Reloader"]

# A change that fails is reported only when so many seconds later no other one has come.
_OTHER_HALF = 0.05
# So many parsed sources are kept; the rest is parsed again when needed.
_PARSED = 256


class Reloader(Watching, Upkeep):
    """Reloads what one loader manages.

    Args:
        binder: of the loader.
        gate_timeout: how long a reload waits for those inside ``running()``, in seconds.
    """

    def __init__(self, binder: Binder, gate_timeout: float = 2.0) -> None:
        self.binder = binder
        self.records = Records()
        self.graph = Graph(self.records, binder)
        self.planner = Planner(binder, self.records)
        self.gate = Gate(gate_timeout)
        self.listeners: list[Callable[[ReloadResult], object]] = []
        # One reload at a time. It is held while modules are executed, so nobody waits for it who is importing.
        self._mutex = threading.Lock()
        self._owner: int | None = None
        # What could not be applied: tried again with the next change, whatever that is.
        self.failures = Failures()
        # Whether the last result that was told of was a failure.
        self._told_failure = False
        self._watcher: Watcher | None = None
        # Module → its code and what the source of that parses to.
        self._parsed: dict[str, tuple[CodeType | None, Parsed]] = {}
        self._results: threading.local = threading.local()
        _reloaders.add(self)

    # Reloading

    def running(self) -> Pass:
        """A pass through the gate; one that is always open for code that runs while its module is imported.

        Such a thread holds the import system's lock of that module: if it waited for a reload, and the reload for that
        lock, neither would ever go on. So it is with callbacks that a reload itself calls.
        """
        is_open = self._owner == threading.get_ident() or self.records.is_executing()
        return Pass(None if is_open else self.gate)

    def reload(self, *names: str, fresh: bool = False) -> ReloadResult:
        """Bring everything up to date, and run ``names`` again with what depends on them.

        Raises:
            ReloadError: something failed; everything was put back.
        """
        if self._owner == threading.get_ident() or self.records.is_executing():
            return ReloadResult(notes=["a reload or an import is going on in this thread; call reload() after it"])
        with self.gate.parked(), self._mutex:
            self._owner = threading.get_ident()
            try:
                if self._watcher is not None:
                    self._watcher.take()
                result = self._fresh() if fresh else self._attempt(None, names, asked=True)
            finally:
                self._owner = None
        self._tell(result)
        if result.errors:
            raise result.errors[0]
        return result

    def reload_if_changed(self) -> ReloadResult | None:
        """Bring everything up to date if anything has changed.

        Returns:
            The result, ``None`` when nothing had changed.

        Raises:
            ReloadError: something failed; everything was put back. Raised once for one state of the files.
        """
        watcher = self._watcher
        polls = watcher is None or watcher.polls or self._is_mounted_changed()
        if watcher is not None and not polls and not watcher.pending:
            return None
        if self._owner == threading.get_ident() or self.records.is_executing():
            return None
        with self.gate.parked(), self._mutex:
            self._owner = threading.get_ident()
            try:
                batch = watcher.take() if watcher is not None else None
                if batch is None and not polls:
                    return None  # the watcher's thread was quicker
                if batch is None and self._is_as_it_failed():
                    return None
                result = self._attempt(batch, ())
            finally:
                self._owner = None
        if not self._is_news(result):
            return None
        self._tell(result)
        if result.errors:
            raise result.errors[0]
        return result

    def _is_mounted_changed(self) -> bool:
        """Whether what lies in mounted sources has changed: those send no events."""
        if not is_anything_mounted():
            return False
        if not any(source_for(root) is not FILE_SYSTEM for root in self.binder.tree.config.roots):
            return False
        mounted = (record for record in self.records.all() if source_for(record.path) is not FILE_SYSTEM)
        if any(signature(record.path) != record.stamp for record in mounted):
            return True
        spaces = self.binder.registry.namespaces()
        changed = [self._listing_changed(space.name) for space in spaces if self._is_mounted(space.directories)]
        return any(changed)

    @staticmethod
    def _is_mounted(directories: Iterable[str]) -> bool:
        return any(source_for(directory) is not FILE_SYSTEM for directory in directories)

    def _is_as_it_failed(self) -> bool:
        """Whether the files are those of the last failed attempt."""
        if not self.failures or len(self.failures.unchanged()) < len(self.failures.paths):
            return False
        return not self._others_changed()

    def _others_changed(self) -> bool:
        """Whether any file besides those that failed differs from what is loaded."""
        for record in self.records.all():
            if record.path not in self.failures.paths and signature(record.path) != record.stamp:
                return True
        changed = [space.name for space in self.binder.registry.namespaces() if self._listing_changed(space.name)]
        return bool(changed)

    def _listing_changed(self, name: str) -> bool:
        """Whether files have come or gone; a directory that changed just now is listed anew to be sure."""
        registry = self.binder.registry
        before = registry.namespace(name)
        if not self.binder.tree.refresh(name):
            return False
        self.planner.unsettled()
        after = registry.namespace(name)
        if before is None or after is None:
            return before is not after
        return (before.modules, before.subdirs, before.file) != (after.modules, after.subdirs, after.file)

    def _apply(self, batch: Batch) -> None:
        """What the watcher calls."""
        self._await_return(batch)
        with self._mutex:
            self._owner = threading.get_ident()
            try:
                result = self._attempt(batch, ())
            except Exception as error:  # noqa: BLE001 - the watcher has nobody to raise to, and must live on
                log.warning(self.binder.tag, "a reload failed unexpectedly: %r", error)
                result = self._unexpected(batch, error)
            finally:
                self._owner = None
        watcher = self._watcher
        if result.errors and watcher is not None and watcher.more_comes(_OTHER_HALF):
            return  # tried again with that: half of what was saved may have come first
        if self._is_news(result):
            for failure in result.errors:
                log.warning(self.binder.tag, "%s", failure)
            self._tell(result)

    def _unexpected(self, batch: Batch, error: Exception) -> ReloadResult:
        """Not even the plan could be made: what has changed is not live, and whoever can restart is told to."""
        known = [self.records.by_path[path] for path in batch.paths if path in self.records.by_path]
        reason = f"a reload failed unexpectedly: {error!r}"
        return ReloadResult(restart_required=dict.fromkeys(sorted(known) or sorted(batch.paths), reason))

    def _attempt(self, batch: Batch | None, names: Iterable[str], *, asked: bool = False) -> ReloadResult:
        """One reload: plan, apply, and in case of failure put everything back."""
        start = time.perf_counter()
        result, known = ReloadResult(), self._known(names)
        earlier = self.failures.unchanged()
        if batch is not None:
            batch.paths.update(self.failures.paths)
            if not self._archives.isdisjoint(batch.paths):
                batch = batch._replace(everything=True)
        self.graph.update()
        self._try(batch, known, result)
        if result.errors and earlier:
            result = self._without(earlier, batch, known, result, asked=asked)
        result.duration = time.perf_counter() - start
        if self._watcher is not None:
            self._watch_data()
        return result

    def _try(
        self, batch: Batch | None, known: Iterable[str], result: ReloadResult, without: Container[str] = ()
    ) -> bool:
        """Plan and apply; says whether there was anything to do."""
        try:
            plan = self.planner.plan(batch, known, without)
        except ReloadError as error:
            paths = {error.file} if error.file else set()
            self._fail(result, error, (paths | batch.paths if batch is not None else paths))
            return True
        self._carry_out(plan, result)
        return bool(plan)

    def _without(
        self, held: set[str], batch: Batch | None, known: Iterable[str], whole: ReloadResult, *, asked: bool
    ) -> ReloadResult:
        """What failed before fails still: other changes go live without it.

        Args:
            held: the files that failed before and are as they were.
            batch: what may have changed.
            known: modules that are to run again.
            whole: the outcome of trying all together.
            asked: whether somebody waits for the outcome and wants to be told again.
        """
        failures, result = self.failures, ReloadResult(added=whole.added, restart_required=whole.restart_required)
        failure, paths, errors = whole.errors[0], dict(failures.paths), list(failures.errors)
        is_news = failure in errors
        if not self._try(batch, known, result, held):
            failures.paths, failures.errors = paths, errors
            return whole if asked or is_news else result
        if result.errors:
            failures.paths.update(paths)
            return whole if is_news else result
        failures.paths, failures.errors = {path: paths[path] for path in held}, errors
        result.still_failing = [failure]
        if is_news:
            log.warning(self.binder.tag, "%s", failure)
        return result

    def _known(self, names: Iterable[str]) -> list[str]:
        found = []
        for name in names:
            if name not in self.records:
                status = self.binder.registry.loaded_status(name)
                if status is None:
                    raise ValueError(f"{name!r} is no loaded module of this loader; loaded() lists them")
                continue
            found.append(name)
        return found

    def _carry_out(self, plan: Plan, result: ReloadResult) -> None:
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
                transaction = Transaction(self, plan, result)
                before = self.binder.registry.loaded()
                try:
                    transaction.run()
                except RestartNeeded as needed:
                    self._undo(transaction, before, result)
                    self._leave_out(plan, needed, result)
                except BaseException as error:
                    self._undo(transaction, before, result)
                    if not isinstance(error, (Exception, SystemExit)):
                        raise
                    if transaction.current in transaction.added_to:
                        plan.strict.add(transaction.current)
                        continue
                    self._fail(result, self.located(transaction, error), self._paths(plan))
                    return
                else:
                    self._finish(transaction, result)
                    return

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

    def _fail(self, result: ReloadResult, error: ReloadError, paths: Iterable[str]) -> None:
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
        for version in plan.changed.values():
            if source_for(version.path) is not FILE_SYSTEM:
                linecache.cache.pop(version.path, None)  # it cannot tell by itself that those lines are old
        for name in plan.gone:
            self.graph.forget(name)
            self._parsed.pop(name, None)
        for name, files in plan.data.items():
            record = self.records.get(name)
            if record is not None and record.files is not None:
                record.files.update(files)
        for record in transaction.stale:
            if self.records.get(record.name) is record:
                self.graph.renew(record)
        self.graph.update()
        if transaction.redirected:
            renewed = {record.name for record in transaction.stale}
            self.graph.doubt(self.graph.affected(transaction.redirected) - renewed)
        transaction.caches.clear()
        result.removed.sort()

    def _fresh(self) -> ReloadResult:
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
            self._parsed.clear()
            self.failures.clear()
            for space in registry.namespaces():
                tree.relist(space.name)
        result.duration = time.perf_counter() - start
        return result

    def _is_given(self, name: str) -> bool:
        """Whether a namespace was given by the user and is mere directory: it keeps its identity."""
        return self.binder.tree.is_root(name) and name not in self.records

    def _is_news(self, result: ReloadResult) -> bool:
        """Whether anything was done; or undone: what had failed is on disk as it was before."""
        return bool(result) or (self._told_failure and not self.failures)

    def _tell(self, result: ReloadResult) -> None:
        self._told_failure = bool(result.errors)
        log.debug(self.binder.tag, "%s", result)
        for listener in list(self.listeners):
            try:
                listener(result)
            except Exception as error:  # noqa: BLE001 - a listener must not break reloading for the others
                log.warning(self.binder.tag, "on_reload function %r failed: %r", listener, error)

    # Sources

    def parsed(self, name: str) -> Parsed | None:
        """The parsed source of a loaded module, ``None`` where it is not known."""
        record = self.records.get(name)
        if record is None:
            return None
        self.records.complete(record)
        known = self._parsed.get(name)
        if known is not None and known[0] is record.code:
            return known[1]
        source = record.source
        if source is None:
            return None
        parsed = Parsed(source, record.path)
        self.remember(name, record.code, parsed)
        return parsed

    def remember(self, name: str, code: CodeType | None, parsed: Parsed) -> None:
        """Keep what the source of ``code`` parses to."""
        if len(self._parsed) >= _PARSED:
            self._parsed.pop(next(iter(self._parsed)))
        self._parsed[name] = (code, parsed)

    # Questions

    def dependencies(self, name: str) -> dict[str, str]:
        """Module → kind of the dependency."""
        self.graph.update()
        return self.graph.dependencies(name)

    def dependents(self, name: str, *, transitive: bool = False) -> dict[str, str]:
        """Module → kind of the dependency."""
        self.graph.update()
        return self.graph.dependents(name, transitive=transitive)

    def dependency_graph(self) -> dict[str, dict[str, str]]:
        """Module → module that it depends on → kind, for everything loaded."""
        self.graph.update()
        return {record.name: self.graph.dependencies(record.name) for record in self.records.all()}

    def _fill_registry(self) -> None:
        """Tell the registry the dependencies as they are now."""
        registry = self.binder.registry
        for name, dependencies in self.dependency_graph().items():
            registry.clear_dependencies(name)
            for dependency in dependencies:
                registry.add_dependency(name, dependency)

    def reset_after_fork(self) -> None:
        """A fork copies held locks and loses threads: the child does not watch."""
        self._mutex = threading.Lock()
        self._owner = None
        self._watcher = None
        self.records.on_fresh = lambda: None
        self.gate.reset()


# Every reloader of this process, for the locks after a fork.
_reloaders: weakref.WeakSet[Any] = weakref.WeakSet()


def _after_fork() -> None:
    for reloader in list(_reloaders):
        reloader.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
