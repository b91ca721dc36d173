"""Adoption: modules that were imported before there was a loader, or past it, count as loaded from now on.

Nothing of them was recorded, so a reload runs a changed one again as a whole, and keeps what it defines who it is.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from pyautoload import log
from pyautoload.frames.hidden_frames import is_initializing
from pyautoload.importing.binder import Binder
from pyautoload.importing.plain_finder import place_now
from pyautoload.printable import printable
from pyautoload.tree.paths import inside

__all__ = ["adopt"]

# The program itself: it has a record where it is a file in a plain root, and nobody imports it.
_PROGRAM = "__main__"


def adopt(binder: Binder) -> list[str]:
    """Take in the modules that lie below the roots of a loader and are not known to it.

    Args:
        binder: of the loader.

    Returns:
        Their names, in the order in which their imports began.
    """
    found: list[str] = []
    tree = binder.tree
    has_plain = tree.config.has_plain_roots
    tops = tree.tops()
    if not (has_plain or binder.reloading or tops & sys.modules.keys()):
        return found
    for name, module in list(sys.modules.items()):
        if name == "__mp_main__" or binder.registry.is_loaded(name):
            continue
        if not (has_plain or name.partition(".")[0] in tops or binder.reloading):
            continue
        if not issubclass(type(module), ModuleType):
            continue  # `isinstance` believes what it says of itself: cffi's libraries say that they are modules
        # Past the module's own access: one that is lazy would be loaded by any question.
        names = object.__getattribute__(module, "__dict__")
        path = _place_of(names)
        if path is None and name == _PROGRAM:
            continue
        if path is None or tree.config.excluded_by(path) is not None or is_initializing(module):
            continue
        if type(module).__name__ == "_LazyModule" or names.get("__name__") != name:
            continue
        if _take_in(binder, name, module, path):
            found.append(name)
    if found:
        log.debug(binder.tag, "adopted %d modules that were imported before: %s", len(found), ", ".join(found))
    return found


def _place_of(names: dict[str, object]) -> str | None:
    """The file of a module; the first directory of a package without one."""
    path = names.get("__file__")
    if path is None and "__path__" in names:
        try:
            path = next(iter(names["__path__"]), None)  # type: ignore[call-overload]
        except Exception:  # noqa: BLE001 - a path of somebody's own kind, or one whose parent has gone
            return None
    return path if isinstance(path, str) else None


def _is_beside(found: str | None, path: str) -> bool:
    """Whether an import finds a module where it is loaded from, or something that has come in its place there."""
    return found is not None and (inside(found, os.path.dirname(path)) or inside(path, os.path.dirname(found)))


def _take_in(binder: Binder, name: str, module: ModuleType, path: str) -> bool:
    tree = binder.tree
    if tree.config.is_plain(path):
        if name == _PROGRAM:
            if not path.endswith(".py"):
                return False
            binder.pinned.add(name)
        elif not _is_beside(place_now(name), path):
            binder.pinned.add(name)  # by a finder, or from a path, that is not there any more
        binder.taken_in(module, name, path)
        return True
    if name == _PROGRAM:
        return False
    known = tree.registry.get_path(name) if tree.namespace(name.rpartition(".")[0]) is not None else None
    if tree.namespace(name) is not None:
        known = tree.registry.get_path(name)
    if known != path or not path.endswith(".py"):
        if path.endswith(".py") and binder.reloading:
            binder.say_once(
                name,
                f"{name} was imported from {printable(path)}, which has another name here: edits of that file do not "
                f"reach the module {name}. Import it by the name that follows from its place",
            )
        return False
    if "__path__" in vars(module):
        binder.attach(module, name)
    binder.taken_in(module, name, path)
    return True
