"""Packages that export names lazily, by whatever means their ``__init__.py`` uses."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from benchmarks.opponents.access import access_figures, nanoseconds
from benchmarks.opponents.stopwatch import Stopwatch


def import_alone() -> dict[str, Any]:
    with Stopwatch() as watch:
        import lazy_loader  # noqa: F401
    return {"ms": watch.ms}


def first(base: str, package: str, count: int) -> dict[str, Any]:
    """Import the package, use one name, use all names."""
    sys.path.insert(0, base)
    names = [f"Thing{number:04}" for number in range(count)]
    with Stopwatch() as importing:
        module = importlib.import_module(package)
    with Stopwatch() as one:
        getattr(module, names[count // 2])
    with Stopwatch() as everything:
        values = [getattr(module, name) for name in names]
    return {
        "import_ms": importing.ms,
        "first_ms": one.ms,
        "start_ms": importing.ms + one.ms,
        "all_ms": everything.ms,
        "access_ns": nanoseconds(f"package.{names[0]}", {"package": module}),
        "resolved": len({value.__name__ for value in values}),
    }


def attribute(base: str, package: str) -> dict[str, Any]:
    """Attributes of a package of which every name has been used."""
    sys.path.insert(0, base)
    module = importlib.import_module(package)
    for name in dir(module):
        getattr(module, name)
    return access_figures(package, "Thing0000")
