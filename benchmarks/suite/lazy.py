"""Importing one managed module, against the stock import of it."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    tree = plan.tree(plan.usual)
    count = min(100, tree.modules)
    what: dict[str, Any] = {"names": tree.names, "package": tree.first_package, "count": count}
    sides = {
        "stock import": python("stock.lazy", tree=tree.base, **what),
        "lazy import": python("ours.lazy", root=tree.root, **what),
        "importlib.util.LazyLoader": python("lazyloader.lazy", tree=tree.base, **what),
    }
    metrics = [
        Metric("first_us", "first module of a package", "µs", baseline="stock import"),
        Metric(
            "other_us",
            "each further module",
            "µs",
            baseline="stock import",
            targets=[Target("lazy import", 1.0, "stock import")],
        ),
    ]
    return plan.measure(Group(f"one package of {tree.modules:,} modules", sides, metrics, expect={"loaded": count}))
