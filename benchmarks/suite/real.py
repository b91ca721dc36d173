"""Eager load of real code bases, against importing every module of them.

Copies of installed packages, without tests and without what needs optional packages. How much there is to gain depends
on what their modules do when they run: SymPy computes for two milliseconds in each, and finding it is little to that.
"""

from __future__ import annotations

from typing import Any

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import Missing, python
from benchmarks.real import CODE_BASES, CodeBase, copied


def run(plan: Plan) -> list[Result]:
    results: list[Result] = []
    for code_base in CODE_BASES if plan.real else ():
        try:
            results += _code_base(plan, code_base)
        except Missing as reason:
            plan.say(f"skipped: {reason}")
    return results


def _code_base(plan: Plan, code_base: CodeBase) -> list[Result]:
    tree = copied(code_base, plan.work)
    where: dict[str, Any] = {"names": tree.names, "marked": 0, "preload": code_base.preload}
    plan.say("the bundle is built")
    python("stock.eager", tree=tree.base, **where)()  # so that the bytecode is there to be bundled
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
    title = f"{code_base.title}, {tree.count:,} modules"
    return plan.measure(Group(title, sides, [metric], expect={"loaded": tree.count}))
