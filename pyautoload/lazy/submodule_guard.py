"""A function keeps its name although its module has the same one: ``from .deliver import deliver``.

When ``pkg.deliver`` is imported, the import system binds the module on the package, over whatever is there. While such
a name is still to come, the package's class is one that binds the exported object in its place.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

__all__ = ["guard"]


def guard(package: str, names: set[str], bind: Callable[[str, Any], None]) -> None:
    """Keep ``names`` of a package from being overwritten by the submodules of the same names.

    Args:
        package: its name.
        names: exported names that are names of its submodules, too.
        bind: binds what a submodule defines for the export of its name.
    """
    for name in list(names):
        submodule = sys.modules.get(f"{package}.{name}")
        if submodule is not None and not _is_running(submodule):
            names.discard(name)
            bind(name, submodule)
    if names:
        module = sys.modules[package]
        module.__class__ = _guarded(module.__class__, package, names, bind)


def _guarded(
    plain: type[ModuleType], package: str, names: set[str], bind: Callable[[str, Any], None]
) -> type[ModuleType]:
    class GuardedModule(plain):  # type: ignore[valid-type, misc]
        """A package some of whose submodules have the name of what it exports from them."""

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in names or value is None or value is not sys.modules.get(f"{package}.{name}"):
                # Not `super()`: another thread may have given the package its plain class back since.
                plain.__setattr__(self, name, value)
                return
            bind(name, value)
            names.discard(name)
            # A module of a class of its own has slower attributes; a submodule is bound once, so the need has passed.
            if not names and type(self) is GuardedModule:
                self.__class__ = plain  # type: ignore[assignment]

    GuardedModule.__name__ = GuardedModule.__qualname__ = plain.__name__
    GuardedModule.__module__ = plain.__module__
    return GuardedModule


def _is_running(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
