"""Eager load from a bundle, with a warm and with an empty page cache, against importing every module.

The floor unmarshals all code from one file, sixteen modules at a time, and runs it: what is left when nothing is
searched, checked, locked or bound.
"""

from __future__ import annotations

from typing import Any

from benchmarks import cache
from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import Start, python
from benchmarks.trees import Tree


def run(plan: Plan) -> list[Result]:
    tree = plan.tree(plan.usual)
    plan.say("the bundle is built")
    python("stock.eager", tree=tree.base, names=tree.names)()  # so that the bytecode is there to be bundled
    built = python("ours.build_bundle", root=tree.root)()
    results = plan.measure(_warm(tree))
    results[0].notes["built"] = built
    if plan.cold and cache.means():
        results += plan.measure(_cold(plan, tree))
    return results


def _sides(tree: Tree) -> dict[str, Start]:
    where: dict[str, Any] = {"tree": tree.base, "names": tree.names}
    ours: dict[str, Any] = {"root": tree.root, "names": tree.names}
    return {
        "stock import": python("stock.eager", **where),
        "eager_load()": python("ours.eager", **ours),
        "bundle, checked": python("ours.eager", bundle="checked", **ours),
        "bundle, trusted": python("ours.eager", bundle="trusted", **ours),
        "floor: unmarshal and run": python("floor.one_file", **where),
    }


def _metric(limit: float) -> Metric:
    limits = [Target(side, limit, "stock import") for side in ("bundle, checked", "bundle, trusted")]
    return Metric("ms", "everything loaded", "ms", baseline="stock import", targets=limits)


def _warm(tree: Tree) -> Group:
    return Group(f"{tree.modules:,} modules", _sides(tree), [_metric(1 / 5)], expect={"loaded": tree.count})


def _cold(plan: Plan, tree: Tree) -> Group:
    return Group(
        f"{tree.modules:,} modules",
        _sides(tree),
        [_metric(1 / 8)],
        expect={"loaded": tree.count},
        before=lambda: cache.empty(tree.base),
        page_cache=f"empty ({cache.means()})",
    )
