"""Celery workers in development: edit a task, and the next message runs the new code; the worker goes on.

Celery looks at tasks when a worker starts: it keeps the first task of each name, and works out once how messages of
that name are handled. So after a reload it has to be told which tasks are others now.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyautoload.errors import EagerLoadError

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult

__all__ = ["reload_tasks"]

logger = logging.getLogger("pyautoload.celery")


def reload_tasks(app: Any, loader: AutoLoader, *namespaces: str) -> None:
    """Let the workers of an application run tasks as they are on disk.

    Each task runs inside the gate, so that none sees half of a reload. In a prefork pool every child reloads for
    itself.

    Args:
        app: the Celery application, before any of its tasks is used.
        loader: manages the modules of the tasks; it is set up.
        namespaces: where tasks are, ``"jobs.tasks"``: all modules there are loaded now, new ones when they are made.
    """
    _Tasks(app, loader, namespaces).begin()


class _Tasks:
    """The tasks of an application, kept up to date."""

    def __init__(self, app: Any, loader: AutoLoader, namespaces: tuple[str, ...]) -> None:
        self.app = app
        self.loader = loader
        self.namespaces = namespaces
        # Task → the function that it was made from, as Celery wraps that.
        self.functions: dict[str, Any] = {}
        # The tasks after the last reload that did not fail.
        self.registered: dict[str, Any] = {}
        # Id of a running task → its way out of the gate.
        self.inside: dict[str, Any] = {}
        # What receives messages, in the process of a worker that does.
        self.consumer: Any = None
        self.is_child = False

    def begin(self) -> None:
        """Take part in what Celery does."""
        self._make: Callable[..., Any] = self.app._task_from_fun
        self.app._task_from_fun = self.make
        signals: Any = import_module("celery.signals")
        for signal, function in (
            (signals.worker_ready, self.receiving),
            (signals.worker_process_init, self.forked),
            (signals.task_prerun, self.enter),
            (signals.task_postrun, self.leave),
        ):
            # Each is sent with more arguments from one version to the next.
            signal.connect(function, weak=False)
        self.loader.on_reload(self.reloaded)
        self.loader.enable_reloading()
        for namespace in self.namespaces:
            self.loader.eager_load_namespace(namespace)

    # What Celery calls

    def make(self, function: Any, name: str | None = None, **options: Any) -> Any:
        """Make the task of a function; one of that name from a former run of the same definition makes way.

        Celery would go on with the first one, whatever the decorator says now.
        """
        full = name or self.app.gen_task_name(function.__name__, function.__module__)
        former = self.functions.get(full)
        if former not in (None, function) and (_place(former) == _place(function) or not self._is_defined(former)):
            task = self._made_anew(full, function, name=name, **options)
        else:
            task = self._make(function, name=name, **options)
        self.functions[full] = function
        return task

    def _made_anew(self, full: str, function: Any, **options: Any) -> Any:
        """Make a task in place of the one of that name, in one step: a message for it may come at any moment."""
        tasks = self.app.tasks
        others = type(tasks)(tasks)
        others.pop(full, None)
        self.app._tasks = others  # noqa: SLF001 - no public way
        try:
            task = self._make(function, **options)
        finally:
            self.app._tasks = tasks  # noqa: SLF001
        if self.consumer is not None or self.is_child:
            self._trace(full, task)
        tasks.update(others)
        return task

    def receiving(self, sender: Any = None, **_: Any) -> None:
        """A worker is ready."""
        self.consumer = sender
        self.registered = dict(self.app.tasks)

    def forked(self, **_: Any) -> None:
        """A child of a prefork pool has begun. It has no watcher: threads stay behind in a fork."""
        self.is_child = True
        self.consumer = None
        self.registered = dict(self.app.tasks)
        self.loader.enable_reloading()

    def enter(self, task_id: str = "", **_: Any) -> None:
        """A task is about to run."""
        gate = self.loader.running()
        gate.__enter__()
        self.inside[task_id] = gate

    def leave(self, task_id: str = "", **_: Any) -> None:
        """A task has run, well or not."""
        gate = self.inside.pop(task_id, None)
        if gate is not None:
            gate.__exit__(None, None, None)

    # After a reload

    def reloaded(self, result: ReloadResult) -> None:
        """Bring Celery up to date with a reload."""
        if result.errors:  # which the loader has logged
            self._restore()
            return
        if self.is_child or self.consumer is not None:
            logger.log(logging.INFO if result.ok else logging.WARNING, "%s", result)
        self._load_new(result.added)
        self._unregister(result.removed)
        self._renew()
        self.registered = dict(self.app.tasks)

    def _restore(self) -> None:
        """What was defined before something else failed is not to be used."""
        if self.registered:
            self.app.tasks.clear()
            self.app.tasks.update(self.registered)

    def _load_new(self, added: list[str]) -> None:
        for namespace in self.namespaces:
            if any(name.startswith(f"{namespace}.") for name in added):
                try:
                    self.loader.eager_load_namespace(namespace)
                except EagerLoadError as error:
                    logger.warning("%s", error)

    def _unregister(self, removed: list[str]) -> None:
        for name, function in list(self.functions.items()):
            if _place(function)[0] in removed or not self._is_defined(function):
                del self.functions[name]
                self.app.tasks.pop(name, None)

    def _is_defined(self, function: Any) -> bool:
        """Whether the definition of a function is still in its module; one within another function may be."""
        module, path = _place(function)
        names = getattr(sys.modules.get(module), "__dict__", None)
        if names is None:
            return False
        return "<locals>" in path or path.partition(".")[0] in names

    def _renew(self) -> None:
        """Work out anew how messages are handled."""
        tasks = dict(self.app.tasks)
        if tasks == self.registered:
            return
        if self.consumer is not None:
            self.consumer.update_strategies()
            for name in set(self.consumer.strategies) - set(tasks):
                del self.consumer.strategies[name]
        elif self.is_child:
            for name, task in tasks.items():
                self._trace(name, task)

    def _trace(self, name: str, task: Any) -> None:
        """Give a task what it is run with, as a worker does at its start."""
        build: Any = import_module("celery.app.trace").build_tracer
        hostname = getattr(self.consumer, "hostname", None)
        task.__trace__ = build(name, task, self.app.loader, hostname, app=self.app)


def _place(function: Any) -> tuple[str, str]:
    """Where a function is defined."""
    return getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
