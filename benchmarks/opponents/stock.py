"""The import system as Python ships it."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

from benchmarks.opponents.access import access_figures
from benchmarks.opponents.foreign import miss_figures
from benchmarks.opponents.loaded import below, count_loaded, names_of
from benchmarks.opponents.stopwatch import Stopwatch, rss_mb


def eager(tree: str, names: str, marked: int = 1, pause_gc: int = 0, preload: str = "") -> dict[str, Any]:
    """Import every module of the tree."""
    wanted = names_of(names)
    sys.path.insert(0, tree)
    if preload:
        importlib.import_module(preload)
    if pause_gc:
        gc.disable()
    with Stopwatch() as watch:
        for name in wanted:
            importlib.import_module(name)
    loaded = count_loaded(wanted, marked=bool(marked))
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "rss_mb": rss_mb(), "loaded": loaded}


def lazy(tree: str, names: str, package: str, count: int) -> dict[str, Any]:
    """Import modules of one package one after the other, and take the class of each: the first pays for the package."""
    wanted = below(names_of(names), package, count)
    sys.path.insert(0, tree)
    importlib.import_module(package.partition(".")[0])
    with Stopwatch() as first:
        importlib.import_module(wanted[0])
    with Stopwatch() as others:
        for name in wanted[1:]:
            importlib.import_module(name)
    loaded = count_loaded(wanted, marked=True)
    return {"first_us": first.us, "other_us": others.us / (len(wanted) - 1), "loaded": loaded}


def miss(idle_finder: int = 0) -> dict[str, Any]:
    """Search for a module that nobody has, with the stock finders alone or with one that always says no."""
    if idle_finder:
        sys.meta_path.insert(0, _Idle())
    return miss_figures()


class _Idle:
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        return None


def attribute(tree: str, names: str, package: str) -> dict[str, Any]:
    """Attributes of a package that holds plain values, as ``from .user import User`` in it would put them there."""
    sys.path.insert(0, tree)
    wanted = below(names_of(names), package, 100)
    for name in wanted:
        module = importlib.import_module(name)
        for key, value in list(vars(module).items()):
            if isinstance(value, type) and value.__module__ == name:
                setattr(importlib.import_module(package), key, value)
    return access_figures(package, class_of(wanted[0]))


def class_of(name: str) -> str:
    """The class that a generated module defines."""
    return next(
        key
        for key, value in vars(importlib.import_module(name)).items()
        if isinstance(value, type) and value.__module__ == name
    )


def dict_memory(tree: str, names: str, traced: int) -> dict[str, Any]:
    """The least that knowing every module takes: one dict of the names with the paths of their files."""
    from benchmarks.opponents.memory import Growth

    known = {}
    with Growth(traced=bool(traced)) as growth, open(names, encoding="utf-8") as listed:
        for line in listed:
            name = line.rstrip()
            known[name] = f"{tree}/{name.replace('.', '/')}.py"
    return {"mb": growth.mb, "found": len(known)}
