"""``pkgutil.walk_packages``: finds every module of a tree; it imports the packages to find what is in them."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.opponents.stopwatch import Stopwatch, rss_mb


def import_alone() -> dict[str, Any]:
    with Stopwatch() as watch:
        import pkgutil  # noqa: F401
    return {"ms": watch.ms}


def scan(tree: str) -> dict[str, Any]:
    import pkgutil

    sys.path.insert(0, tree)
    with Stopwatch() as watch:
        found = [info.name for info in pkgutil.walk_packages([tree])]
    return {"ms": watch.ms, "cpu_ms": watch.cpu_ms, "rss_mb": rss_mb(), "found": len(found)}
