"""Making every name of a code base available: ``setup()`` lists the first level only."""

from __future__ import annotations

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python, ruby


def run(plan: Plan) -> list[Result]:
    return [result for modules in plan.sizes for result in _size(plan, modules)]


def _size(plan: Plan, modules: int) -> list[Result]:
    tree = plan.tree(modules, mirror=True)
    sides = {
        "pkgutil.walk_packages": python("walk.scan", tree=tree.base),
        "setup()": python("ours.setup", root=tree.root),
    }
    if modules <= plan.usual:
        sides["importlib.util.LazyLoader"] = python("lazyloader.setup", tree=tree.base, names=tree.names)
    if plan.ruby:
        sides["Zeitwerk setup (Ruby)"] = ruby("setup", tree=tree.base / "ruby")
    limits = [Target("setup()", 1 / 500, "pkgutil.walk_packages")] if modules >= 100_000 else []
    metric = Metric("ms", "names available", "ms", baseline="pkgutil.walk_packages", targets=limits)
    return plan.measure(Group(f"{modules:,} modules", sides, [metric], expect={"found": tree.count}))
