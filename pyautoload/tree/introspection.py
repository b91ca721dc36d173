"""Questions about names and files that are answered without running any file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from pyautoload.errors import NameInflectionError, PathError
from pyautoload.sources import source_for
from pyautoload.tree.inflector import InflectorProtocol, checked_name, checked_stem, normalized
from pyautoload.tree.managed_paths import parts_below, split_module_file
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.naming import Naming
from pyautoload.tree.registry import Namespace

__all__ = ["Introspection", "is_python_file", "unusable_stems"]


def is_python_file(path: str) -> bool:
    """Whether a path names an existing file that can be imported."""
    return split_module_file(os.path.basename(path)) is not None and source_for(path).is_file(path)


def stem_of(path: str) -> str | None:
    """The stem of a file that can be imported, ``None`` for any other name."""
    split = split_module_file(os.path.basename(path))
    return normalized(split[0]) if split is not None else None


class Introspection:
    """The questions; each lists the directories that it needs and no others.

    Args:
        tree: of the loader.
        naming: of the same.
    """

    def __init__(self, tree: ManagedTree, naming: Naming) -> None:
        self.tree = tree
        self.naming = naming

    def is_managed(self, path: str) -> bool:
        """Whether an existing file or directory is managed."""
        if not is_python_file(path) and not source_for(path).is_dir(path):
            return False
        return self.tree.config.excluded_by(path) is None

    def module_name(self, path: str) -> str | None:
        """The module name of a managed path: of a package for its ``__init__.py``, a namespace for a directory."""
        if not self.is_managed(path):
            return None
        if source_for(path).is_dir(path):
            return self.tree.namespace_of(path)
        namespace = self.tree.namespace_of(os.path.dirname(path))
        stem = stem_of(path)
        if stem is None or namespace is None:
            return None
        if stem == "__init__":
            return namespace or None  # there is no package whose code it could be
        return f"{namespace}.{stem}" if namespace else stem

    def expected_name(self, path: str) -> str | None:
        """The full expected name of a path, ``None`` for what is not managed.

        Of a loaded file it is the name that was found, which may differ in case and underscores.

        Raises:
            PathError: the path does not exist.
            NameInflectionError: the stem gives no name.
        """
        source = source_for(path)
        if not source.is_file(path) and not source.is_dir(path):
            raise PathError(path, "does not exist", "correct the path")
        if not self.is_managed(path):
            return None
        name = self.module_name(path)
        if name is None:
            return None
        if source.is_dir(path):
            return self._directory_name(path, name)
        self._check_directories(os.path.dirname(path))
        return self._file_name(path, name)

    def _directory_name(self, path: str, name: str) -> str | None:
        config = self.tree.config
        named = path not in config.roots and not config.collapsed.matches(path)
        if named and not self.tree.scanner.has_python(path):
            return None
        self._check_directories(path)
        return name

    def _check_directories(self, directory: str) -> None:
        root = self.tree.config.root_of(directory)
        for part in parts_below(directory, root.path) if root is not None else ():
            if not self.tree.config.collapsed.matches(part):
                checked_stem(normalized(os.path.basename(part)), part)

    def _file_name(self, path: str, name: str) -> str:
        is_init = os.path.basename(path).startswith("__init__.")
        if is_init and name in self.tree.root_namespaces():
            return name  # the package of a root is given by the user, not expected of a file
        # Not simply the last part of the name: the stem of `a.b.py` is `a.b`, which cannot be one.
        stem = name.rpartition(".")[2] if is_init else stem_of(path) or ""
        parent = name[: -len(stem)].rstrip(".")
        if not stem or (stem[:2] == "__" and stem[-2:] == "__"):
            return name
        expected = self._found_name(name, stem, path) or checked_name(self.naming.inflector, stem, path)
        return f"{parent}.{expected}" if parent else expected

    def _found_name(self, name: str, stem: str, path: str) -> str | None:
        """What a loaded file turned out to define: ``HTMLRenderer`` where ``HtmlRenderer`` was expected."""
        status = self.tree.registry.loaded_status(name)
        if status is None or status.path != path:
            return None
        return self.naming.defined_name(sys.modules.get(name), stem, path)

    def expected_names(self) -> dict[str, str]:
        """Path → full name for everything managed, directories and shadowed files included, in sorted order.

        Raises:
            NameInflectionError: a stem gives no name.
        """
        names: dict[str, str] = {}
        config = self.tree.config
        for root in config.roots:
            if config.ignored.matches(root) or not source_for(root).is_dir(root):
                continue
            for listing in self.tree.scanner.walk(root):
                directory_name = self.expected_name(listing.directory)
                if directory_name is None:
                    continue
                names[listing.directory] = directory_name
                namespace = self.tree.namespace_of(listing.directory)
                for stem, path in sorted(listing.files.items()):
                    name = f"{namespace}.{stem}" if namespace else stem
                    names[path] = self._file_name(path, str(namespace) if stem == "__init__" else name)
        return names

    def where(self, name: str) -> str | None:
        """The file behind a module name or an expected name; a directory for an implicit namespace.

        Args:
            name: ``'myapp.models.user'`` or ``'myapp.models.User'``.

        Returns:
            The path, ``None`` for a name that is not managed.
        """
        parent_name, _, stem = name.rpartition(".")
        parent = self.tree.namespace(parent_name)
        if parent is None:
            return None
        child = self.tree.child(parent, stem)
        if child is not None:
            return child.file or next(iter(child.directories), None)
        if stem in parent.modules:
            return parent.modules[stem]
        return self._where_expected(parent, stem)

    def _where_expected(self, parent: Namespace, name: str) -> str | None:
        stem, _exact = self.naming.stem_for(name, parent)
        if stem is None:
            return None
        if stem in parent.modules:
            return parent.modules[stem]
        child = self.tree.child(parent, stem)
        return child.file if child is not None else None


def unusable_stems(
    tree: ManagedTree, inflector: InflectorProtocol, space: Namespace
) -> Iterator[tuple[str, NameInflectionError]]:
    """The files and directories of a namespace that give no name, each with the error that says so."""
    for stem, path in sorted(space.modules.items()):
        try:
            if not (stem[:2] == "__" and stem[-2:] == "__"):
                checked_name(inflector, stem, path)
        except NameInflectionError as error:
            yield stem, error
    for stem, paths in sorted(space.subdirs.items()):
        try:
            if tree.child(space, stem) is not None:
                checked_stem(stem, paths[0])
        except NameInflectionError as error:
            yield stem, error
