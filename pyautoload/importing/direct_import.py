"""DirectImport: import one module without searching for it.

An eager load knows each file already. What is left out is the search (``sys.meta_path``, finders, path hooks); the
rest is what an import does, in its order: the module's lock, the spec, the entry in ``sys.modules`` before the code
runs, its removal on failure, the move to the end, the binding on the parent (compare ``_find_and_load`` and
``_load_unlocked`` in ``importlib._bootstrap``). Locks are the import system's own, so another thread that imports the
module waits for it. Some of that is private. It is looked at before it is relied on, and wherever it is not as
expected, somebody stands in front of our finder, or has a say in how the module is loaded, the caller takes the public
way.
"""

from __future__ import annotations

import importlib._bootstrap as _bootstrap
import importlib.util
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pyautoload.importing import import_hooks
from pyautoload.importing.bytecode import cache_path
from pyautoload.importing.finder import PyAutoloadFinder
from pyautoload.importing.loader import PyAutoloadLoader
from pyautoload.importing.module_locks import HeldLock, available
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.tree.registry import Namespace

__all__ = ["DirectImport"]

_set_lazy_attributes: Any = getattr(getattr(_bootstrap, "_imp", None), "_set_lazy_attributes", None)


class DirectImport:
    """Imports managed source files whose place is known, one after the other, for one thread.

    Args:
        finder: the finder that would be asked.
    """

    def __init__(self, finder: PyAutoloadFinder) -> None:
        self.finder = finder
        self.binder = finder.binder
        self._possible = available() and _modules_can_be_made()
        self._lock = HeldLock()

    def load(self, name: str, path: str, space: Namespace | None) -> bool:
        """Import ``name`` from ``path``.

        Args:
            name: a module name that the finder would find.
            path: its source file.
            space: what it holds, where it is a package.

        Returns:
            Whether it was done; ``False`` asks the caller to import the module the ordinary way.

        Raises:
            Exception: whatever the module's code raises.
        """
        parent_name, _, stem = name.rpartition(".")
        if not self._possible or path[-3:] != ".py" or parent_name in self.binder.externals:
            return False
        if not self._would_be_asked(name) or source_for(path) is not FILE_SYSTEM:
            return False
        parent = sys.modules.get(parent_name) if parent_name else None
        parent_spec = getattr(parent, "__spec__", None)
        if parent_name and (parent_spec is None or getattr(parent_spec, "_initializing", False)):
            return False
        sys.audit("import", name, None, sys.path, sys.meta_path, sys.path_hooks)
        if not self._lock.acquire(name):
            return False
        try:
            if name in sys.modules:
                return sys.modules[name] is not None  # None: somebody has blocked it
            loader = PyAutoloadLoader(name, path, self.binder, cache_path(path))
            module = made_module(name, path, None if space is None else space.path, loader)
            pending = getattr(parent_spec, "_uninitialized_submodules", None)
            if pending is None:
                module = _executed(module, loader)
            else:
                pending.append(stem)
                try:
                    module = _executed(module, loader)
                finally:
                    pending.pop()
            if parent is not None:
                _bind(parent_name, stem, module)
            if _set_lazy_attributes is not None:
                _set_lazy_attributes(module, name)
        finally:
            self._lock.release(name)
        return True

    def _would_be_asked(self, name: str) -> bool:
        """Whether no finder in front of ours could answer for ``name``; finders of loaders for other names cannot."""
        if not import_hooks.is_plain() and (
            import_hooks.is_anybody_in_front(self.finder) or not self.finder.loads_itself(name)
        ):
            return False
        for finder in sys.meta_path:
            if finder is self.finder:  # nearly always the first
                return True
            if not isinstance(finder, PyAutoloadFinder) or finder.may_manage(name):
                return False
        return False


def _executed(module: ModuleType, loader: PyAutoloadLoader) -> Any:
    """Put the module into ``sys.modules`` and run its code; what then stands there under its name."""
    spec: Any = module.__spec__
    name, modules = loader.name, sys.modules
    # Before it can be seen by others, who else would take the shortcut for a module that is complete.
    spec._initializing = True
    try:
        modules[name] = module
        try:
            loader.exec_module(module)
        except BaseException:
            modules.pop(name, None)
            raise
        # To the end, behind what it has imported itself.
        module = modules[name] = modules.pop(name)
    finally:
        spec._initializing = False
    return module


def _bind(parent_name: str, stem: str, module: object) -> None:
    try:
        # Asked for again: the file may have put something else in its parent's place.
        setattr(sys.modules[parent_name], stem, module)
    except AttributeError:
        message = f"Cannot set an attribute on {parent_name!r} for child module {stem!r}"
        warnings.warn(message, ImportWarning, stacklevel=2)


def made_module(name: str, path: str, directories: list[str] | None, loader: PyAutoloadLoader) -> ModuleType:
    """A module object as ``importlib.util.module_from_spec`` makes it, for a source file.

    Args:
        name: the module name.
        path: its file.
        directories: for a package, its ``__path__``.
        loader: which executes it.
    """
    spec: Any = ModuleSpec(name, loader, origin=path)
    spec.submodule_search_locations = directories
    spec._set_fileattr = True
    spec._cached = cached = loader.cached
    module: Any = ModuleType(name)
    names = module.__dict__
    names["__loader__"] = loader
    names["__spec__"] = spec
    if directories is None:
        names["__package__"] = name.rpartition(".")[0]
    else:
        names["__package__"] = name
        names["__path__"] = directories
    names["__file__"] = path
    if cached is not None and _SETS_CACHED:
        names["__cached__"] = cached
    return module  # type: ignore[no-any-return]


def _probe(directories: list[str] | None) -> tuple[ModuleType, ModuleType]:
    """A module made by the import system and one made here."""
    name, path = "pyautoload.probe", __file__[: -len("direct_import.py")] + "probe.py"
    loader = PyAutoloadLoader(name, path, cached=cache_path(path))
    spec = ModuleSpec(name, loader, origin=path)
    spec.submodule_search_locations = directories
    spec.has_location = True
    return importlib.util.module_from_spec(spec), made_module(name, path, directories, loader)


def _modules_can_be_made() -> bool:
    """Whether modules made here are, on this Python, just as those that the import system makes."""
    for directories in (None, ["directory"]):
        stock, ours = _probe(directories)
        theirs, own = dict(vars(stock)), dict(vars(ours))
        their_spec, own_spec = theirs.pop("__spec__"), own.pop("__spec__")
        if theirs != own or vars(their_spec).keys() != vars(own_spec).keys() or their_spec != own_spec:
            return False
    return True


_SETS_CACHED = True
_SETS_CACHED = "__cached__" in vars(_probe(None)[0])
