"""Eager load of a real code base, the installed source of SymPy, against importing every module of it."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python
from benchmarks.real import NotInstalled, code_base


def run(plan: Plan) -> list[Result]:
    if not plan.real:
        return []
    try:
        tree = code_base(plan.work)
    except NotInstalled as reason:
        plan.say(f"skipped: {reason}")
        return []
    where: dict[str, Any] = {"names": tree.names, "marked": 0, "preload": "mpmath"}
    plan.say("the bundle is built")
    python("stock.eager", tree=tree.base, **where)()
    python("ours.build_bundle", root=tree.root)()
    sides = {
        "stock import": python("stock.eager", tree=tree.base, **where),
        "stock import, gc paused": python("stock.eager", tree=tree.base, pause_gc=1, **where),
        "eager_load()": python("ours.eager", root=tree.root, **where),
        "bundle, checked": python("ours.eager", root=tree.root, bundle="checked", **where),
        "bundle, trusted": python("ours.eager", root=tree.root, bundle="trusted", **where),
    }
    limits = [Target("eager_load()", 1.0, "stock import"), Target("bundle, trusted", 1.0, "stock import")]
    metric = Metric("ms", "everything loaded", "ms", baseline="stock import", targets=limits)
    return plan.measure(Group(f"SymPy, {tree.count:,} modules", sides, [metric], expect={"loaded": tree.count}))
