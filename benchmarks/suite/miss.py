"""What an import that is not ours pays for a finder in front of it."""

from __future__ import annotations

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    tree = plan.tree(min(plan.sizes))
    sides = {
        "no finder": python("stock.miss"),
        "PyAutoload's finder": python("ours.miss", root=tree.root),
        "a finder that does nothing": python("stock.miss", idle_finder=1),
    }
    limits = [Target("PyAutoload's finder", 300, "no finder", ratio=False)]
    metrics = [
        Metric("search_ns", "search for a module", "ns", baseline="no finder", targets=limits),
        Metric("submodule_ns", "search for a submodule", "ns", baseline="no finder", targets=limits),
        Metric("import_us", "import of a small module", "µs", baseline="no finder"),
    ]
    return plan.measure(Group("a name of somebody else", sides, metrics))
