"""Survey: everything a loader manages, listed and read at once, conflicts included; nothing is run."""

from __future__ import annotations

import glob
from types import SimpleNamespace

from pyautoload.checking.source_imports import ModuleSource, read_source
from pyautoload.errors import ConflictError
from pyautoload.sources import source_for
from pyautoload.tree.inflector import InflectorProtocol
from pyautoload.tree.managed_paths import Config
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.naming import Naming
from pyautoload.tree.registry import Namespace

__all__ = ["Survey"]


class Survey:
    """A picture of a loader's tree, made from its configuration alone: the loader itself is left as it is.

    Args:
        config: roots and patterns; copied.
        inflector: stems to names.
    """

    def __init__(self, config: Config, inflector: InflectorProtocol) -> None:
        self.config = _copy(config)
        self.tree = ManagedTree(self.config)
        self.naming = Naming(self.tree.registry, inflector)
        # What no order of precedence settles; of each pair of files the second one is left out of the picture.
        self.conflicts: list[ConflictError] = []
        # Every namespace, parents first, in sorted order.
        self.spaces: list[Namespace] = self._list()
        # Module name → its file, for every module that has one, in the order of eager loading.
        self.files: dict[str, str] = {}
        for space in self.spaces:
            self._add_files(space)
        self._sources: dict[str, ModuleSource] = {}
        # Path → why it is left out: links to nowhere, sockets, what cannot be read.
        self.left_out: dict[str, str] = {}
        for root in self.config.roots:
            if not self.config.ignored.matches(root):
                for listing in self.tree.scanner.walk(root):
                    self.left_out.update(listing.left_out)

    def _list(self) -> list[Namespace]:
        while True:
            self.tree.use_roots()
            try:
                return list(self.tree.walk_all())
            except ConflictError as error:
                if any(known.paths == error.paths for known in self.conflicts):
                    raise
                self.conflicts.append(error)
                self.config.ignored.add([glob.escape(error.paths[-1])])

    def _add_files(self, space: Namespace) -> None:
        if space.file is not None and space.name:
            self.files[space.name] = space.file
        for stem in sorted(space.modules):
            full = f"{space.name}.{stem}" if space.name else stem
            self.files.setdefault(full, space.modules[stem])

    def source(self, module: str) -> ModuleSource | None:
        """What stands in a module's file; ``None`` where that is not a source, or cannot be read."""
        path = self.files.get(module)
        if path is None or not path.endswith(".py"):
            return None
        if module not in self._sources:
            try:
                data = source_for(path).read(path)
            except OSError as error:
                found = ModuleSource(error=SyntaxError(f"cannot be read: {error.strerror}", (path, None, None, None)))
            else:
                found = read_source(data, path, module, is_package=self.tree.registry.namespace(module) is not None)
            self._sources[module] = found
        return self._sources[module]

    def is_package(self, module: str) -> bool:
        """Whether a module is a namespace."""
        return self.tree.registry.namespace(module) is not None

    def defined_name(self, module: str) -> str | None:
        """Which name a file defines for its stem as far as its text shows, ``None`` where it shows none."""
        source = self.source(module)
        if source is None:
            return None
        names = SimpleNamespace(**dict.fromkeys(source.bindings))
        return self.naming.defined_name(names, module.rpartition(".")[2], self.files[module])


def _copy(config: Config) -> Config:
    copied = Config()
    copied.roots = dict(config.roots)
    copied.ignored = config.ignored.only()
    copied.collapsed = config.collapsed.only()
    copied.not_eager = config.not_eager.only()
    copied.not_reloaded = config.not_reloaded.only()
    copied.lazy = config.lazy
    return copied
