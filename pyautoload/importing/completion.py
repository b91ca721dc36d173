"""Completion: what of a package is still to be loaded, so that it is known when nothing is."""

from __future__ import annotations

import sys

from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.naming import Naming
from pyautoload.tree.registry import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Completion"]


class Completion:
    """Keeps account of the files and directories of one package that attribute access may still have to load.

    Args:
        module: the package.
        name: its name.
        tree: of the loader that serves it.
        naming: of the same.
    """

    def __init__(self, module: ModuleType, name: str, tree: ManagedTree, naming: Naming) -> None:
        self.module = module
        self.name = name
        self.tree = tree
        self.naming = naming
        # Stems that something is still to be loaded for; None until it is first asked. Example: {"user", "shop"}
        self._to_come: set[str] | None = None
        # Stems that were loaded before that → whether their name was stored, or the file lacks it: they need not be
        # looked at then. Example: {"user": True, "helpers": False}
        self._noted: dict[str, bool] = {}

    def stored(self, stem: str, space: Namespace) -> bool:
        """Note a module that was loaded, and its name stored; returns whether it may have been the last one."""
        if self._to_come is None:
            self._noted[stem] = True
            if len(self._noted) < len(space.modules):
                return False  # one of 100,000 plugins: nothing can be complete, so it is not worth looking at them all
            self._look_anew(space)
        assert self._to_come is not None
        self._to_come.discard(stem)
        return True

    def lacking(self, stem: str) -> None:
        """Note a module that was loaded and does not define its expected name."""
        if self._to_come is None:
            self._noted[stem] = False

    def forgotten(self, stem: str) -> None:
        """Note a module that was unloaded."""
        self._noted.pop(stem, None)
        if self._to_come is not None:
            self._to_come.add(stem)

    def relisted(self, space: Namespace | None) -> None:
        """Begin anew: the package was listed again, or is no longer a namespace."""
        self._noted.clear()  # what is stored is looked at anew, too
        if space is not None:
            self._look_anew(space)
        else:
            self._to_come = None

    def is_complete(self, space: Namespace) -> bool:
        """Whether nothing is left to load; directories that nobody has looked into count, empty ones do not."""
        to_come = self._to_come if self._to_come is not None else self._look_anew(space)
        return to_come <= space.empty

    def _look_anew(self, space: Namespace) -> set[str]:
        stems = {*space.modules, *space.subdirs, *self.tree.leads(self.name)}
        to_come = {stem for stem in stems if stem.isidentifier() and stem != "__main__"}
        # First to where other threads see it: what they store from now on they strike out themselves.
        self._to_come = to_come
        noted, self._noted = self._noted, {}
        for stem in [stem for stem in stems if self._is_stored(stem, space, noted.get(stem))]:
            to_come.discard(stem)
        return to_come

    def _is_stored(self, stem: str, space: Namespace, noted: bool | None) -> bool:
        full = f"{self.name}.{stem}"
        if not self.tree.registry.is_loaded(full) or stem not in self.module.__dict__:
            return False
        if noted is not None:
            return noted
        path = space.modules.get(stem, "")
        return not self.naming.owes_name(self.name, stem, path) or (
            self.naming.defined_name(sys.modules.get(full), stem, path) is not None
        )
