"""All lazy imports of a loader's modules, resolved: what ``eager_load()`` ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

__all__ = ["resolve_all"]

# What is still to be imported: the module that has the import statement, an id of the statement, what does the import.
_Pending = tuple[str, object, Callable[[], object]]


def resolve_all(loaded: Callable[[], list[str]]) -> dict[str, Exception]:
    """Resolve until nothing is left: what is imported may import lazily, too.

    Args:
        loaded: gives the names of the loaded modules.

    Returns:
        Module → the first error that a lazy import of it raised; such a name stays lazy.
    """
    failures: dict[str, Exception] = {}
    tried: set[object] = set()
    while True:
        fresh = [each for each in _pending(set(loaded()) & sys.modules.keys()) if each[1] not in tried]
        if not fresh:
            return failures
        for name, key, resolve in fresh:
            tried.add(key)
            try:
                resolve()
            except Exception as error:  # noqa: BLE001 - all are kept, and reported at the end
                failures.setdefault(name, error)


def _pending(modules: set[str]) -> list[_Pending]:
    """What is not resolved, with the module that has the import statement.

    That is not always the one that has the name: after ``import a.b``, ``a`` has a lazy attribute.
    """
    return list(_native(modules) if sys.version_info >= (3, 15) else _rewritten(modules))


def _rewritten(modules: set[str]) -> Iterator[_Pending]:
    from pyautoload.lazy.imports.lazy_names import all_unresolved

    # By the dicts, as modules that have been unloaded may still be around.
    owners = {id(getattr(sys.modules[name], "__dict__", None)): name for name in modules}
    order = {name: number for number, name in enumerate(sys.modules)}
    keys = [key for names in all_unresolved() for key in names.pending.values()]
    found = [(owners.get(id(key.imports[-1].names), ""), key.standin) for key in keys]
    for name, lazy in sorted((each for each in found if each[0]), key=lambda each: order[each[0]]):
        yield name, id(lazy), lazy.resolve


def _native(modules: set[str]) -> Iterator[_Pending]:
    from functools import partial

    from pyautoload.lazy.imports import pep_810

    for name in sorted(modules):
        module = sys.modules[name]
        names = getattr(module, "__dict__", {})
        for full, importing in pep_810.submodules(names).items():
            yield name, full, importing
        for local, lazy in pep_810.unresolved(names).items():
            yield name, id(lazy), partial(pep_810.resolve, module, local, lazy)
