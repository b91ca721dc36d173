"""PyAutoloadLoader: from a managed file to a module. All source becomes code here, in one place."""

from __future__ import annotations

import importlib.machinery
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, cast

from pyautoload.importing import bytecode, cycles
from pyautoload.importing.frames import part_of_import, run_without_frames

if TYPE_CHECKING:
    from importlib.abc import Loader

    from pyautoload.importing.binder import Binder

# Python 3.10 has it under its private name only.
NamespaceLoader: Any = getattr(importlib.machinery, "NamespaceLoader", None)
if NamespaceLoader is None:
    from importlib._bootstrap_external import _NamespaceLoader as NamespaceLoader  # type: ignore

__all__ = ["NamespaceDirectoryLoader", "PyAutoloadLoader", "with_after_exec"]


class PyAutoloadLoader(importlib.machinery.SourceFileLoader):
    """Loads one managed source file as the stock loader does, and tells the binder of it.

    Args:
        fullname: the module name.
        path: its file.
        binder: whom to tell; without one this is the stock loader with a quicker look into the bytecode cache.
    """

    def __init__(self, fullname: str, path: str, binder: Binder | None = None) -> None:
        self.name = fullname
        self.path = path
        self._binder = binder
        # The file's modification time in ns at the time its code was read.
        self._mtime_ns: int | None = None

    @part_of_import
    def exec_module(self, module: ModuleType) -> None:
        """Execute the module's code in its namespace.

        Raises:
            CircularDependencyError: the code needs a managed module that is still being imported.
        """
        binder = self._binder
        if binder is None:
            super().exec_module(module)
            return
        names = module.__dict__
        is_package = "__path__" in names
        if is_package:
            # Before the code runs: it may use what lies in its own directory.
            binder.attach(module, self.name)
        code = self.get_code(self.name)
        try:
            run_without_frames(exec, cast(CodeType, code), names)
        except (ImportError, AttributeError) as error:
            cycle = cycles.explained(error, binder.manages)
            if cycle is None:
                raise
            raise cycle from error
        if is_package:
            # Again: the code may have put a `__getattr__` of its own in place of ours.
            _reattach(module, self.name, binder)
        binder.loaded(module, self.name, self.path, self._mtime_ns)

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code: from the bytecode cache where that is valid, else from source."""
        binder = self._binder
        fresh = binder is not None and binder.reloading
        if binder is not None and binder.tree.bundle is not None:
            found = binder.tree.bundle.code(fullname, self.path, checked=fresh)
            if found is not None:
                self._mtime_ns = found[1]
                return found[0]
        code, self._mtime_ns = bytecode.cached_code(self.path, bytecode.cache_path(self.path), surely_fresh=fresh)
        if code is not None:
            return code
        if not fresh:
            return super().get_code(fullname)
        return self._compiled_afresh()

    def _compiled_afresh(self) -> CodeType:
        # Not by way of the stock loader: it would take the very bytecode that was just found doubtful.
        data = self.get_data(self.path)
        code = self.source_to_code(data, self.path)
        bytecode.write_cache(self, self.path, code, len(data), self._mtime_ns)
        return code


class NamespaceDirectoryLoader(NamespaceLoader):  # type: ignore[misc]
    """Loads an implicit namespace: a package object without code.

    Args:
        name: its dotted name.
        path: its directories.
        find: called by the import system when a parent's path has changed.
        binder: whom to tell.
    """

    def __init__(self, name: str, path: list[str], find: Callable[..., Any], binder: Binder) -> None:
        super().__init__(name, path, find)
        self._name = name
        self._directory = path[0] if path else ""
        self._binder = binder

    def exec_module(self, module: ModuleType) -> None:
        """Give the package the attributes that its files stand for."""
        module.__file__ = None
        self._binder.attach(module, self._name)
        self._binder.loaded(module, self._name, self._directory, 0)


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


def _reattach(module: ModuleType, name: str, binder: Binder) -> None:
    from pyautoload.importing.namespace import access_of

    access = access_of(module)
    if access is not None:
        access.install()
    else:
        binder.attach(module, name)
