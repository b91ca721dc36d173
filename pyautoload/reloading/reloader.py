"""Reloader: the one object that a loader delegates to. It serialises reloads, reports them, and runs the watcher."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyautoload import log
from pyautoload.printable import text_of
from pyautoload.reloading.applying.engine import Engine
from pyautoload.reloading.applying.reload_pass import attempt
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.follower import Follower
from pyautoload.reloading.gate import Gate, Pass
from pyautoload.reloading.interrupts import is_interrupt
from pyautoload.reloading.main_thread import MainThread, Moment, is_in_the_midst
from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.planning.planning import Planner
from pyautoload.reloading.records.records import Records
from pyautoload.reloading.records.signature import signature
from pyautoload.reloading.result import ReloadResult
from pyautoload.reloading.watching.change_check import ChangeCheck
from pyautoload.reloading.watching.watching import Watching
from pyautoload.sources import source_for

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder
    from pyautoload.reloading.watching.watcher import Watcher

__all__ = ["Reloader"]

# A change that fails is reported only when so many seconds later no other one has come.
_OTHER_HALF = 0.05


class Reloader(Watching):
    """Reloads what one loader manages.

    Args:
        binder: of the loader.
        gate_timeout: how long a reload waits for those inside ``running()``, in seconds.
    """

    def __init__(self, binder: Binder, gate_timeout: float = 2.0) -> None:
        self.binder = binder
        self.records = Records(lambda path: binder.tree.config.root_of(path) is not None)
        self.graph = Graph(self.records, binder)
        self.gate = Gate(gate_timeout)
        planner = Planner(binder, self.records)
        self._engine = Engine(binder, self.graph, planner, self.gate)
        self._change_check = ChangeCheck(binder, planner, self._engine.failures)
        self.listeners: list[Callable[[ReloadResult], object]] = []
        # What `start()` is called with, now or when the loader is set up.
        self.options: dict[str, Any] = {}
        # Where the watcher's reloads run, if that is the program's main thread.
        self.main_thread: MainThread | None = None
        # One reload at a time. It is held while modules are executed, so nobody waits for it who is importing.
        self._mutex = threading.Lock()
        self._owner: int | None = None
        # Held by the watcher's thread until listeners were told: who catches up comes back after that, not before.
        self._until_told = threading.RLock()
        # Whether the last result that was told of was a failure.
        self._told_failure = False
        # The errors that were told last, as texts.
        self._told_errors: list[str] = []
        self._watcher: Watcher | None = None
        _reloaders.add(self)

    def follow_with(self, follower: Follower | None) -> None:
        """Take what changes to other processes, from now on."""
        with self._mutex:
            self._engine.follower = self.follower = follower

    # Reloading

    def running(self) -> Pass:
        """A pass through the gate; one that is always open for code that runs while its module is imported.

        Such a thread holds the import system's lock of that module: if it waited for a reload, and the reload for that
        lock, neither would ever go on. So it is with callbacks that a reload itself calls.
        """
        return Pass(None if self._is_busy() else self.gate)

    def reload(self, *names: str, fresh: bool = False) -> ReloadResult:
        """Bring everything up to date, and run ``names`` again with what depends on them.

        Raises:
            ReloadError: something failed; everything was put back.
        """
        if self._is_busy():
            return ReloadResult(notes=["a reload or an import is going on in this thread; call reload() after it"])
        with self.gate.parked(), self._alone():
            if self._watcher is not None:
                self._watcher.take()
            result = self._engine.start_over() if fresh else self._attempt(self._complete(None), names, asked=True)
        self._tell(result)
        if result.errors:
            raise result.errors[0]
        return result

    def renew(self, *names: str) -> ReloadResult:
        """Run ``names`` again like ``reload``, but what the program has put into their names does not stay.

        Raises:
            ReloadError: something failed; everything was put back.
        """
        self._engine.anew = set(names)
        try:
            return self.reload(*names)
        finally:
            self._engine.anew = set()

    def reload_if_changed(self) -> ReloadResult | None:
        """Bring everything up to date if anything has changed.

        Returns:
            The result, ``None`` when nothing had changed.

        Raises:
            ReloadError: something failed; everything was put back. Raised once for one state of the files.
        """
        if not self.may_have_changed():
            return None
        watcher = self._watcher
        polls = watcher is None or watcher.polls or self._change_check.is_mounted_changed()
        if self._is_busy():
            return None
        with self.gate.parked(), self._alone():
            batch = watcher.take() if watcher is not None else None
            if batch is None and not polls:
                return None  # the watcher's thread was quicker
            if batch is None and self._change_check.is_as_it_failed():
                return None
            result = self._attempt(self._complete(batch), ())
        if not self._is_news(result):
            return None
        self._tell(result)
        if result.errors:
            raise result.errors[0]
        return result

    def catch_up(self) -> None:
        """Apply every edit that has been saved by now, whether it has been noticed or not; listeners are told."""
        if self._is_busy():
            return
        with self.gate.parked(), self._until_told:
            with self._alone():
                if self._watcher is not None:
                    self._watcher.take()
                result = self._attempt(self._complete(None), (), asked=True)
            is_known = bool(result.errors) and list(map(str, result.errors)) == self._told_errors
            if self._is_news(result) and not is_known:
                self._tell(result)

    def may_have_changed(self) -> bool:
        """Whether ``reload_if_changed`` would look at files; where that is in doubt, it is so."""
        watcher = self._watcher
        if watcher is None or watcher.polls:
            return True
        if self._holds:
            watcher.settle()  # nobody else will apply what is on its way
        return watcher.pending or self._change_check.is_mounted_changed()

    def has_loaded(self, names: Iterable[str]) -> bool:
        """Whether the files of modules still are what was loaded of them; nothing is applied."""
        for name in names:
            record = self.records.get(name)
            if record is None or record.stamp is None or record.stamp == signature(record.path):
                continue
            try:
                if source_for(record.path).read(record.path) != record.source:
                    return False
            except OSError:
                return False
        return True

    def _is_busy(self) -> bool:
        """Whether this thread is in the middle of a reload, or of executing a managed module."""
        return self._owner == threading.get_ident() or self.records.is_executing()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._mutex:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    def _attempt(self, batch: Batch | None, names: Iterable[str], *, asked: bool = False) -> ReloadResult:
        result = attempt(self._engine, batch, names, archives=self._archives, asked=asked)
        self._watch_data()
        return result

    def _apply(self, batch: Batch) -> None:
        """What the watcher calls."""
        if self.main_thread is None:
            self._apply_here(batch)
        elif self._is_due(batch):
            self.main_thread.run(lambda: self._apply_here(batch), self._moment)

    def _is_due(self, batch: Batch) -> bool:
        """Whether the main thread is to be interrupted: what it writes at the moment may be cut short by that."""
        if not batch.everything:
            return True
        with self._alone():
            return self._change_check.is_anything_changed()

    def _moment(self) -> Moment:
        """Whether the calling thread can be interrupted for a reload."""
        if self.gate.is_inside():
            return Moment.ELSEWHERE  # the gate lets it come to an end first
        return Moment.LATER if self._is_busy() or is_in_the_midst() else Moment.NOW

    def _apply_here(self, batch: Batch) -> None:
        with self._until_told:
            self._apply_and_tell(batch)

    def _apply_and_tell(self, batch: Batch) -> None:
        complete = self._complete(batch)
        with self._alone():
            try:
                result = self._attempt(complete, ())
            except BaseException as error:  # noqa: BLE001 - the watcher has nobody to raise to, and must live on
                result = self._unexpected(batch, error)
        watcher = self._watcher
        if result.errors and watcher is not None and watcher.more_comes(_OTHER_HALF):
            # Tried again with that: half of what was saved may have come first.
            self._engine.failures.not_told(result.errors)
            return
        if self._is_news(result):
            for failure in result.errors:
                log.warning(self.binder.tag, "%s", failure)
            self._tell(result)

    def _unexpected(self, batch: Batch, error: BaseException) -> ReloadResult:
        """Not even the plan could be made: what has changed is not live, and whoever can restart is told to."""
        known = [self.records.by_path[path] for path in batch.paths if path in self.records.by_path]
        where = ", ".join(sorted(batch.paths)) or "everything"
        reason = f"a reload of {where} failed unexpectedly: {type(error).__name__}: {text_of(error)}"
        log.warning(self.binder.tag, "%s", reason)
        return ReloadResult(restart_required=dict.fromkeys(sorted(known) or sorted(batch.paths), reason))

    def _is_news(self, result: ReloadResult) -> bool:
        """Whether anything was done; or undone: what had failed is on disk as it was before."""
        return bool(result) or (self._told_failure and not self._engine.failures)

    def _tell(self, result: ReloadResult) -> None:
        self._told_failure = bool(result.errors)
        self._told_errors = list(map(str, result.errors))
        log.debug(self.binder.tag, "%s", result)
        for listener in list(self.listeners):
            try:
                listener(result)
            except BaseException as error:
                if is_interrupt(error):
                    raise
                name = type(error).__name__
                log.warning(self.binder.tag, "on_reload function %r failed: %s: %s", listener, name, text_of(error))

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
        self._until_told = threading.RLock()
        self._owner = None
        self._watcher = None
        self._engine.follower = self.follower = None
        self.records.on_fresh = lambda: None
        self.gate.reset()


# Every reloader of this process, for the locks after a fork.
_reloaders: weakref.WeakSet[Any] = weakref.WeakSet()


def _after_fork() -> None:
    for reloader in list(_reloaders):
        reloader.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
