"""PlainFinder: modules of roots without conventions, found by Python's own finders and loaded by our loader.

All other finders are asked as the import system would ask them, and what they find is taken as it is: names, packages,
the order of ``sys.path``, errors are Python's. Only the loader of a file below such a root is another one, which notes
what it loads.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

from pyautoload.importing import import_hooks
from pyautoload.importing.loader import NamespaceDirectoryLoader, PyAutoloadLoader, with_after_exec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyautoload.importing.binder import Binder

__all__ = ["PlainFinder", "forget_listings", "name_now", "place_now"]


class _Asking(threading.local):
    """The names that this thread asks the other finders for; one of them may ask all finders, and so come back."""

    def __init__(self) -> None:
        self.names: set[str] = set()


class PlainFinder:
    """A meta path finder that gives the loaders of others' specs away, for files below the plain roots of one loader.

    Args:
        binder: of the loader.
    """

    def __init__(self, binder: Binder) -> None:
        self.binder = binder
        self.config = binder.tree.config
        self._asking = _Asking()

    def install(self) -> None:
        """Put the finder onto ``sys.meta_path``, in front of those of others; once only."""
        if self not in sys.meta_path:
            ours = [index for index, finder in enumerate(sys.meta_path) if isinstance(finder, tuple(import_hooks.ours))]
            sys.meta_path.insert(ours[-1] + 1 if ours else 0, self)

    def uninstall(self) -> None:
        """Take the finder off ``sys.meta_path``; it is not an error if it is not there."""
        while self in sys.meta_path:
            sys.meta_path.remove(self)

    def may_manage(self, fullname: str) -> bool:
        """Whether other finders are to be kept from a name: never, they are the ones who find."""
        return False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders find, to be loaded by us where its file lies below a plain root."""
        again = fullname in self.binder.reruns
        names = self._asking.names
        if fullname in names or (path is not None and not again and not self._concerns(path)):
            return None
        names.add(fullname)
        try:
            spec = self._found(fullname, path, target)
        finally:
            names.discard(fullname)
        if again:
            return self._same_place(fullname, spec)
        if spec is None:
            self.binder.tree.miss(fullname)
            return None
        return self._taken(fullname, spec)

    def _concerns(self, path: Sequence[str]) -> bool:
        """Whether a package has directories that are managed: what lies in it lies there."""
        try:
            return any(self.config.root_of(os.path.abspath(entry)) is not None for entry in path)
        except TypeError:
            return True  # a path of somebody's own kind

    def _found(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        finders = list(sys.meta_path)
        start = finders.index(self) + 1 if self in finders else 0
        for finder in finders[start:]:
            find_spec: Any = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find_spec(fullname, path, target) if find_spec is not None else None
            if spec is not None:
                return spec
        return None

    def _taken(self, fullname: str, spec: ModuleSpec) -> ModuleSpec:
        """A spec of somebody else, with a loader that tells the binder."""
        loader: Any = spec.loader
        origin = spec.origin
        if loader is None or getattr(type(loader), "is_ours", False) or not isinstance(origin, str):
            return spec
        if not spec.has_location or not os.path.isabs(origin) or not self.config.is_plain(origin):
            return spec
        if type(loader) is SourceFileLoader:
            spec.loader = PyAutoloadLoader(fullname, origin, self.binder, spec.cached)
        elif import_hooks.is_stock(loader):
            with_after_exec(loader, lambda module: self.binder.taken_in(module, fullname, origin))
        elif hasattr(loader, "exec_module"):
            from pyautoload.importing.composed_loader import ComposedLoader

            spec.loader = ComposedLoader(loader, fullname, origin, self.binder)  # type: ignore[assignment]
        return spec

    def _same_place(self, fullname: str, spec: ModuleSpec | None) -> ModuleSpec | None:
        """The spec of a module that a reload runs again: of the file that the reload means, however it is found."""
        wanted = self.binder.reruns[fullname].path
        if not self.config.is_plain(wanted):
            return spec
        if os.path.isdir(wanted):
            directories = list(spec.submodule_search_locations or ()) if spec is not None else []
            return self._directory_spec(fullname, directories or [wanted])
        if spec is not None and spec.origin == wanted:
            return self._taken(fullname, spec)
        directory = os.path.dirname(wanted)
        is_package = os.path.basename(wanted) == "__init__.py"
        loader = PyAutoloadLoader(fullname, wanted, self.binder)
        return importlib.util.spec_from_file_location(
            fullname, wanted, loader=loader, submodule_search_locations=[directory] if is_package else None
        )

    def _directory_spec(self, fullname: str, directories: list[str]) -> ModuleSpec:
        loader = _Directories(fullname, directories, self._portions, self.binder)
        spec = ModuleSpec(fullname, loader, is_package=True)
        spec.submodule_search_locations = loader.locations
        return spec

    def _portions(self, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
        """What the import system asks when it works out the path of a package without code once more."""
        return self._found(fullname, path, None)


import_hooks.ours.append(PlainFinder)


class _Directories(NamespaceDirectoryLoader):
    """Loads a package that has lost its code: it is then what Python makes of a mere directory."""

    def exec_module(self, module: ModuleType) -> None:
        """Let the package be one without a file."""
        super().exec_module(module)
        del module.__file__


def forget_listings(roots: Sequence[str]) -> None:
    """Let Python's finders list directories below some roots anew: they go by times in which two changes may fall."""
    starts = tuple(f"{root}{os.sep}" for root in roots)
    for entry, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, FileFinder) and f"{os.path.abspath(entry)}{os.sep}".startswith(starts):
            finder.invalidate_caches()


def place_now(name: str) -> str | None:
    """The file that an import of a module's name would find now, a directory for a package without code.

    Nothing is imported for that.
    """
    spec = _spec_now(name)
    if spec is None:
        return None
    if spec.origin is not None and spec.has_location:
        return spec.origin
    return next(iter(spec.submodule_search_locations or ()), None)


def name_now(path: str) -> str | None:
    """The name by which an import finds a file; ``None`` where there is none."""
    for entry in sys.path:
        base = os.path.join(os.path.abspath(entry or os.curdir), "")
        if not path.startswith(base):
            continue
        parts = os.path.splitext(path[len(base) :])[0].split(os.sep)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name and place_now(name) == path:
            return name
    return None


def _spec_now(name: str) -> ModuleSpec | None:
    parent = name.rpartition(".")[0]
    path: Any = None
    if parent in sys.modules:
        path = getattr(sys.modules[parent], "__path__", None)
    elif parent:
        above = _spec_now(parent)
        path = above.submodule_search_locations if above is not None else None
    if parent and path is None:
        return None
    for finder in list(sys.meta_path):
        find_spec: Any = getattr(finder, "find_spec", None)
        try:
            spec: ModuleSpec | None = find_spec(name, path, None) if find_spec is not None else None
        except ImportError:
            return None
        if spec is not None:
            return spec
    return None
