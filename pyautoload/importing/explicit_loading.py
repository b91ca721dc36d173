"""ExplicitLoading: what is asked for by path, by name, or all at once, in place of an import."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import os
import sys
from types import ModuleType

from pyautoload.callbacks import checked_dotted_name
from pyautoload.errors import ExpectedNameError, ModuleNotFoundError, PathError
from pyautoload.importing.direct_import import DirectImport
from pyautoload.importing.eager_load import EagerLoad, Planned, Progress, collection_paused, plan
from pyautoload.importing.finder import PyAutoloadFinder
from pyautoload.importing.namespace_access import defined_names
from pyautoload.importing.suggestions import did_you_mean
from pyautoload.sources import source_for
from pyautoload.tree.introspection import Introspection
from pyautoload.tree.managed_paths import split_module_file
from pyautoload.tree.paths import inside, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ExplicitLoading"]


class ExplicitLoading:
    """The loading methods of ``AutoLoader``.

    Args:
        finder: of the loader, installed.
    """

    def __init__(self, finder: PyAutoloadFinder) -> None:
        self.finder = finder
        self.binder = finder.binder
        self.naming = finder.binder.naming
        self.tree = finder.tree

    # Eager loading

    def eager_load(
        self,
        namespace: str | None = None,
        *,
        force: bool = False,
        strict: bool = False,
        progress: Progress | None = None,
        freeze: bool = False,
    ) -> list[str]:
        """Load everything, or one namespace with all below it; see ``AutoLoader.eager_load``."""
        if namespace is not None and not self._is_managed_namespace(namespace):
            return []
        planned = plan(self.binder, namespace, force=force)
        return self._run(planned, strict=strict, progress=progress, freeze=freeze)

    def _run(
        self,
        planned: list[Planned],
        *,
        strict: bool = False,
        progress: Progress | None = None,
        freeze: bool = False,
    ) -> list[str]:
        run = EagerLoad(self.binder, strict=strict, progress=progress, direct=DirectImport(self.finder))
        self.tree.frozen = self.tree.frozen or freeze
        with collection_paused(freeze=freeze):
            return run.run(planned)

    def _is_managed_namespace(self, namespace: str) -> bool:
        if self.tree.namespace(namespace) is None:
            return False
        return namespace == "" or namespace.partition(".")[0] in self.tree.tops()

    def eager_load_namespace(self, namespace: str | ModuleType) -> list[str]:
        """Load a namespace and what lies below it; see ``AutoLoader.eager_load_namespace``."""
        return self.eager_load(_namespace_name(namespace))

    def eager_load_dir(self, path: str | os.PathLike[str]) -> list[str]:
        """Load what lies in a directory and below it; see ``AutoLoader.eager_load_dir``."""
        directory = self.tree.config.absolute(path)
        if not source_for(directory).is_dir(directory):
            raise PathError(
                directory, "is not a directory", "eager_load_dir() takes a directory, load_file() takes a file"
            )
        config = self.tree.config
        reason = config.excluded_by(directory)
        if reason == "unmanaged":
            raise PathError(
                directory, "is not managed by this loader", "add its root with push_dir(), or correct the path"
            )
        namespace = self.tree.namespace_of(directory)
        if reason is not None or namespace is None or config.is_not_eager(directory):
            return []
        # A namespace may have several directories, and a collapsed one belongs to the namespace above.
        root_of = config.root_of
        root = root_of(directory)
        planned = plan(self.binder, namespace)
        return self._run([item for item in planned if inside(item.path, directory) and root_of(item.path) == root])

    # One file, one name

    def load_file(self, path: str | os.PathLike[str]) -> Any:
        """Load one file; see ``AutoLoader.load_file``."""
        file = self.tree.config.absolute(path)
        source = source_for(file)
        if not source.is_file(file) and not source.is_dir(file):
            raise PathError(file, "does not exist", "correct the path")
        if not source.is_file(file) or split_module_file(os.path.basename(file)) is None:
            raise PathError(file, "is not a Python file", "load_file() takes a file that can be imported")
        reason = self.tree.config.excluded_by(file)
        if reason in ("ignored", "hidden"):
            raise PathError(file, f"is {reason}", "import it the ordinary way, or take it out of ignore()")
        name = Introspection(self.tree, self.naming).module_name(file) if reason is None else None
        if name is None:
            raise PathError(file, "is not managed by this loader", "add its root with push_dir(), or correct the path")
        self._check_not_shadowed(file, name)
        module = importlib.import_module(name)
        actual = self.naming.defined_name(module, name.rpartition(".")[2], file)
        return module if actual is None else vars(module)[actual]

    def _check_not_shadowed(self, file: str, name: str) -> None:
        parent = self.tree.namespace(name.rpartition(".")[0])
        own = self.tree.namespace(name)
        remedy = "rename one of them, or change their order"
        for space in (parent, own):
            if space is not None and file in space.shadowed:
                raise PathError(file, f"is shadowed by {space.shadowed[file]}", remedy)
        registered = self.tree.registry.get_path(name)
        if registered is not None and not same(registered, file) and source_for(registered).is_file(registered):
            raise PathError(file, f"is shadowed by {registered}", remedy)
        taken = self._served_by(name)
        if taken is not None and not same(taken, file):
            raise PathError(file, f"is shadowed by {taken}", "rename one of them")

    def _served_by(self, name: str) -> str | None:
        """The file that ``import`` takes for a name: another loader's, or that of a package that was there before."""
        status = self.tree.registry.loaded_status(name)
        if status is not None:
            return status.path
        if name in sys.modules:
            return getattr(sys.modules[name], "__file__", None)
        spec = importlib.util.find_spec(name)
        return spec.origin if spec is not None and spec.has_location else None

    def resolve(self, name: str) -> Any:
        """The object of a full name; see ``AutoLoader.resolve``."""
        parts = checked_dotted_name(name).split(".")
        value: Any = importlib.import_module(parts[0]) if parts[0] in self.tree.tops() else self._top_level(name)
        for index, part in enumerate(parts[1:], 1):
            try:
                value = _member(value, ".".join(parts[: index + 1]), part)
            except AttributeError as error:
                if isinstance(value, ModuleType):
                    hint = did_you_mean(self.binder.naming, part, self.tree.registry.namespace(value.__name__))
                    raise ModuleNotFoundError(name, f"{error}{hint}") from error
                raise
        return value

    def _top_level(self, name: str) -> Any:
        """The object of an expected name at the top level: ``User`` in ``user.py`` of a root without a namespace."""
        top = name.partition(".")[0]
        self.tree.refresh("")
        space = self.tree.namespace("") if self.tree.is_root("") else None
        stem, exact = self.naming.stem_for(top, space) if space is not None else (None, False)
        if stem is None or space is None:
            raise ModuleNotFoundError(
                name, "it is not managed by this loader; correct the name, or add a root that contains it"
            )
        module = importlib.import_module(stem)
        if top in vars(module):
            return vars(module)[top]
        if not exact:
            raise ModuleNotFoundError(name, f"{module.__file__} defines no {top}")
        raise ExpectedNameError(top, space.modules.get(stem, str(module.__file__)), defined_names(module), stem)

    def unload(self, names: tuple[str, ...]) -> None:
        """Unload modules and what lies below them, everything without names; see ``AutoLoader.unload``."""
        self.binder.unload(self._loaded_within(names))

    def _loaded_within(self, names: tuple[str, ...]) -> list[str]:
        loaded = self.tree.registry.loaded()
        if not names:
            return loaded
        wanted = tuple(checked_dotted_name(name) for name in names)
        below = tuple(f"{name}." for name in wanted)
        return [name for name in loaded if name in wanted or name.startswith(below)]


def _namespace_name(namespace: object) -> str:
    """The name of a namespace given as a name or a module."""
    if isinstance(namespace, ModuleType):
        return namespace.__name__
    if not isinstance(namespace, str):
        raise TypeError(f"{namespace!r} is not a namespace: a dotted name or a module is needed")
    return namespace and checked_dotted_name(namespace)


def _member(value: Any, full: str, part: str) -> Any:
    if isinstance(value, ModuleType) and not hasattr(value, part) and hasattr(value, "__path__"):
        try:
            return importlib.import_module(full)
        except builtins.ModuleNotFoundError as error:
            if error.name != full:
                raise
    return getattr(value, part)
