"""A function keeps its name although its module has the same one: ``from .deliver import deliver``.

When ``pkg.deliver`` is imported, the import system binds the module on the package, over whatever is there. While such
a name is still to come, the package's class is one that binds the exported object in its place.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from pyautoload.lazy.exports import Exports

__all__ = ["guard"]


def guard(exports: Exports, names: set[str]) -> None:
    """Keep ``names`` of the package from being overwritten by the submodules of the same names."""
    module = sys.modules[exports.package]
    for name in list(names):
        submodule = sys.modules.get(f"{exports.package}.{name}")
        if submodule is not None and not _is_running(submodule):
            names.discard(name)
            exports.namespace[name] = _exported(exports, name, submodule)
            exports.stored[name] = exports.namespace[name]
            exports.pending.discard(name)
    if names:
        module.__class__ = _guarded(module.__class__, exports, names)


def _guarded(plain: type[ModuleType], exports: Exports, names: set[str]) -> type[ModuleType]:
    class GuardedModule(plain):  # type: ignore[valid-type, misc]
        """A package some of whose submodules have the name of what it exports from them."""

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in names or not exports.is_own_submodule(name, value):
                super().__setattr__(name, value)
                return
            exports.namespace[name] = _exported(exports, name, value)
            exports.stored[name] = exports.namespace[name]
            exports.pending.discard(name)
            names.discard(name)
            # A module of a class of its own has slower attributes; a submodule is bound once, so the need has passed.
            if not names and type(self) is GuardedModule:
                self.__class__ = plain  # type: ignore[assignment]
            if not exports.pending:
                exports.retire()

    GuardedModule.__name__ = GuardedModule.__qualname__ = plain.__name__
    GuardedModule.__module__ = plain.__module__
    return GuardedModule


def _exported(exports: Exports, name: str, submodule: ModuleType) -> Any:
    """What ``submodule`` defines for the export ``name``; the submodule itself while that is missing."""
    return getattr(submodule, exports.entries[name].attribute or name, submodule)


def _is_running(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
