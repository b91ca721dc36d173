"""Binder: what is noted and stored when a managed module has been loaded, and taken back when it is unloaded."""

from __future__ import annotations

import os
import sys

from pyautoload import log
from pyautoload.callbacks import Callbacks
from pyautoload.errors import ModuleNotFoundError
from pyautoload.frames.hidden_frames import is_initializing
from pyautoload.importing import import_hooks
from pyautoload.importing.namespace_access import NamespaceAccess, access_of, is_hook, look_again
from pyautoload.light_stdlib import ModuleType
from pyautoload.tree.inflector import InflectorProtocol
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.naming import Naming, names_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, Protocol

    class Records(Protocol):
        """What is told of each module that runs while reloading is enabled: ``reloading`` has it."""

        def begin(
            self,
            name: str,
            path: str,
            code: CodeType,
            mtime_ns: int | None,
            *,
            is_package: bool,
            status: os.stat_result | None,
        ) -> None: ...
        def end(self, *, loaded: bool) -> None: ...
        def adopt(self, name: str, path: str, mtime_ns: int, *, at_once: bool = False) -> object: ...
        def goes(self, name: str) -> None: ...

    class Rerun(Protocol):
        """A module whose code a reload runs again.

        Attributes:
            module: the module object, which stays.
            code: what is executed.
            path: the file that it is of now, a directory for a package without code.
        """

        module: ModuleType
        code: CodeType
        path: str

        def execute(self) -> None:
            """Run the code in the module."""

        def settle(self, module: ModuleType) -> None:
            """The code has run: bring what was there before and what it made together."""


__all__ = ["Binder"]


