"""All lazy imports of a loader's modules, resolved: what ``eager_load()`` ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable

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
    tried: set[int] = set()
    while True:
        fresh = [each for each in _unresolved(set(loaded())) if id(each[1]) not in tried]
        if not fresh:
            return failures
        for name, lazy in fresh:
            tried.add(id(lazy))
            try:
                lazy.resolve()
            except Exception as error:  # noqa: BLE001 - all are kept, and reported at the end
                failures.setdefault(name, error)


def _unresolved(modules: set[str]) -> list[tuple[str, Any]]:
    """What stands for each unresolved name, with the module that has the import statement.

    That is not always the one that has the name: after ``import a.b``, ``a`` has a lazy attribute.
    """
    if sys.version_info < (3, 15):
        from pyautoload.lazy.imports.lazy_names import all_unresolved

        # By the dicts, as modules that have been unloaded may still be around.
        owners = {id(getattr(sys.modules[name], "__dict__", None)): name for name in modules & sys.modules.keys()}
        order = {name: number for number, name in enumerate(sys.modules)}
        keys = [key for names in all_unresolved() for key in names.pending.values()]
        found = [(owners.get(id(key.imports[-1].names), ""), key.standin) for key in keys]
        return sorted(((name, lazy) for name, lazy in found if name), key=lambda each: order[each[0]])
    import types

    kind: Any = vars(types)["LazyImportType"]
    return [
        (name, value)
        for name in sorted(modules & sys.modules.keys())
        for value in list(vars(sys.modules[name]).values())
        if isinstance(value, kind)
    ]
