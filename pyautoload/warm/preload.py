"""Preloading: a template imports the modules it was told to, in order, and leaves out those that do it no good."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from pyautoload.warm.files import is_of_the_project
from pyautoload.warm.guard import Guard

__all__ = ["Preload"]

# The longest pause (seconds) between two modules: a template in the background leaves the program its share.
_LONGEST_PAUSE = 0.05


class _Left(MetaPathFinder):
    """Finder that refuses what is not to be in the template."""

    def __init__(self, left_out: dict[str, str], unwanted: frozenset[str]) -> None:
        self.left_out = left_out
        self.unwanted = unwanted

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise for a module that was left out, and for those of the program."""
        if fullname in self.left_out:
            raise ImportError(f"{fullname} was left out: it {self.left_out[fullname]}", name=fullname)
        if fullname in self.unwanted or fullname.partition(".")[0] in self.unwanted:
            raise ImportError(f"{fullname} is a module of the program", name=fullname)
        return None


class Preload:
    """Imports modules.

    Args:
        guard: tells what an import has changed.
        left_out: module → why nobody may import it, from earlier tries.
        failed: module → what it raised in earlier tries, so that it is not imported for its own sake.
        unwanted: the program's own modules, and their top-level packages.
        directory: of the project; a library that imports a module from there is left out.
        gently: whether to pause after each.
    """

    def __init__(
        self,
        guard: Guard,
        left_out: dict[str, str],
        failed: dict[str, str],
        unwanted: frozenset[str],
        directory: str,
        *,
        gently: bool,
    ) -> None:
        self._guard = guard
        self._unwanted = unwanted
        self._directory = directory
        self._gently = gently
        self.left_out = dict(left_out)
        # Module → what it raises. It may do so only because of the order, so others may import it.
        self.failed = dict(failed)
        # Whether what was left out has left something behind, so that this process is none to fork from.
        self.is_spoilt = False

    def run(self, names: Sequence[str]) -> None:
        """Import all of them, as far as they let themselves be."""
        refusing = _Left(self.left_out, self._unwanted)
        sys.meta_path.insert(0, refusing)
        self._guard.changed()  # what was done up to here is no module's doing
        try:
            for name in names:
                if name not in sys.modules and name not in self.left_out and name not in self.failed:
                    self._import(name)
        finally:
            sys.meta_path.remove(refusing)

    def _import(self, name: str) -> None:
        before, start = frozenset(sys.modules), time.perf_counter()
        reason = None
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the program meets it itself, or does not
            reason = f"raises {type(error).__name__}: {str(error)[:200]}"
            self.is_spoilt |= sys.modules.keys() != before
        changed = self._guard.changed() or self._brought_project(before)
        self.is_spoilt |= changed is not None
        if changed:
            self.left_out[name] = changed
        elif reason:
            self.failed[name] = reason
        if self._gently:
            time.sleep(min(time.perf_counter() - start, _LONGEST_PAUSE))

    def _brought_project(self, before: frozenset[str]) -> str | None:
        for name in sys.modules.keys() - before:
            path = getattr(sys.modules[name], "__file__", None)
            if isinstance(path, str) and is_of_the_project(path, self._directory):
                return f"imports {name} of the project"
        return None
