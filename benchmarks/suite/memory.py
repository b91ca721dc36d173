"""Memory of a registry that knows every module of the large tree."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    tree = plan.tree(plan.large)
    where: dict[str, Any] = {"tree": tree.base, "names": tree.names}
    results = []
    for traced, label in ((1, "allocated (tracemalloc)"), (0, "resident set, growth")):
        sides = {
            "dict of name to path": python("stock.dict_memory", traced=traced, **where),
            "ModuleRegistry": python("ours.memory", root=tree.root, traced=traced),
        }
        limits = [Target("ModuleRegistry", 60)] if tree.modules >= 100_000 else []
        metric = Metric("mb", label, "MB", baseline="dict of name to path", targets=limits)
        group = Group(f"{tree.modules:,} modules known", sides, [metric], expect={"found": tree.count})
        results += plan.measure(group)
    return results
