"""PyAutoloadFinder: module names → specs, on ``sys.meta_path``."""

from __future__ import annotations

import builtins
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import EXTENSION_SUFFIXES, ExtensionFileLoader, PathFinder, SourcelessFileLoader
from _thread import _local
from types import ModuleType

from pyautoload import inherited_loaders, log
from pyautoload.errors import ModuleNotFoundError
from pyautoload.importing import deadlocks, import_hooks, path_hook
from pyautoload.importing.binder import Binder
from pyautoload.importing.bytecode import cache_path
from pyautoload.importing.installed import installed_spec
from pyautoload.importing.loader import NamespaceDirectoryLoader, PyAutoloadLoader, with_after_exec
from pyautoload.importing.suggestions import did_you_mean, is_import_statement
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.tree.registry import ModuleRegistry, Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader

__all__ = ["PyAutoloadFinder"]

_FEW = 8
_PROCESSES = "multiprocessing.process"


class PyAutoloadFinder:
    """Finds managed modules, and keeps the stock finder from serving what the rules exclude.

    A meta path finder without ``importlib.abc`` for a base: to import that costs more than all of this package.

    Args:
        source: a binder, or a registry that was filled by hand.
    """

    def __init__(self, source: Binder | ModuleRegistry) -> None:
        # Whether names are registered by hand, so that one may come at any time.
        self._by_hand = isinstance(source, ModuleRegistry)
        if isinstance(source, ModuleRegistry):
            from pyautoload.tree.managed_paths import Config
            from pyautoload.tree.managed_tree import ManagedTree

            source = Binder(ManagedTree(Config(), source))
        self.binder = source
        self.tree = source.tree
        # The first parts of all managed names: what does not begin with one is not ours, and is let through at once.
        self._tops: set[str] = set()
        # What a name that may be ours begins with; ("",), and so any, where that is not known or there are many.
        self._starts: tuple[str, ...] = ("",)
        # Whether files at the top level are managed, so that a name we do not know may be a new file.
        self._open_top = False
        self.refresh_tops()

    def refresh_tops(self) -> None:
        """Take over the top-level names after the roots, or a top-level directory, have changed."""
        space = self.tree.registry.namespace("")
        known = {*space.modules, *space.subdirs} if space is not None else set()
        self._tops = self.tree.tops() | known
        self._open_top = bool(space is not None and space.directories)
        few = len(self._tops) <= _FEW and not self._open_top and not self._by_hand
        self._starts = (*self._tops, _PROCESSES) if few else ("",)

    def install(self) -> None:
        """Put the finder in front of ``sys.meta_path``; once only."""
        if self not in sys.meta_path:
            ours = [index for index, finder in enumerate(sys.meta_path) if isinstance(finder, PyAutoloadFinder)]
            # In front of all others, but behind those of loaders that were set up earlier: their files win.
            sys.meta_path.insert(ours[-1] + 1 if ours else 0, self)
            deadlocks.look_twice()
        path_hook.claim(self.tree.config.roots)

    def uninstall(self) -> None:
        """Take the finder off ``sys.meta_path``; it is not an error if it is not there."""
        while self in sys.meta_path:
            sys.meta_path.remove(self)
        if not any(isinstance(finder, PyAutoloadFinder) for finder in sys.meta_path):
            deadlocks.look_once()
            path_hook.release()

    def may_manage(self, fullname: str) -> bool:
        """Whether a name can be one of ours, by its first part; a cheap test that lists nothing."""
        return self._open_top or self._by_hand or fullname.partition(".")[0] in self._tops

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a managed module; ``None`` for a name that is not managed, or not there.

        Raises:
            ModuleNotFoundError: the rules exclude the name, and the stock finder would serve it all the same.
        """
        if not fullname.startswith(self._starts):
            return None  # nearly all that others import: every step counts here
        top, _, rest = fullname.partition(".")
        if top not in self._tops and (rest or not self._has_appeared(top)):
            return _processes_spec(path) if fullname == _PROCESSES else None
        if self.tree.on_missed is None:
            return self._managed_spec(fullname) if import_hooks.is_plain() else self._among_others(fullname, target)
        spec = None
        try:
            spec = self._managed_spec(fullname) if import_hooks.is_plain() else self._among_others(fullname, target)
        finally:
            if spec is None:
                self.tree.miss(fullname)
        if spec is not None:
            self.tree.on_missed(f"+{fullname}")
        return spec

    def _managed_spec(self, fullname: str) -> ModuleSpec | None:
        """Our own spec, whoever else may want the module."""
        parent_name, _, stem = fullname.rpartition(".")
        parent = self.tree.namespace(parent_name)
        if parent is None:
            return None
        spec = self._spec(fullname, parent, stem)
        if spec is None and self.tree.refresh(parent_name):
            parent = self.tree.namespace(parent_name)
            spec = self._spec(fullname, parent, stem) if parent is not None else None
        if spec is not None or parent is None or self._others_with(fullname):
            return spec
        if stem in parent.excluded:
            raise ModuleNotFoundError(fullname, parent.excluded[stem])
        if stem in parent.subdirs:
            raise ModuleNotFoundError(fullname, f"there is no managed Python file in {parent.subdirs[stem][0]}")
        if parent_name and is_import_statement() and _found_elsewhere(fullname) is None:
            hint = did_you_mean(self.binder.naming, stem, parent)
            if hint:
                raise ModuleNotFoundError(fullname, f"no file in {parent_name} has that name{hint}")
        return spec

    # Import hooks of others

    def _among_others(self, fullname: str, target: ModuleType | None) -> ModuleSpec | None:
        """The spec of a managed module where others may want to load it in their way."""
        in_question = import_hooks.is_in_question(fullname)
        if not in_question and import_hooks.is_asked_in_front(self, fullname) and self.would_find(fullname):
            import_hooks.deny(fullname)
            return None
        asked = import_hooks.come_to_front(self, fullname) if not in_question else ()
        if asked:
            self.binder.adopt_all(self.would_find)
        own = self._managed_spec(fullname)
        if own is None or not self._is_own(fullname, own):
            return own
        path = own.origin if own.origin is not None else next(iter(own.submodule_search_locations or ()), "")
        on_disk = source_for(path) is FILE_SYSTEM

        def make() -> ModuleSpec:
            spec = self._managed_spec(fullname)
            assert spec is not None
            loader = import_hooks.hooked_loader(fullname, path) if type(spec.loader) is PyAutoloadLoader else None
            if loader is not None:
                spec.loader = loader
            return spec

        # Who asks `PathFinder` may not have got the file: he gets it now. There is nothing to get of a directory.
        without = asked if isinstance(own.loader, NamespaceDirectoryLoader) else ()
        found = import_hooks.asked(fullname, path, make, target, on_disk=on_disk, without=without)
        return found if in_question else self._composed(fullname, path, own, found)

    def would_find(self, fullname: str) -> bool:
        """Whether there is a managed module of this name."""
        try:
            return self._managed_spec(fullname) is not None
        except builtins.ModuleNotFoundError:
            return True  # the rules exclude it, and we are the ones to say so

    def loads_itself(self, fullname: str) -> bool:
        """Whether a managed source file is loaded by nobody but us, not even with somebody else's help."""
        return type(getattr(self.find_spec(fullname), "loader", None)) is PyAutoloadLoader

    def _is_own(self, fullname: str, spec: ModuleSpec) -> bool:
        """Whether a spec is about something managed, not about a package of others that has our files in it."""
        return isinstance(spec.loader, NamespaceDirectoryLoader) or spec.origin == self.tree.registry.get_path(fullname)

    def _composed(self, fullname: str, path: str, own: ModuleSpec, found: ModuleSpec) -> ModuleSpec:
        """The spec that somebody else has found, with a loader that tells the binder."""
        if isinstance(found.loader, (PyAutoloadLoader, NamespaceDirectoryLoader)):
            return found
        if type(found.loader) is type(own.loader) or found.origin not in (None, path):
            return found
        if not hasattr(found.loader, "exec_module"):
            return found  # made for Python before 3.4: it makes the module, too
        from pyautoload.importing.composed_loader import ComposedLoader

        found.loader = ComposedLoader(found.loader, fullname, path, self.binder)  # type: ignore[assignment]
        if found.submodule_search_locations is None:
            found.submodule_search_locations = own.submodule_search_locations
        if found.origin is None and own.has_location:
            found.origin, found.has_location = own.origin, True
        return found

    def invalidate_caches(self) -> None:
        """List each namespace again when a name is not found in it: what ``importlib.invalidate_caches()`` asks for."""
        for space in self.tree.registry.namespaces():
            for directory in space.stamps:
                space.stamps[directory] = -1

    def _has_appeared(self, top: str) -> bool:
        if not self._by_hand and not (self._open_top and self.tree.refresh("")):
            return False
        self.refresh_tops()
        return top in self._tops

    def _spec(self, fullname: str, parent: Namespace, stem: str) -> ModuleSpec | None:
        if parent.name in self.binder.externals:
            self.binder.rejoin(parent.name)
            if self._is_served_by_external(fullname, parent.name):
                return self._extended(fullname, parent, stem)
        child = self.tree.child(parent, stem)
        if child is not None:
            return self._package_spec(fullname, child)
        file = parent.modules.get(stem)
        return self.file_spec(fullname, file) if file is not None else None

    # Packages

    def _package_spec(self, fullname: str, space: Namespace) -> ModuleSpec | None:
        if space.file is not None:
            return self.file_spec(fullname, space.file, space.path)
        elsewhere = self._elsewhere(fullname)
        if elsewhere is not None and elsewhere.loader is not None and elsewhere.origin is not None:
            return self._external_spec(fullname, elsewhere)
        others = self._others_with(fullname)
        if any(other.file is not None and other.name == fullname for other in others):
            return None  # another loader has code for it; what is managed here is added to that
        directories = _joined(space, others, elsewhere)
        loader = NamespaceDirectoryLoader(fullname, directories, self._find_portions, self.binder)
        spec = ModuleSpec(fullname, loader, is_package=True)
        spec.submodule_search_locations = loader.locations
        return spec

    def _find_portions(self, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
        """What the import system asks when it recomputes a namespace's path: the directories as they are known now."""
        space = self.tree.namespace(fullname)
        if space is None:
            return None
        elsewhere = self._elsewhere(fullname)
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = _joined(space, self._others_with(fullname), elsewhere)
        return spec

    def _others_with(self, fullname: str) -> list[Namespace]:
        """What other loaders hold of a namespace, or of the namespace that a plain module of theirs lies in."""
        found = []
        for finder in sys.meta_path:
            if finder is self or not isinstance(finder, PyAutoloadFinder):
                continue
            parent_name, _, stem = fullname.rpartition(".")
            space = finder.tree.namespace(fullname) if finder.tree.claims(fullname) else None
            if space is None and finder.tree.claims(parent_name):
                parent = finder.tree.namespace(parent_name)
                space = parent if parent is not None and stem in parent.modules else None
            if space is not None:
                found.append(space)
        return found

    # Packages of others

    def _elsewhere(self, fullname: str) -> ModuleSpec | None:
        """What others have under the name of an implicit namespace of ours: both become one package."""
        return _found_elsewhere(fullname) if self._may_exist_elsewhere(fullname) else installed_spec(fullname)

    def _may_exist_elsewhere(self, fullname: str) -> bool:
        """A namespace that the user named, or that leads to one, may be a package that exists already."""
        if not self.tree.is_root(fullname):
            return False
        roots = [root for root in self.tree.config.roots.values() if root.namespace == fullname]
        return not roots or any(root.explicit for root in roots)

    def _external_spec(self, fullname: str, spec: ModuleSpec) -> ModuleSpec:
        def after(module: ModuleType) -> None:
            self.binder.attach_external(module, fullname)
            self.binder.share(module, fullname)

        if spec.loader is None or spec.submodule_search_locations is None:
            return spec
        if import_hooks.is_stock(spec.loader):
            with_after_exec(spec.loader, after)
        else:
            from pyautoload.importing.composed_loader import LoaderAround

            spec.loader = LoaderAround(spec.loader, after)  # type: ignore[assignment]
        return spec

    def _extended(self, fullname: str, parent: Namespace, stem: str) -> ModuleSpec | None:
        """A package within a package of somebody else, where something is managed in it; else it is left to others."""
        if self.tree.child(parent, stem) is None:
            return None
        spec = _found_elsewhere(fullname)
        return self._external_spec(fullname, spec) if spec is not None else None

    def _is_served_by_external(self, fullname: str, parent_name: str) -> bool:
        """Whether a package of somebody else has a module of this name in its own directories: that one wins."""
        own = self.binder.externals[parent_name]
        managed = self.tree.namespace(parent_name)
        directories = [path for path in own or () if managed is None or path not in managed.path]
        if not directories:
            return False
        spec = PathFinder.find_spec(fullname, directories)
        if spec is None or spec.origin is None:
            return False
        log.debug(self.tree.tag, "%s is shadowed by %s", fullname, spec.origin)
        return True

    # Files

    def file_spec(self, fullname: str, path: str, directories: list[str] | None = None) -> ModuleSpec:
        """The spec of a file.

        Args:
            fullname: the module name.
            path: its file.
            directories: for a package, its ``__path__``.
        """
        if source_for(path) is not FILE_SYSTEM:
            spec = self._mounted_spec(fullname, path)
        elif path.endswith(".py"):
            cached = cache_path(path)
            spec = ModuleSpec(fullname, PyAutoloadLoader(fullname, path, self.binder, cached), origin=path)
            # Else worked out, more slowly, when the module is made.
            spec.cached = cached
        else:
            spec = self._binary_spec(fullname, path)
        if directories is not None:
            spec.submodule_search_locations = directories
        spec.has_location = True
        return spec

    def _mounted_spec(self, fullname: str, path: str) -> ModuleSpec:
        from pyautoload.importing.mounted_loader import MountedBytecodeLoader, MountedLoader

        if path.endswith(".py"):
            return ModuleSpec(fullname, MountedLoader(fullname, path, self.binder), origin=path)
        if path.endswith(".pyc"):
            return self._stock_spec(fullname, path, MountedBytecodeLoader(fullname, path))
        raise ModuleNotFoundError(fullname, f"the system loads extension modules from files only, not {path}", path)

    def _binary_spec(self, fullname: str, path: str) -> ModuleSpec:
        """Extension modules and bytecode without source are loaded by the stock loaders."""
        kind = ExtensionFileLoader if path.endswith(tuple(EXTENSION_SUFFIXES)) else SourcelessFileLoader
        return self._stock_spec(fullname, path, kind(fullname, path))

    def _stock_spec(self, fullname: str, path: str, loader: Loader) -> ModuleSpec:
        binder = self.binder

        def after(module: ModuleType) -> None:
            if hasattr(module, "__path__"):
                binder.attach(module, fullname)
            binder.loaded(module, fullname, path)

        return ModuleSpec(fullname, with_after_exec(loader, after), origin=path)


def _processes_spec(path: Sequence[str] | None) -> ModuleSpec | None:
    """The spec of ``multiprocessing.process``: whoever imports it may start processes that need our loaders."""
    spec = PathFinder.find_spec(_PROCESSES, path)
    if spec is not None and spec.loader is not None:
        with_after_exec(spec.loader, inherited_loaders.hand_down)
    return spec


def _joined(space: Namespace, others: list[Namespace], elsewhere: ModuleSpec | None) -> list[str]:
    """The directories of an implicit namespace: its own, those of other loaders, and those on ``sys.path``."""
    paths = [*space.path, *(path for other in others if other.name == space.name for path in other.path)]
    if elsewhere is not None and elsewhere.submodule_search_locations is not None:
        paths += elsewhere.submodule_search_locations
    return list(dict.fromkeys(paths))


import_hooks.ours.append(PyAutoloadFinder)


class _Elsewhere(_local):
    """The names that this thread asks other finders for; one of them may ask all finders, and so come back to us."""

    def __init__(self) -> None:
        self.names: set[str] = set()


_elsewhere = _Elsewhere()


def _found_elsewhere(fullname: str) -> ModuleSpec | None:
    """What the other finders say of a name."""
    if fullname in _elsewhere.names:
        return None
    _elsewhere.names.add(fullname)
    try:
        return _ask_all(fullname)
    finally:
        _elsewhere.names.discard(fullname)


def _ask_all(fullname: str) -> ModuleSpec | None:
    parent_name = fullname.rpartition(".")[0]
    path = getattr(sys.modules.get(parent_name), "__path__", None) if parent_name else None
    for finder in sys.meta_path:
        if isinstance(finder, PyAutoloadFinder):
            continue
        find_spec = getattr(finder, "find_spec", None)  # the import system, too, passes over those that have none
        spec: ModuleSpec | None = find_spec(fullname, path, None) if find_spec is not None else None
        if spec is not None:
            return spec
    return None
