"""Eager load from the ordinary bytecode files, against importing every module.

The floor reads, unmarshals and runs each module and does nothing else: nothing is searched, compared with its source,
locked, or bound to its package. The checked floor takes the status of each source on top of that, without which no
bytecode may be believed.
"""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python, ruby


def run(plan: Plan) -> list[Result]:
    return [result for modules in plan.sizes for result in _size(plan, modules)]


def _size(plan: Plan, modules: int) -> list[Result]:
    tree = plan.tree(modules, mirror=modules <= plan.usual)
    where: dict[str, Any] = {"tree": tree.base, "names": tree.names}
    sides = {
        "stock import": python("stock.eager", **where),
        "eager_load()": python("ours.eager", root=tree.root, names=tree.names),
        "floor: unmarshal and run": python("floor.files", **where),
        "floor, sources checked": python("floor.files", checked=1, **where),
    }
    if modules <= plan.usual:
        sides["stock import, gc paused"] = python("stock.eager", pause_gc=1, **where)
    if plan.ruby and modules <= plan.usual:
        sides["Zeitwerk eager_load (Ruby)"] = ruby("eager", tree=tree.base / "ruby")
    limits = [Target("eager_load()", 0.33, "stock import")] if modules == plan.usual else []
    metric = Metric("ms", "everything loaded", "ms", baseline="stock import", targets=limits)
    cpu = Metric("cpu_ms", "processor time of that", "ms", baseline="stock import")
    expect = {"loaded": tree.count, "classes": modules}
    return plan.measure(Group(f"{modules:,} modules", sides, [metric, cpu], expect=expect))