class Binder:
    """Joins the tree (names and files), the inflector and the callbacks at the moment a module is loaded.

    Args:
        tree: the names and files.
        inflector: stems to names.
        callbacks: whom to tell.
    """

    def __init__(
        self,
        tree: ManagedTree,
        inflector: InflectorProtocol | None = None,
        callbacks: Callbacks | None = None,
    ) -> None:
        self.tree = tree
        self.registry = tree.registry
        self.naming = Naming(tree.registry, inflector)
        self.callbacks = callbacks or Callbacks()
        # Packages that we did not make: name → their own `__path__`, ours not added.
        self.externals: dict[str, list[str] | None] = {}
        # Whether source may change while the process runs, so that bytecode is taken only where it cannot be stale.
        self.reloading = False
        # What is kept of each module that is executed while reloading is enabled, else None.
        self.records: Records | None = None
        # Modules that a reload runs again just now. Example: {"myapp.user": <Rerun>}
        self.reruns: dict[str, Rerun] = {}
        # Modules of plain roots that no import would find where they are: they stay with their files.
        self.pinned: set[str] = set()
        # What was said of modules that cannot be taken in.
        self._said: set[str] = set()
        tree.on_relisted.append(self._relisted)

    @property
    def tag(self) -> str:
        """What log records are marked with."""
        return self.tree.tag

    # Names

    def manages(self, module_name: str) -> bool:
        """Whether a loaded module, or one that is being loaded, is ours."""
        module = sys.modules.get(module_name)
        if self._is_plain(module):
            return False  # an error there is what it is without us
        return self.registry.is_loaded(module_name) or (
            module is not None and self.registry.get(module_name) is not None and module_name not in self.externals
        )

    def path_of(self, module_name: str) -> str | None:
        """The file of a module, whether it is loaded or not."""
        return self.registry.get_path(module_name)

    def expected_names(self, stem: str, path: str) -> tuple[str, ...]:
        """See ``Naming.expected_names``."""
        return self.naming.expected_names(stem, path)

    def defined_name(self, module: object, stem: str, path: str) -> str | None:
        """See ``Naming.defined_name``; nothing for a file whose names are left to Python."""
        if self.tree.config.has_plain_roots and self.tree.config.is_plain(path):
            return None
        return self.naming.defined_name(module, stem, path)

    # Loading

    def attach(self, module: ModuleType, name: str) -> None:
        """Give a package the attributes that its files stand for; once more, if its code has put others in place.

        One in a plain root has none of these.
        """
        if self._is_plain(module):
            return
        access = access_of(module, self.tree)
        (NamespaceAccess(module, name, self.tree, self.naming) if access is None else access).install()

    def attach_external(self, module: ModuleType, name: str) -> None:
        """The same for a package that somebody else made: it keeps its identity, and its own attributes win."""
        space = self.tree.namespace(name)
        own = module.__dict__.get("__path__")
        portions = list(own) if own is not None else None
        fresh = [path for path in space.path if path not in (portions or [])] if space is not None else []
        if own is None or isinstance(own, list):
            module.__dict__["__path__"] = [*(portions or []), *fresh]
        else:
            for path in fresh:
                own.append(path)
        access = access_of(module, self.tree)
        if access is None:
            self.externals[name] = portions
            self.attach(module, name)
            access = access_of(module, self.tree)
            if access is not None and is_initializing(module):
                look_again(module, access)
        else:
            access.relisted()
        log.debug(self.tag, "%s exists already: its own attributes win, what lies below it is managed", name)

    def rejoin(self, name: str) -> None:
        """Put our access into a package of somebody else again where its code has replaced it by a hook of its own."""
        module = sys.modules.get(name)
        hook = names_of(module).get("__getattr__")
        access = access_of(module, self.tree)
        if access is not None and hook is not None and not is_hook(hook):
            access.rejoin()

    def share(self, module: ModuleType, name: str) -> None:
        """Let the other loaders that manage something in a package of this one add it to the package."""
        if self._is_plain(module):
            return
        for finder in sys.meta_path:
            other = getattr(finder, "binder", None)
            if isinstance(other, Binder) and other is not self and other.tree.claims(name):
                other.attach_external(module, name)

    def detach_externals(self) -> None:
        """Leave the packages that somebody else made as they were."""
        for name, portions in self.externals.items():
            module = sys.modules.get(name)
            if module is None:
                continue
            access = access_of(module, self.tree)
            if access is not None:
                access.remove()
            own = module.__dict__.get("__path__")
            if portions is None:
                module.__dict__.pop("__path__", None)
            elif isinstance(own, list):
                module.__path__ = portions
            elif isinstance(entries := getattr(own, "_path", None), list):
                entries[:] = portions
        self.externals.clear()

    def loaded(self, module: ModuleType, name: str, path: str, mtime_ns: int | None = None) -> None:
        """A module has been executed: note it, store its expected name on its namespace, and tell of it.

        An error in a callback takes all that back and goes on to the importer.
        """
        module = sys.modules.get(name, module)  # a module may put something else in its own place
        self.registry.mark_loaded(name, path, mtime_ns)
        parent_name, _, stem = name.rpartition(".")
        actual = self.defined_name(module, stem, path)
        if parent_name:
            self._store(parent_name, stem, actual, module, path)
        if log.listening():
            verb = "autovivified" if names_of(module).get("__file__") is None else "loaded"
            log.debug(self.tag, "%s %s from %s", verb, name, path)
        if not self.callbacks.load.wanted:
            return
        try:
            self.callbacks.fire(self.callbacks.load, name, module, self.expected(parent_name, actual, module), path)
        except BaseException:
            self._forget(name, module)
            raise

    def taken_in(self, module: ModuleType, name: str, path: str) -> None:
        """A module is loaded, and nobody has recorded that: note it, and make a record of what can be known now."""
        self.loaded(module, name, path)
        status = self.registry.loaded_status(name)
        is_file = path.endswith((".py", ".pyc", ".so", ".pyd"))
        if self.records is not None and status is not None and is_file:
            self.records.adopt(name, path, status.mtime_ns, at_once=name == "__main__")

    def say_once(self, name: str, message: str) -> None:
        """Tell, once for each module, of what cannot be done."""
        if name not in self._said:
            self._said.add(name)
            log.warning(self.tag, "%s", message)

    def is_hooked(self, module_name: str) -> bool:
        """Whether an import hook of somebody else makes the code of a loaded module, or changes it."""
        from pyautoload.importing.hooked_code import is_hooked

        return is_hooked(sys.modules.get(module_name))

    def adopt_all(self, is_managed: Callable[[str], bool]) -> None:
        """Take over managed modules that a finder of somebody else has loaded without us.

        Args:
            is_managed: whether there is a managed module of a name.
        """
        tops = self.tree.tops()
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] not in tops or self.registry.is_loaded(name) or name in self.externals:
                continue
            if not issubclass(type(module), ModuleType):
                continue
            # Past the module's own access: one that is lazy would be loaded by any question.
            names = object.__getattribute__(module, "__dict__")
            path = names.get("__file__")
            if not isinstance(path, str) or not is_managed(name) or self.registry.get_path(name) != path:
                continue
            if import_hooks.is_stock(names.get("__loader__")) or type(module).__name__ == "_LazyModule":
                continue
            if "__path__" in names:
                self.attach(module, name)
            if not is_initializing(module):
                self.loaded(module, name, path)

    def _is_plain(self, module: object) -> bool:
        """Whether the file of a module, or the directory of a package without code, lies in a plain root."""
        if not self.tree.config.has_plain_roots or module is None:
            return False
        names = names_of(module)
        path = names.get("__file__") or next(iter(names.get("__path__") or ()), None)
        return isinstance(path, str) and self.tree.config.is_plain(path)

    def gone(self, name: str, path: str, how: str = "has been deleted") -> ImportError | OSError:
        """The error for a file that went after its directory was listed; the directory is listed anew."""
        if self.tree.config.is_plain(path):
            import errno

            return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self.tree.relist(name.rpartition(".")[0])
        return ModuleNotFoundError(name, f"{path} {how}", path)

    def store_again(self, parent_name: str, stem: str, module: ModuleType) -> None:
        """A package's code has run again: it gets the expected name of a module that is loaded already."""
        name = f"{parent_name}.{stem}"
        status = self.registry.loaded_status(name)
        if status is not None:
            sys.modules[parent_name].__dict__.setdefault(stem, module)
            actual = self.defined_name(module, stem, status.path)
            self._store(parent_name, stem, actual, module, status.path)

    def _store(self, parent_name: str, stem: str, actual: str | None, module: ModuleType, path: str) -> None:
        parent = sys.modules.get(parent_name)
        if parent is None:
            return
        if actual is not None:
            # Own attributes of the package win, and so does what a callback or a test has put there.
            for name in (actual,) if stem != "version" else self._names_of(actual, stem, path):
                parent.__dict__.setdefault(name, module.__dict__[actual])
        access = access_of(parent, self.tree)
        if access is None:
            return
        if actual is not None or not self.naming.owes_name(parent_name, stem, path):
            access.stored(stem, module)
        else:
            access.completion.lacking(stem)

    def _names_of(self, actual: str, stem: str, path: str) -> tuple[str, ...]:
        """The names that stand for what a file defines: both `VERSION` and `__version__` for the one it has of them."""
        names = self.naming.expected_names(stem, path) if stem == "version" else ()
        return names if actual in names else (actual,)

    @staticmethod
    def expected(parent_name: str, actual: str | None, module: ModuleType) -> tuple[str, Any] | None:
        """The dotted name that a module was expected to define, and its value; ``None`` where it defines none."""
        if actual is None:
            return None
        return (f"{parent_name}.{actual}" if parent_name else actual), module.__dict__[actual]

    def _relisted(self, name: str) -> None:
        access = access_of(sys.modules.get(name), self.tree)
        if access is not None:
            access.relisted()

    # Unloading

    def unload(self, names: list[str], *, for_good: bool = True) -> None:
        """Unload modules, the last loaded first: out of ``sys.modules``, and their names off their packages.

        Every step tolerates that a name, a module or a parent has been removed or replaced by hand.

        Args:
            names: of the modules, in the order in which they were loaded.
            for_good: whether they are not about to run again in a reload.
        """
        for name in reversed([name for name in names if name != "__main__"]):  # the program stays what it is
            if for_good and self.records is not None:
                self.records.goes(name)
            module = sys.modules.get(name)
            status = self.registry.loaded_status(name)
            if module is not None and status is not None and self.callbacks.unload.wanted:
                parent_name, _, stem = name.rpartition(".")
                actual = self.defined_name(module, stem, status.path)
                expected = self.expected(parent_name, actual, module)
                self.callbacks.fire(self.callbacks.unload, name, module, expected, status.path)
            self._forget(name, module)
            sys.modules.pop(name, None)
            log.debug(self.tag, "unloaded %s", name)

    def _forget(self, name: str, module: ModuleType | None) -> None:
        status = self.registry.loaded_status(name)
        self.registry.mark_unloaded(name)
        parent_name, _, stem = name.rpartition(".")
        parent = sys.modules.get(parent_name)
        names = names_of(parent)
        if module is None:
            return
        if names.get(stem) is module:
            del names[stem]
        actual = self.defined_name(module, stem, status.path if status else "")
        if actual is not None:
            for bound in self._names_of(actual, stem, status.path if status else ""):
                if bound in names and names[bound] is module.__dict__[actual]:
                    del names[bound]
        access = access_of(parent, self.tree)
        if access is not None:
            access.forgotten(stem)
