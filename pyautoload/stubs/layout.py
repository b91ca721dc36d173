"""Where a type checker looks for what: search directories, the names files have for it, the places of stubs."""

from __future__ import annotations

import importlib.machinery
import os

from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.tree.inflector import is_name, normalized
from pyautoload.tree.managed_paths import Root
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.paths import inside

__all__ = ["Layout"]


class Layout:
    """The places that belong to a configuration.

    A checker finds ``myapp.models`` as ``<search directory>/myapp/models``, and nowhere else. Where a root lies like
    that, its *base* is that search directory and stubs go beside the modules. Where a root is called differently (the
    directory ``app/models`` as ``domain``) its namespace exists only below ``typings``.

    Args:
        tree: the names and files.
        project: the directory that the checker is started in.
        typings: the directory for namespaces that have no directory of their own name.
    """

    def __init__(self, tree: ManagedTree, project: str, typings: str) -> None:
        self.tree = tree
        self.project = project
        self.typings = typings
        # Top-level name → search directory of all that lies below it. Example: {"myapp": "/project/src"}
        self._bases: dict[str, str] = {}
        for top in sorted(tree.tops()):
            self._bases[top] = self._base_of_top(top)

    @property
    def bases(self) -> list[str]:
        """The search directories, sorted; the project itself among them."""
        return sorted({self.project, *self._bases.values()})

    def base(self, top: str) -> str:
        """The search directory of a top-level name."""
        return self._bases[top]

    def home(self, namespace: str) -> str:
        """The directory for the stubs of a namespace."""
        parts = namespace.split(".")
        return os.path.join(self._bases[parts[0]], *parts)

    def static_name(self, path: str) -> str | None:
        """The name that a checker knows a file by, ``None`` where the path to it holds what is not a name.

        That is the path from the innermost search directory: mypy wants each file under one name only.
        """
        above = [base for base in self.bases if base != self.typings and inside(path, base)]
        stem = os.path.join(os.path.dirname(path), os.path.basename(path).partition(".")[0])
        for base in sorted(above, key=len, reverse=True):
            parts = [normalized(part) for part in os.path.relpath(stem, base).split(os.sep)]
            if all(map(is_name, parts)):
                return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return None

    def elsewhere(self, top: str) -> str | None:
        """The file of a package that has the name ``top`` and is not ours: a checker sees that one only."""
        spec = importlib.machinery.PathFinder.find_spec(top)
        if spec is None or spec.origin is None or spec.submodule_search_locations is None:
            return None
        space = self.tree.namespace(top)
        ours = [self.home(top), *(space.path if space is not None else [])]
        is_ours = any(inside(spec.origin, directory) for directory in ours) or self._manages(spec.origin)
        return None if is_ours else spec.origin

    def _manages(self, path: str) -> bool:
        return self.tree.config.excluded_by(os.path.abspath(path)) is None

    def _base_of_top(self, top: str) -> str:
        for root in self.tree.config.roots.values():
            if source_for(root.path) is not FILE_SYSTEM or not self._serves(root, top):
                continue
            base = base_of(root)
            if base is not None:
                return base
        return self.typings

    def _serves(self, root: Root, top: str) -> bool:
        if root.namespace:
            return root.namespace.partition(".")[0] == top
        space = self.tree.namespace("")
        if space is None:
            return False
        paths = [*space.subdirs.get(top, ()), *([space.modules[top]] if top in space.modules else [])]
        return any(inside(path, root.path) for path in paths)


def base_of(root: Root) -> str | None:
    """The search directory that makes a root importable under its namespace; ``None`` where none does."""
    base = root.path
    for part in reversed(root.namespace.split(".") if root.namespace else []):
        base, name = os.path.split(base)
        if normalized(name) != part:
            return None
    return base
