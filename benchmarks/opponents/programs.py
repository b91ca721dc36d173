"""Real programs, run to their end in this process, as they are and with lazy imports."""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any


def plain(packages: str, entry: str, arguments: str = "") -> dict[str, Any]:
    """As the program is started by its own script."""
    return _timed(lambda: None, entry, arguments)


def lazy(packages: str, entry: str, arguments: str = "") -> dict[str, Any]:
    """With the program's own packages below a loader with lazy imports."""

    def set_up() -> None:
        from importlib.machinery import PathFinder

        from pyautoload import AutoLoader

        loader = AutoLoader(tag="program")
        for package in packages.split(","):
            spec = PathFinder.find_spec(package)
            assert spec is not None
            for directory in list(spec.submodule_search_locations or ()):
                loader.push_dir(directory, package)
        loader.lazy_imports().setup()

    return _timed(set_up, entry, arguments)


def native(packages: str, entry: str, arguments: str = "") -> dict[str, Any]:
    """As with ``-X lazy_imports=all`` of Python 3.15: every module of the process imports lazily."""
    system: Any = sys
    return _timed(lambda: system.set_lazy_imports("all"), entry, arguments)


def _timed(set_up: Any, entry: str, arguments: str) -> dict[str, Any]:
    """Set up, import, call; what the program prints goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    module, _, function = entry.partition(":")
    sys.argv = [module, *arguments.split()]
    began, spent = time.perf_counter(), time.process_time()
    set_up()
    target: Any = importlib.import_module(module)
    code: object = 0
    if function:
        try:
            code = getattr(target, function)()
        except SystemExit as end:
            code = end.code
    assert not code, f"the program ended with {code!r}"
    return {
        "ms": (time.perf_counter() - began) * 1000,
        "cpu_ms": (time.process_time() - spent) * 1000,
        "modules": len(sys.modules),
    }
