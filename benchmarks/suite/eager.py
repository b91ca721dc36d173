"""Eager load from the ordinary bytecode files, against importing every module."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python, ruby


def run(plan: Plan) -> list[Result]:
    return [result for modules in plan.sizes for result in _size(plan, modules)]


def _size(plan: Plan, modules: int) -> list[Result]:
    tree = plan.tree(modules, mirror=True)
    where: dict[str, Any] = {"tree": tree.base, "names": tree.names}
    sides = {
        "stock import": python("stock.eager", **where),
        "stock import, gc paused": python("stock.eager", pause_gc=1, **where),
        "eager_load()": python("ours.eager", root=tree.root, names=tree.names),
        "floor: unmarshal and run": python("floor.files", **where),
    }
    if plan.ruby:
        sides["Zeitwerk eager_load (Ruby)"] = ruby("eager", tree=tree.base / "ruby")
    limits = [Target("eager_load()", 0.33, "stock import")] if modules == plan.usual else []
    metric = Metric("ms", "everything loaded", "ms", baseline="stock import", targets=limits)
    return plan.measure(
        Group(f"{modules:,} modules", sides, [metric], expect={"loaded": tree.count, "classes": modules})
    )
