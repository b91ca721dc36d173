"""``importlib.util.LazyLoader``: the module is found at once, its code runs at the first access."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from benchmarks.opponents.loaded import below, count_loaded, names_of
from benchmarks.opponents.stopwatch import Stopwatch, rss_mb


def lazy_import(name: str) -> ModuleType:
    """The recipe of the standard library's documentation."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def setup(tree: str, names: str) -> dict[str, Any]:
    """Make every module of the tree ready for use, without running it."""
    wanted = names_of(names)
    sys.path.insert(0, tree)
    with Stopwatch() as watch:
        for name in wanted:
            lazy_import(name)
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "rss_mb": rss_mb()}


def lazy(tree: str, names: str, package: str, count: int) -> dict[str, Any]:
    """Find modules of one package lazily and touch each."""
    wanted = below(names_of(names), package, count)
    sys.path.insert(0, tree)
    importlib.import_module(package.partition(".")[0])
    with Stopwatch() as first:
        _ = lazy_import(wanted[0]).LOADED
    with Stopwatch() as others:
        for name in wanted[1:]:
            # What an earlier module imported stands there already, as it does for the other contenders.
            _ = (sys.modules.get(name) or lazy_import(name)).LOADED
    loaded = count_loaded(wanted, marked=True)
    return {"first_us": first.us, "other_us": others.us / (len(wanted) - 1), "loaded": loaded}
