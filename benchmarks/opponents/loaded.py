"""How many modules of a tree were really loaded: a lazy placeholder or a half-run module does not count."""

from __future__ import annotations

import sys
from types import ModuleType

# The last statement of every generated module binds this name, so whoever has it ran to the end.
MARKER = "LOADED"


def names_of(path: str) -> list[str]:
    """The module names of a tree, one a line, in sorted order."""
    with open(path, encoding="utf-8") as listed:
        return listed.read().split()


def count_loaded(names: list[str], *, marked: bool) -> int:
    """How many of ``names`` are finished modules; with ``marked``, only those that bound ``MARKER``, and packages."""
    count = 0
    for name in names:
        module = sys.modules.get(name)
        if type(module) is not ModuleType:
            continue
        # Not vars(): it would load a module that importlib.util.LazyLoader stands for.
        members = ModuleType.__getattribute__(module, "__dict__")
        if getattr(members.get("__spec__"), "_initializing", False):
            continue
        count += not marked or MARKER in members or "__path__" in members
    return count


def below(names: list[str], package: str, count: int) -> list[str]:
    """The first ``count`` modules of a package."""
    start = f"{package}."
    return [name for name in names if name.startswith(start)][:count]
