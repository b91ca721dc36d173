"""Three ways to host very many plugins; each ends with the same fifty of them in use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from benchmarks.opponents.stopwatch import Stopwatch, rss_mb

USED = 50


def _measured(setup: Callable[[], Callable[[int], type]], names: Callable[[], list[str]], count: int) -> dict[str, Any]:
    """Time ``setup``, which returns how to get plugin number n, then the plugins, then the list of all names."""
    before = rss_mb()
    with Stopwatch() as setting_up:
        plugin = setup()
    wanted = range(0, count, max(1, count // USED))
    with Stopwatch() as first:
        assert plugin(wanted[0])().run([]) == wanted[0]
    with Stopwatch() as others:
        for number in wanted[1:]:
            plugin(number)
    after = rss_mb()
    with Stopwatch() as listing:
        listed = sum(name[:6].lower() == "plugin" and name[6:].isdigit() for name in names())
    return {
        "setup_ms": setting_up.ms,
        "first_ms": first.ms,
        "next_us": others.us / (len(wanted) - 1),
        "dir_ms": listing.ms,
        "rss_mb": after - before if after is not None and before is not None else None,
        "listed": listed,
    }


def ours(base: str, count: int) -> dict[str, Any]:
    """A root with a directory of plugins in it; importing PyAutoload is part of the setup."""

    def setup() -> Callable[[int], type]:
        from pyautoload import AutoLoader

        AutoLoader(base_path=f"{base}/host").setup()
        import host

        return lambda number: getattr(host.plugins, f"Plugin{number:06}")

    return _measured(setup, lambda: dir(sys.modules["host.plugins"]), count)


def handwritten(base: str, count: int) -> dict[str, Any]:
    """A package with a ``__getattr__`` and a ``__dir__`` of its own."""
    sys.path.insert(0, base)

    def setup() -> Callable[[int], type]:
        import handwritten as package

        return lambda number: getattr(package, f"Plugin{number:06}")

    return _measured(setup, lambda: dir(sys.modules["handwritten"]), count)


def stock(base: str, count: int) -> dict[str, Any]:
    """Ordinary imports, and ``pkgutil.iter_modules`` for the list."""
    import importlib
    import pkgutil

    sys.path.insert(0, f"{base}/host")

    def setup() -> Callable[[int], type]:
        import plugins  # noqa: F401

        return lambda number: getattr(importlib.import_module(f"plugins.plugin_{number:06}"), f"Plugin{number:06}")

    def names() -> list[str]:
        found = pkgutil.iter_modules(sys.modules["plugins"].__path__)
        return [info.name.replace("_", "") for info in found]

    return _measured(setup, names, count)
