"""A full scan of a code base into the registry, against ``pkgutil.walk_packages``."""

from __future__ import annotations

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    return [result for modules in plan.sizes for result in _size(plan, modules)]


def _size(plan: Plan, modules: int) -> list[Result]:
    tree = plan.tree(modules)
    sides = {
        "pkgutil.walk_packages": python("walk.scan", tree=tree.base),
        "full scan": python("ours.scan", root=tree.root),
        "full scan with expected names": python("ours.expected_names", root=tree.root),
    }
    limits = [Target("full scan", 0.25, "pkgutil.walk_packages")] if modules >= 100_000 else []
    metric = Metric("ms", "every module known", "ms", baseline="pkgutil.walk_packages", targets=limits)
    return plan.measure(Group(f"{modules:,} modules", sides, [metric], expect={"found": tree.count}))
