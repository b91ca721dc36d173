"""All lazy imports of a loader's modules, resolved: what ``eager_load()`` ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["resolve_all"]


def resolve_all(loaded: Callable[[], list[str]]) -> dict[str, Exception]:
    """Resolve until nothing is left: what is imported may import lazily, too.

    Args:
        loaded: gives the names of the loaded modules.

    Returns:
        Module → the first error that a lazy import of it raised; such a name stays lazy.
    """
    failures: dict[str, Exception] = {}
    done: set[int] = set()
    while True:
        modules = [sys.modules.get(name) for name in loaded()]
        fresh = [module for module in modules if isinstance(module, ModuleType) and id(module) not in done]
        if not fresh:
            return failures
        for module in fresh:
            done.add(id(module))
            for resolve in _resolvers(module):
                try:
                    resolve()
                except Exception as error:  # noqa: BLE001 - all are kept, and reported at the end
                    failures.setdefault(module.__name__, error)


def _resolvers(module: ModuleType) -> list[Callable[[], Any]]:
    """For each unresolved name of a module, what resolves it."""
    if sys.version_info >= (3, 15):
        from types import LazyImportType

        names = [name for name, value in list(vars(module).items()) if isinstance(value, LazyImportType)]
        return [lambda name=name: getattr(module, name) for name in names]  # type: ignore[misc]
    from pyautoload.lazy.imports.lazy_names import unresolved

    return [key.standin.resolve for key in unresolved(module).values()]
