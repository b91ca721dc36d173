"""A path hook for the directories that hold what is managed: ``PathFinder`` does not give away what is ours to find.

A finder of somebody else that stands in front of ours and asks ``PathFinder`` would load our files without us. At
these directories it is told that there is nothing; then it is our turn, and it is asked again (see
``import_hooks``). Nobody else sees a difference: the finders of these directories are those that the other path hooks
make.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from pyautoload.importing import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from typing import Any

__all__ = ["claim", "release"]


# Directories whose modules may be ours: what lies below roots, and what those lie in, where `PathFinder` would find the
# roots themselves; also as the system spells them. Example: ("/src/app/",), {"/src"}
_below: tuple[str, ...] = ()
_above: set[str] = set()


def claim(roots: Iterable[str]) -> None:
    """Let ``PathFinder`` ask us about the directories that hold ``roots``."""
    if path_hook_for_managed not in sys.path_hooks:
        sys.path_hooks.insert(0, path_hook_for_managed)
    global _below
    for root in roots:
        for path in {root, os.path.realpath(root)}:
            _below = (*_below, f"{path}{os.sep}")
            _above.add(os.path.dirname(path))
    for entry in [entry for entry in list(sys.path_importer_cache) if _concerns(entry)]:
        sys.path_importer_cache.pop(entry, None)  # recreated, by way of our hook, when it is needed


def release() -> None:
    """No finder of ours is left."""
    if path_hook_for_managed in sys.path_hooks:
        sys.path_hooks.remove(path_hook_for_managed)
    global _below
    _below = ()
    _above.clear()


def _concerns(path: object) -> bool:
    if not isinstance(path, str):
        return False
    if not os.path.isabs(path):
        path = os.path.abspath(path)
    return path in _above or f"{path}{os.sep}".startswith(_below)


# A function with a name: others go by the names of what they find on `sys.path_hooks`.
def path_hook_for_managed(path: str) -> Any:
    """The finder of a directory that concerns us, as the other hooks make it.

    Raises:
        ImportError: the directory does not concern us, or no hook makes a finder for it.
    """
    if not _concerns(path):
        raise ImportError("nothing is managed there", path=path)
    for hook in list(sys.path_hooks):
        if hook is path_hook_for_managed:
            continue
        try:
            finder = hook(path)
        except ImportError:
            continue
        if import_hooks.is_plain_entry(finder):
            _make_discreet(finder)
        return finder
    raise ImportError("no path hook takes it", path=path)


import_hooks.our_path_hooks.append(path_hook_for_managed)


def _make_discreet(finder: Any) -> None:
    find_spec = finder.find_spec

    def discreet(fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        if not import_hooks.is_plain() and _is_ours_to_find(fullname):
            return None
        spec: ModuleSpec | None = find_spec(fullname, target)
        return spec

    vars(finder)["find_spec"] = discreet


def _is_ours_to_find(name: str) -> bool:
    for finder in sys.meta_path:
        if not isinstance(finder, tuple(import_hooks.ours)):
            continue
        ours: Any = finder
        if ours.may_manage(name) and import_hooks.is_asked_in_front(ours, name) and ours.would_find(name):
            import_hooks.deny(name)
            return True
    return False
