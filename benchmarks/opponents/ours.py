"""PyAutoload; its own import counts in whenever a whole start is timed."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.opponents.loaded import below, count_loaded, names_of
from benchmarks.opponents.stopwatch import Stopwatch, rss_mb

# What a start must not load: the watcher is for development, the rest for the command line.
UNWANTED = ("watchdog", "click", "rich", "pyautoload.cli", "pyautoload.reloading", "pyautoload.serving", "asyncio")


def import_alone() -> dict[str, Any]:
    return _import("import pyautoload")


def import_loader() -> dict[str, Any]:
    return _import("from pyautoload import AutoLoader")


def _import(statement: str) -> dict[str, Any]:
    """Time ``statement`` and tell what it loaded."""
    before = set(sys.modules)
    code = compile(statement, "<benchmark>", "exec")
    with Stopwatch() as watch:
        exec(code, {})
    loaded = set(sys.modules) - before
    tops = sorted({name.partition(".")[0] for name in loaded} - {"pyautoload"})
    unexpected = sorted(name for name in loaded if name.startswith(UNWANTED))
    return {"ms": watch.ms, "unexpected": unexpected, "modules": len(loaded), "others": ", ".join(tops)}


def setup(root: str) -> dict[str, Any]:
    """Make every module of the tree available."""
    with Stopwatch() as start:
        from pyautoload import AutoLoader

        with Stopwatch() as watch:
            AutoLoader(base_path=root).setup()
    return {"ms": watch.ms, "with_import_ms": start.ms, "cpu_ms": watch.cpu_ms, "rss_mb": rss_mb()}


def eager(root: str, names: str, marked: int = 1, bundle: str = "", preload: str = "") -> dict[str, Any]:
    """The whole start: import PyAutoload, set up, load everything."""
    if bundle:
        import warnings

        # A bundle that is refused must not be timed as one that was used.
        warnings.filterwarnings("error", message=".*bundle")
    if preload:
        __import__(preload)
    with Stopwatch() as whole:
        with Stopwatch() as importing:
            from pyautoload import AutoLoader
        with Stopwatch() as setting_up:
            loader = AutoLoader(base_path=root, **_options(bundle)).setup()
        with Stopwatch() as loading:
            loader.eager_load()
    return {
        "ms": whole.ms,
        "cpu_ms": whole.cpu_ms,
        "import_ms": importing.ms,
        "setup_ms": setting_up.ms,
        "eager_load_ms": loading.ms,
        "rss_mb": rss_mb(),
        "loaded": count_loaded(names_of(names), marked=bool(marked)),
    }


def _options(bundle: str) -> dict[str, Any]:
    return {"bundle": True if bundle == "checked" else bundle} if bundle else {}


def build_bundle(root: str) -> dict[str, Any]:
    """Write the bundle; timed, as a deployment waits for it."""
    from pyautoload import AutoLoader

    loader = AutoLoader(base_path=root).setup()
    with Stopwatch() as watch:
        built = loader.build_bundle()
    return {"ms": watch.ms, "mb": built.size / 1e6, "bundled": built.modules, "skipped": len(built.skipped)}


def lazy(root: str, names: str, package: str, count: int) -> dict[str, Any]:
    """Import modules of one package one after the other."""
    import importlib

    from pyautoload import AutoLoader

    wanted = below(names_of(names), package, count)
    AutoLoader(base_path=root).setup()
    importlib.import_module(package.partition(".")[0])
    with Stopwatch() as first:
        importlib.import_module(wanted[0])
    with Stopwatch() as others:
        for name in wanted[1:]:
            importlib.import_module(name)
    loaded = count_loaded(wanted, marked=True)
    return {"first_us": first.us, "other_us": others.us / (len(wanted) - 1), "loaded": loaded}


def scan(root: str) -> dict[str, Any]:
    """List every directory: afterwards the registry knows every module."""
    with Stopwatch() as watch:
        from pyautoload import AutoLoader

        loader = AutoLoader(base_path=root).setup()
        for _ in loader.tree.walk_all():
            pass
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "rss_mb": rss_mb(), "found": len(loader.registry) + 1}


def expected_names(root: str) -> dict[str, Any]:
    """The same, with the expected name of each file."""
    with Stopwatch() as watch:
        from pyautoload import AutoLoader

        names = AutoLoader(base_path=root).setup().expected_names()
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "rss_mb": rss_mb(), "names": len(names)}


def memory(root: str, traced: int) -> dict[str, Any]:
    """What the registry holds when every directory has been listed."""
    from benchmarks.opponents.memory import Growth
    from pyautoload import AutoLoader

    loader = AutoLoader(base_path=root).setup()
    with Growth(traced=bool(traced)) as growth:
        for _ in loader.tree.walk_all():
            pass
    return {"mb": growth.mb, "found": len(loader.registry) + 1}


def miss(root: str) -> dict[str, Any]:
    """Search for modules of somebody else with our finder in front."""
    from benchmarks.opponents.foreign import miss_figures
    from pyautoload import AutoLoader

    AutoLoader(base_path=root).setup()
    return miss_figures()


def attribute(root: str, names: str, package: str, complete: int = 1, freeze: int = 0) -> dict[str, Any]:
    """Attributes of a namespace, all of whose names are resolved, or half of them; to which no files come, or may."""
    import importlib

    from benchmarks.opponents.access import access_figures
    from benchmarks.opponents.stock import class_of
    from pyautoload import AutoLoader

    loader = AutoLoader(base_path=root).setup()
    wanted = below(names_of(names), package, 100)
    if complete:
        loader.eager_load(freeze=bool(freeze))
    else:
        for name in wanted[:50]:
            importlib.import_module(name)
    name = class_of(wanted[0])
    getattr(importlib.import_module(package), name)
    figures: dict[str, Any] = access_figures(package, name)
    figures["hook"] = "__getattr__" in vars(sys.modules[package])
    return figures
