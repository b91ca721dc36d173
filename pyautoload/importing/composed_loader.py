"""A managed module that is loaded by a loader of somebody else: it is noted and stored as every other one.

The loader of the other one does all the work: it finds the code, changes it, executes it. Before and after that happens
here what our own loader does. The module shows the loader of the other one, as it would without us.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

from pyautoload import log
from pyautoload.frames.hidden_frames import part_of_import, without_frames
from pyautoload.importing.cycle_explanation import explained
from pyautoload.importing.hooked_code import Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyautoload.importing.binder import Binder

__all__ = ["ComposedLoader", "LoaderAround"]

_LazyModule: Any = getattr(importlib.util, "_LazyModule", None)


class LoaderAround:
    """Another loader, after whose work there is more to be done. For all else it stands in for that one.

    Args:
        foreign: the other loader; it may serve for many modules.
        after: called with the module when it has been executed.
    """

    def __init__(self, foreign: Any, after: Callable[[ModuleType], None] | None = None) -> None:
        self.foreign = foreign
        self.after = after

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.foreign, attribute)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module object that the other loader makes, ``None`` for an ordinary one."""
        create: Callable[[ModuleSpec], ModuleType | None] | None = getattr(self.foreign, "create_module", None)
        return create(spec) if create is not None else None

    @part_of_import
    def exec_module(self, module: ModuleType) -> None:
        """Let the other loader execute the module, then do what is to be done."""
        self._show(module)
        self.foreign.exec_module(module)
        if self.after is not None:
            self.after(module)

    def _show(self, module: ModuleType) -> None:
        """Let the module show the loader that it would have without us."""
        if module.__dict__.get("__loader__") is self:
            module.__loader__ = self.foreign
        spec = module.__dict__.get("__spec__")
        if spec is not None and spec.loader is self:
            spec.loader = self.foreign


class ComposedLoader(LoaderAround):
    """Loads a managed module by the loader of somebody else, and tells the binder.

    Args:
        foreign: that loader.
        name: the module name.
        path: its file, or the directory of an implicit namespace.
        binder: whom to tell.
    """

    def __init__(self, foreign: Any, name: str, path: str, binder: Binder) -> None:
        super().__init__(foreign)
        self.managed_name = name
        self.managed_path = path
        self.binder = binder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module object: the one that was there before where a reload runs its code again."""
        again = self.binder.reruns.get(self.managed_name)
        return again.module if again is not None else super().create_module(spec)

    @part_of_import
    def exec_module(self, module: ModuleType) -> None:
        """Let the other loader execute the module."""
        binder, name, foreign = self.binder, self.managed_name, self.foreign
        is_package = "__path__" in module.__dict__
        if is_package:
            # Before the code runs: it may use what lies in its own directory.
            binder.attach(module, name)
        self._show(module)
        noted = binder.registry.noted(name)
        mtime_ns = _mtime_of(self.managed_path)
        recording = _Recording(binder, name, self.managed_path, mtime_ns, is_package=is_package)
        complete = False
        try:
            with Guard(foreign, self.managed_path, fresh=binder.reloading, on_code=recording.begin):
                self._run(module)
            complete = True
        finally:
            recording.end(loaded=complete)
            if not complete:
                log.debug(binder.tag, "%s from %s failed to load: %r", name, self.managed_path, sys.exc_info()[1])
        if type(module) is _LazyModule:
            return  # its code has not run yet; it will be our own loader that runs it
        if binder.registry.noted(name) is not noted:
            return  # our own loader was inside
        if is_package:
            binder.attach(module, name)
            binder.share(module, name)
        again = binder.reruns.get(name)
        if again is not None:
            again.settle(module)
        recording.adopt()
        binder.loaded(module, name, self.managed_path, mtime_ns)

    @without_frames
    def _run(self, module: ModuleType) -> None:
        try:
            self.foreign.exec_module(module)
        except (ImportError, AttributeError) as error:
            cycle = explained(error, self.binder.manages)
            if cycle is None:
                raise
            raise cycle from error


class _Recording:
    """What reloading keeps of a module: its code where the loader lets it be seen, else its source alone."""

    def __init__(self, binder: Binder, name: str, path: str, mtime_ns: int | None, *, is_package: bool) -> None:
        self._records = binder.records
        self._name = name
        self._path = path
        self._mtime_ns = mtime_ns
        self._is_package = is_package
        self._begun = False

    def begin(self, code: CodeType) -> None:
        """``code`` is about to be executed."""
        if self._records is not None and not self._begun:
            self._begun = True
            self._records.begin(self._name, self._path, code, self._mtime_ns, is_package=self._is_package, status=None)

    def end(self, *, loaded: bool) -> None:
        """It has been."""
        if self._records is not None and self._begun:
            self._records.end(loaded=loaded)

    def adopt(self) -> None:
        """The module has been executed, and nobody saw its code."""
        if self._records is not None and not self._begun and self._path.endswith(".py"):
            self._records.adopt(self._name, self._path, self._mtime_ns or 0)


def _mtime_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
