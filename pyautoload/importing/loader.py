"""PyAutoloadLoader: from a managed file to a module. All source becomes code here, in one place."""

from __future__ import annotations

import _frozen_importlib_external as _bootstrap_external
import os
import stat
import sys
from _frozen_importlib_external import SourceFileLoader
from types import CodeType, ModuleType

from pyautoload import log
from pyautoload.frames.hidden_frames import part_of_import, without_frames
from pyautoload.importing import bytecode, import_hooks
from pyautoload.importing.namespace_path import NamespacePath
from pyautoload.sources import FILE_SYSTEM, source_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from typing import Any

    from pyautoload.importing.binder import Binder
    from pyautoload.tree.lazy_policy import LazyPolicy

# Python 3.10 has it under its private name only.
NamespaceLoader: Any = getattr(_bootstrap_external, "NamespaceLoader", None)
if NamespaceLoader is None:
    from _frozen_importlib_external import _NamespaceLoader as NamespaceLoader

__all__ = ["NamespaceDirectoryLoader", "PyAutoloadLoader", "is_rewritten", "with_after_exec"]


class PyAutoloadLoader(SourceFileLoader):
    """Loads one managed source file as the stock loader does, and tells the binder of it.

    Args:
        fullname: the module name.
        path: its file.
        binder: whom to tell; without one this is the stock loader with a quicker look into the bytecode cache.
        cached: where the bytecode is cached, if that is known already; found out when it is needed.
    """

    # Told from loaders of others by this, also where those wrap it and pretend to be of its class.
    is_ours = True
    # Which methods of the stock loader had been replaced by somebody when the code was got.
    _patched = 0
    # The code that is about to be executed, for the one who has replaced what executes it.
    _ready: CodeType | None = None

    def __init__(self, fullname: str, path: str, binder: Binder | None = None, cached: str | None = None) -> None:
        self.name = fullname
        self.path = path
        self.cached = cached
        self.binder = binder
        # The file's modification time in ns at the time its code was read.
        self._mtime_ns: int | None = None
        # The file's status at that time, where it was asked for.
        self._status: os.stat_result | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module object: the one that was there before where a reload runs its code again, else a new one."""
        again = self.binder.reruns.get(self.name) if self.binder is not None else None
        return again.module if again is not None else None

    @part_of_import
    def exec_module(self, module: ModuleType) -> None:
        """Execute the module's code in its namespace.

        Raises:
            CircularDependencyError: the code needs a managed module that is still being imported.
        """
        binder = self.binder
        if binder is None:
            super().exec_module(module)
            return
        is_package = "__path__" in module.__dict__
        if is_package:
            # Before the code runs: it may use what lies in its own directory.
            binder.attach(module, self.name)
        records = binder.records
        begun = complete = False
        try:
            again = binder.reruns.get(self.name)
            policy = binder.tree.config.lazy and binder.tree.config.lazy_for(self.path)
            code: Any
            to_run: Any
            if again is not None:
                code = to_run = again.code
                policy = None  # the former run has decided which imports are made, and a reload needs them all
            elif policy is None:
                code = to_run = self.get_code(self.name)
            else:
                code, to_run = self._lazy_code(module, policy, stock=records is not None)
            if records is not None:
                records.begin(self.name, self.path, code, self._mtime_ns, is_package=is_package, status=self._status)
                self._status = None
                begun = True
            self._run(module, to_run, binder, is_package, policy is not None)
            complete = True
        finally:
            if begun and records is not None:
                records.end(loaded=complete)
            if not complete:
                _tell_failure(binder, self.name, self.path)

    @without_frames
    def _run(self, module: ModuleType, code: Any, binder: Binder, is_package: bool, is_lazy: bool) -> None:
        again = binder.reruns.get(self.name)
        try:
            patched = self._patched if again is None else import_hooks.patched()
            if patched & import_hooks.EXECUTES:
                self._ready = code
                super().exec_module(module)
            elif again is not None:
                again.execute()
            else:
                exec(code, module.__dict__)
            if is_lazy:
                _tidy(code, module)
        except (ImportError, AttributeError) as error:
            from pyautoload.importing.cycle_explanation import explained

            cycle = explained(error, binder.manages)
            if cycle is None:
                raise
            raise cycle from error
        if is_package:
            # Again: the code may have put a `__getattr__` of its own in place of ours.
            binder.attach(module, self.name)
            binder.share(module, self.name)
        if again is not None:
            again.settle(module)
        binder.loaded(module, self.name, self.path, self._mtime_ns)

    def is_package(self, fullname: str) -> bool:
        """Whether the file is the code of a package: an ``__init__.py``, or ``hotel.py`` beside ``hotel/``."""
        return super().is_package(fullname) or self._directory_beside() is not None

    def get_resource_reader(self, name: str | None = None) -> Any:
        """What ``importlib.resources`` reads with: below the directory, also where the file stands beside it."""
        directory = self._directory_beside()
        if directory is None:
            return super().get_resource_reader(name)
        inside = SourceFileLoader(self.name, os.path.join(directory, "__init__.py"))
        return inside.get_resource_reader(self.name)

    def _directory_beside(self) -> str | None:
        space = self.binder.registry.namespace(self.name) if self.binder is not None else None
        is_beside = space is not None and space.file == self.path and not super().is_package(self.name)
        return next(iter(space.directories), None) if space is not None and is_beside else None

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code: from the bytecode cache where that is valid, else from source."""
        patched = import_hooks.patched()
        if patched:
            if self._ready is not None:
                ready, self._ready = self._ready, None
                return ready
            self._patched = patched
            if patched & (import_hooks.COMPILES | import_hooks.GETS_CODE):
                return self._through_patches(fullname, patched)
        binder = self.binder
        if binder is not None and binder.tree.bundle is not None:
            code = self._bundled(fullname)
            if code is not None and (binder.tree.config.lazy is None or not is_rewritten(code)):
                return code
        fresh = binder is not None and binder.reloading
        cached = self.cached or bytecode.cache_path(self.path)
        code, status = bytecode.cached_code(self.path, cached, surely_fresh=fresh)
        self._mtime_ns = status.st_mtime_ns if status is not None else None
        if fresh:
            self._status = status
        if code is not None:
            return code
        if self._mtime_ns is None and binder is not None and not os.path.exists(self.path):
            raise binder.gone(self.name, self.path)
        if status is not None and binder is not None and not stat.S_ISREG(status.st_mode):
            raise binder.gone(self.name, self.path, "is no longer a regular file")  # to read a FIFO would never end
        if fresh or bytecode.is_older(cached, status):
            return self._compiled_afresh()
        return super().get_code(fullname)

    def _lazy_code(self, module: ModuleType, policy: LazyPolicy, *, stock: bool) -> tuple[Any, Any]:
        """The module's code, and what is run in its place so that imports are lazy.

        Args:
            module: the module.
            policy: which imports are lazy.
            stock: whether the code as it was compiled is needed; else both may be the same.
        """
        if sys.version_info >= (3, 15):
            from pyautoload.lazy.imports import pep_810

            pep_810.prepare(module, policy, lambda: self.get_data(self.path))
            code = self.get_code(self.name)
            return code, code
        from pyautoload.lazy.imports.code_rewriting import rewritten
        from pyautoload.lazy.imports.import_statement import runnable

        # Whoever changes what is compiled does so where the code is got.
        hooked = import_hooks.patched() or "get_code" in vars(self)
        code = None if stock or hooked else self._bundled(self.name) or self._cached_lazily()
        if code is not None:
            return code, runnable(code, policy)
        code = self.get_code(self.name)
        if code is None:
            return code, code
        return code, runnable(rewritten(code, lambda: self.get_data(self.path)), policy)

    def _cached_lazily(self) -> CodeType | None:
        """The code with lazy imports, from its cache or made for it; ``None`` where there is no such cache."""
        from pyautoload.lazy.imports.code_rewriting import rewritten

        cached = bytecode.lazy_cache_path(self.path)
        if cached is None or source_for(self.path) is not FILE_SYSTEM:
            return None
        code, status = bytecode.cached_code(self.path, cached)
        self._mtime_ns = status.st_mtime_ns if status is not None else None
        if code is not None or status is None:
            return code
        stock, _ = bytecode.cached_code(self.path, self.cached or bytecode.cache_path(self.path))
        data: Any = None if stock is not None else self.get_data(self.path)
        code = stock if stock is not None else self.source_to_code(data, self.path)
        assert code is not None
        code = rewritten(code, lambda: data if data is not None else self.get_data(self.path))
        bytecode.write_cache(self, self.path, code, status.st_size, status.st_mtime_ns, cached)
        return code

    def _through_patches(self, fullname: str, patched: int) -> CodeType | None:
        """The code, where somebody has replaced methods of the stock loader."""
        try:
            self._mtime_ns = os.stat(self.path).st_mtime_ns
        except OSError:
            if self.binder is not None:
                raise self.binder.gone(self.name, self.path) from None
            raise
        if patched & import_hooks.GETS_CODE:
            return super().get_code(fullname)
        # What comes of this must not get into the stock bytecode cache, nor what is there be taken for it.
        return self.source_to_code(self.get_data(self.path), self.path)

    def _bundled(self, fullname: str) -> CodeType | None:
        binder = self.binder
        if binder is None or binder.tree.bundle is None:
            return None
        found = binder.tree.bundle.code(fullname, self.path, checked=binder.reloading)
        if found is None:
            return None
        self._mtime_ns = found[1]
        return found[0]

    def _compiled_afresh(self) -> CodeType:
        # Not by way of the stock loader: it would take the very bytecode that was just found doubtful.
        data = self.get_data(self.path)
        code = self.source_to_code(data, self.path)
        bytecode.write_cache(self, self.path, code, len(data), self._mtime_ns)
        return code


