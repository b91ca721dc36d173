"""Memory of four pre-forked workers: what the parent has loaded, they share.

Proportional set size (PSS): a page that n processes share counts as a part of n. Before it is taken, each worker has
collected garbage once and answered 50 requests or more, which use a tenth of all modules, chosen at random: using an
object writes to its reference count, and that unshares the page that it lies on.
"""

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
    limits = [Target(SHARED, 0.5, ALONE)]
    metrics = [
        Metric("workers_pss_mb", "4 workers (PSS)", "MB", baseline=ALONE, targets=limits),
        Metric("pss_mb", "4 workers and their parent (PSS)", "MB", baseline=ALONE),
        Metric("worker_mb", "written to by one worker", "MB", baseline=ALONE),
        Metric("ready_ms", "start to the first answer of all 4", "ms", baseline=ALONE),
    ]
    group = Group(f"gunicorn, {tree.modules:,} modules", sides, metrics, expect={"loaded": tree.count, "workers": 4})
    return plan.measure(group)
