"""A managed module that is loaded by a loader of somebody else: it is noted and stored as every other one.

The loader of the other one does all the work: it finds the code, changes it, executes it. Before and after that happens
here what our own loader does. The module shows the loader of the other one, as it would without us.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

from pyautoload import log
from pyautoload.importing import hooks
from pyautoload.importing.bytecode import cache_path
from pyautoload.importing.cycle_explanation import explained
from pyautoload.importing.hidden_frames import part_of_import, without_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyautoload.importing.binder import Binder

__all__ = ["ComposedLoader", "Guard", "LoaderAround", "code_through_hook", "is_hooked"]

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


class Guard:
    """Keeps a loader that compiles in its own way from the stock bytecode cache, while it loads one module.

    Such a loader may read the stock cache, and so never compile; or write into it what all others then would load.
    What it caches in a place of its own is its own business, unless the code must be surely fresh.

    Args:
        loader: of one module; others, which serve for many modules, are left alone.
        path: the module's file.
        fresh: take no bytecode from any cache: those of others cannot tell two edits within a second.
        source: the text to be compiled, in place of what the file holds.
        on_code: called with the code before it is executed.
    """

    def __init__(
        self,
        loader: Any,
        path: str,
        *,
        fresh: bool = False,
        source: bytes | None = None,
        on_code: Callable[[CodeType], None] | None = None,
    ) -> None:
        self._loader = loader
        self._path = path
        self._stock = cache_path(path) if path.endswith(".py") else None
        self._fresh = fresh
        self._source = source
        self._on_code = on_code
        # The instance's methods that were put there, with what was there before.
        self._put: dict[str, Any] = {}

    def __enter__(self) -> Guard:
        if is_source_loader(self._loader):
            self._replace("get_code", self._get_code)
            if compiles_itself(type(self._loader)) or self._source is not None:
                self._replace("get_data", self._get_data)
                self._replace("set_data", self._set_data)
                if self._fresh:
                    self._replace("path_stats", self._path_stats)
        return self

    def __exit__(self, *_: object) -> None:
        names = vars(self._loader) if self._put else {}
        for name, before in self._put.items():
            if before is None:
                names.pop(name, None)
            else:
                names[name] = before

    def _replace(self, name: str, function: Callable[..., Any]) -> None:
        names = vars(self._loader)
        self._put[name] = names.get(name)
        setattr(self, "_" + name + "_before", getattr(self._loader, name))
        names[name] = function

    # In place of the loader's methods

    _get_code_before: Callable[[str], CodeType]
    _get_data_before: Callable[[str], bytes]
    _set_data_before: Callable[..., None]

    def _get_code(self, fullname: str) -> CodeType:
        code = self._get_code_before(fullname)
        if self._on_code is not None:
            self._on_code(code)
        return code

    def _get_data(self, path: str) -> bytes:
        if path == self._stock:
            raise OSError("the stock bytecode cache holds what Python itself compiles")
        if self._source is not None and path == self._path and type(self._loader).get_data is SourceFileLoader.get_data:
            return self._source
        return self._get_data_before(path)

    def _set_data(self, path: str, data: bytes, **options: Any) -> None:
        if path != self._stock:
            self._set_data_before(path, data, **options)

    @staticmethod
    def _path_stats(path: str) -> dict[str, Any]:
        raise OSError(f"{path} is to be compiled from its source")


def is_source_loader(loader: object) -> bool:
    """Whether ``loader`` is of a class made from the stock loader, whatever it may pretend, and takes attributes."""
    return issubclass(type(loader), SourceFileLoader) and "__dict__" in dir(type(loader))


def compiles_itself(kind: type) -> bool:
    """Whether a loader class makes code of something else than the file's own text, or in another way."""
    return any(getattr(kind, name) is not getattr(SourceFileLoader, name) for name in ("source_to_code", "get_data"))


# Compiling again, for a reload


def is_hooked(module: object) -> bool:
    """Whether a loaded module's code is made, or changed, by a loader of somebody else."""
    loader = getattr(getattr(module, "__spec__", None), "loader", None)
    if loader is None:
        return False
    if getattr(type(loader), "is_ours", False):
        return bool(hooks.patched()) or "get_code" in vars(loader)
    return not hooks.is_stock(loader)


def code_through_hook(module: ModuleType, source: bytes, path: str) -> CodeType:
    """What the loader of a module that is hooked makes of a new text.

    Args:
        module: the module.
        source: the text.
        path: its file.

    Returns:
        Code to be executed in the module's namespace. Where the loader only executes, code that lets it do so.

    Raises:
        SyntaxError: the text does not compile.
    """
    loader: Any = getattr(module.__spec__, "loader", None)
    if is_source_loader(loader):
        with Guard(loader, path, fresh=True, source=source):
            code = loader.get_code(module.__name__)
        if isinstance(code, CodeType):
            return code
    compile(source, path, "exec", dont_inherit=True)  # an error in it is found before anything runs
    return compile("__spec__.loader.exec_module(__import__('sys').modules[__name__])", path, "exec")


def _mtime_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
