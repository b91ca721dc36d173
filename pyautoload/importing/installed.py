"""Packages of others: what Python itself and installed distributions have under a name."""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES, PathFinder

__all__ = ["hidden_by", "installed_spec"]

_SUFFIXES = (*SOURCE_SUFFIXES, *BYTECODE_SUFFIXES, *EXTENSION_SUFFIXES)
_INSTALLED = ("site-packages", "dist-packages")


def hidden_by(name: str, directory: str) -> str | None:
    """What a root that stands for ``name`` would hide, or graft itself onto, without having been told to.

    Args:
        name: a top-level name.
        directory: the root.

    Returns:
        The file of a module or package of the standard library, of an installed distribution, or of a plain module
        that is imported already; ``None`` where there is none, or it is the root itself.
    """
    module = sys.modules.get(name)
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    if module is not None:
        origin = getattr(module, "__file__", None)
        is_plain = not hasattr(module, "__path__") and spec is not None
        portions = list(getattr(module, "__path__", None) or [])
        if origin is None and not is_plain and name not in sys.stdlib_module_names:
            return None  # a namespace package, which others may join
    else:
        if name in sys.stdlib_module_names:
            from importlib.util import find_spec  # seldom needed, and the rest of this package does without

            spec = find_spec(name)
        else:
            # A few questions for files; a search would list all that is installed.
            places = [path for path in _places(sys.path) if _may_hold(path, name)]
            spec = PathFinder.find_spec(name, places) if places else None
        if spec is None or spec.origin is None:
            return None
        origin = spec.origin
        is_plain = spec.submodule_search_locations is None
        portions = list(spec.submodule_search_locations or [])
    if any(_is_same(path, directory) for path in portions):
        return None
    if is_plain or name in sys.stdlib_module_names or _is_installed(origin or ""):
        return origin or name
    return None


def installed_spec(fullname: str) -> ModuleSpec | None:
    """What installed distributions have under a name: a portion of a namespace package, a package below one."""
    parent_name = fullname.rpartition(".")[0]
    parent = sys.modules.get(parent_name)
    places = _places(getattr(parent, "__path__", None) or [] if parent_name else sys.path)
    spec = PathFinder.find_spec(fullname, places) if places else None
    # A regular package at the top was looked for when the loader was set up.
    return None if spec is not None and spec.origin is not None and not parent_name else spec


def _places(paths: object) -> list[str]:
    return [path for path in paths if isinstance(path, str) and _is_installed(path)]  # type: ignore[attr-defined]


def _may_hold(place: str, name: str) -> bool:
    base = os.path.join(place, name)
    return os.path.isdir(base) or any(os.path.exists(base + suffix) for suffix in _SUFFIXES)


def _is_installed(path: str) -> bool:
    return any(name in path for name in _INSTALLED)


def _is_same(first: str, second: str) -> bool:
    try:
        return first == second or os.path.samefile(first, second)
    except OSError:
        return False
