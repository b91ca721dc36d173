"""What one attribute access takes."""

from __future__ import annotations

import importlib
from time import perf_counter_ns
from typing import Any

UNROLLED = 50
TURNS = 4_000
REPEATS = 7


def nanoseconds(expression: str, names: dict[str, Any]) -> float:
    """The least time of ``REPEATS`` for evaluating ``expression`` once, in ns, the loop itself taken off.

    The least, as an interruption only ever adds; the rounds in fresh processes show what varies.
    """
    return max(0.0, (_least(expression, names) - _least("pass", names)) / (UNROLLED * TURNS))


def _least(statement: str, names: dict[str, Any]) -> int:
    body = "\n".join([f"        {statement}"] * UNROLLED)
    scope = dict(names)
    exec(f"def loop(turns):\n    for _ in turns:\n{body}\n", scope)
    loop = scope["loop"]
    loop(range(TURNS))  # the interpreter specialises the code while it runs
    best = None
    for _ in range(REPEATS):
        start = perf_counter_ns()
        loop(range(TURNS))
        took = perf_counter_ns() - start
        best = took if best is None or took < best else best
    assert best is not None
    return best


def access_figures(package: str, name: str) -> dict[str, float]:
    """The three ways to use ``name`` of ``package``; a package at the top level has no chain."""
    module = importlib.import_module(package)
    top = package.partition(".")[0]
    figures = {
        "single_ns": nanoseconds(f"package.{name}", {"package": module}),
        "from_import_ns": nanoseconds(f"from {package} import {name}", {}),
    }
    if package != top:
        figures["chain_ns"] = nanoseconds(f"{package}.{name}", {top: importlib.import_module(top)})
    return figures
