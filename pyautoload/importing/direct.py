"""DirectImport: import one module without searching for it.

An eager load knows each file already. What is left out is the search (``sys.meta_path``, finders, path hooks); what an
import does besides is done by the import system's own functions, in the same order: the module's lock, the spec, the
entry in ``sys.modules`` before the code runs, its removal on failure, the binding on the parent (compare
``importlib._bootstrap._find_and_load``). These functions are private, so their presence is checked, and wherever one is
missing, or anybody stands in front of our finder, the caller takes the public way.
"""

from __future__ import annotations

import importlib._bootstrap as _bootstrap
import sys
import warnings
from importlib.machinery import ModuleSpec
from typing import Any

from pyautoload.importing.finder import PyAutoloadFinder
from pyautoload.registry import Namespace

__all__ = ["DirectImport"]

_get_module_lock: Any = getattr(_bootstrap, "_get_module_lock", None)
_load_unlocked: Any = getattr(_bootstrap, "_load_unlocked", None)
_DeadlockError: Any = getattr(_bootstrap, "_DeadlockError", None)
_set_lazy_attributes: Any = getattr(getattr(_bootstrap, "_imp", None), "_set_lazy_attributes", None)
_AUDITED = sys.version_info >= (3, 15)


class DirectImport:
    """Imports managed source files whose place is known.

    Args:
        finder: the finder that would be asked.
    """

    def __init__(self, finder: PyAutoloadFinder) -> None:
        self.finder = finder
        self.binder = finder.binder
        self._possible = None not in (_get_module_lock, _load_unlocked, _DeadlockError)

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
        if not self._possible or not path.endswith(".py") or parent_name in self.binder.externals:
            return False
        if sys.meta_path[0] is not self.finder:
            return False
        parent = sys.modules.get(parent_name) if parent_name else None
        parent_spec = getattr(parent, "__spec__", None)
        if parent_name and (parent_spec is None or getattr(parent_spec, "_initializing", False)):
            return False
        if _AUDITED:
            sys.audit("import", name, None, sys.path, sys.meta_path, sys.path_hooks)
        lock = _get_module_lock(name)
        try:
            lock.acquire()
        except _DeadlockError:
            return False
        try:
            if name not in sys.modules:
                spec = self.finder.file_spec(name, path, None if space is None else space.path)
                self._load(spec, stem, parent, parent_spec)
        finally:
            lock.release()
        return True

    def _load(self, spec: ModuleSpec, stem: str, parent: Any, parent_spec: Any) -> None:
        pending = getattr(parent_spec, "_uninitialized_submodules", None)
        if pending is not None:
            pending.append(stem)
        try:
            module = _load_unlocked(spec)
        finally:
            if pending is not None:
                pending.pop()
        if parent is not None:
            try:
                setattr(parent, stem, module)
            except AttributeError:
                message = f"Cannot set an attribute on {parent_spec.name!r} for child module {stem!r}"
                warnings.warn(message, ImportWarning, stacklevel=2)
        if _set_lazy_attributes is not None:
            _set_lazy_attributes(module, spec.name)
