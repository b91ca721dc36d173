"""Modules that no loader of ours manages."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
from time import perf_counter_ns

SEARCHES = 20_000
MODULES = 400
REPEATS = 7


class _Last:
    """Ends each search before the stock finders, whose work would drown the difference that is looked for."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        return None


def miss_figures() -> dict[str, float]:
    """What a search takes in the finders that stand before the stock ones, and a whole import with all of them."""
    stock = [finder for finder in sys.meta_path if getattr(finder, "__module__", "").startswith("_frozen_importlib")]
    others = [finder for finder in sys.meta_path if finder not in stock]
    sys.meta_path[:] = [*others, _Last()]
    try:
        search = min(_search("somebody", None) for _ in range(REPEATS))
        submodule = min(_search("somebody.else_", ["/nowhere"]) for _ in range(REPEATS))
    finally:
        sys.meta_path[:] = [*others, *stock]
    return {"search_ns": search, "submodule_ns": submodule, "import_us": _imports()}


def _search(name: str, path: list[str] | None) -> float:
    find = importlib._bootstrap._find_spec  # type: ignore[attr-defined]
    start = perf_counter_ns()
    for _ in range(SEARCHES):
        find(name, path)
    return (perf_counter_ns() - start) / SEARCHES


def _imports() -> float:
    """The time of importing one tiny top-level module, in µs: its bytecode is there, its directory is listed."""
    folder = tempfile.mkdtemp()
    names = [f"foreign_{number:03}" for number in range(MODULES)]
    for name in names:
        with open(os.path.join(folder, f"{name}.py"), "w", encoding="utf-8") as file:
            file.write("VALUE = 1\n")
    sys.path.insert(0, folder)
    try:
        best = None
        for _ in range(REPEATS):
            for name in names:
                sys.modules.pop(name, None)
            start = perf_counter_ns()
            for name in names:
                importlib.import_module(name)
            took = (perf_counter_ns() - start) / 1e3 / MODULES
            best = took if best is None or took < best else best
    finally:
        shutil.rmtree(folder)
    assert best is not None
    return best
