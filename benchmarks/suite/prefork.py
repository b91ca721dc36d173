"""Memory of four pre-forked workers: what the parent has loaded, they share."""

from __future__ import annotations

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.prefork import workers

ALONE = "each worker loads by itself"
SHARED = "preload, eager_load(freeze=True)"


def run(plan: Plan) -> list[Result]:
    tree = plan.tree(plan.usual)
    sides = {
        ALONE: workers(tree, preload=False, freeze=False),
        "preload, eager_load()": workers(tree, preload=True, freeze=False),
        SHARED: workers(tree, preload=True, freeze=True),
    }
    metrics = [
        Metric(
            "pss_mb",
            "parent and 4 workers",
            "MB",
            baseline=ALONE,
            targets=[Target(SHARED, 0.5, ALONE)],
        ),
        Metric("worker_mb", "one worker's own share", "MB", baseline=ALONE),
        Metric("ready_ms", "start to the first answer of all 4", "ms", baseline=ALONE),
    ]
    group = Group(f"gunicorn, {tree.modules:,} modules", sides, metrics, expect={"loaded": tree.count, "workers": 4})
    return plan.measure(group)