def _tell_failure(binder: Binder, name: str, path: str) -> None:
    error = sys.exc_info()[1]
    if error is not None and log.listening():
        from pyautoload.printable import described

        log.debug(binder.tag, "%s from %s failed to load: %s", name, path, described(error))


class NamespaceDirectoryLoader(NamespaceLoader):  # type: ignore[misc]
    """Loads an implicit namespace: a package object without code.

    Args:
        name: its dotted name.
        path: its directories.
        find: called by the import system when a parent's path has changed.
        binder: whom to tell.
    """

    is_ours = True

    def __init__(self, name: str, path: list[str], find: Callable[..., Any], binder: Binder) -> None:
        super().__init__(name, [], find)
        self._path = NamespacePath(name, path, find)
        self._name = name
        self._directory = path[0] if path else ""
        self.binder = binder

    @property
    def locations(self) -> Any:
        """What becomes ``__path__``: it follows a parent's path, as that of any namespace package does."""
        return self._path

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module object: the one that was there before where a reload makes it anew."""
        again = self.binder.reruns.get(self._name)
        return again.module if again is not None else None

    def exec_module(self, module: ModuleType) -> None:
        """Give the package the attributes that its files stand for."""
        module.__file__ = None
        again = self.binder.reruns.get(self._name)
        if again is not None:
            again.settle(module)
        self.binder.attach(module, self._name)
        self.binder.share(module, self._name)
        self.binder.loaded(module, self._name, self._directory, 0)

    def get_resource_reader(self, name: str | None = None) -> Any:
        """What ``importlib.resources`` reads with: the stock one knows directories of the file system only."""
        if source_for(self._directory) is FILE_SYSTEM:
            return super().get_resource_reader(name)
        from pyautoload.sources.resources import Resources

        return Resources(self._directory)


def with_after_exec(loader: Loader, after: Callable[[ModuleType], None]) -> Loader:
    """``loader``, which calls ``after(module)`` once it has executed a module.

    The loader stays what it is, for those who look at ``__loader__``: only the instance's ``exec_module`` is replaced,
    and by itself again when it has run.
    """
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        vars(loader).pop("exec_module", None)
        run(module)
        after(module)

    vars(loader)["exec_module"] = exec_module
    return loader


def is_rewritten(code: CodeType) -> bool:
    """Whether code of a bundle is that of a loader with lazy imports, and runs only as such."""
    from pyautoload.lazy.imports import code_rewriting

    return code_rewriting.is_rewritten(code)


def _tidy(code: CodeType, module: ModuleType) -> None:
    from pyautoload.lazy.imports.code_rewriting import wants_tidying

    if wants_tidying(code):
        from pyautoload.lazy.imports.lazy_names import tidy

        tidy(module.__dict__)
