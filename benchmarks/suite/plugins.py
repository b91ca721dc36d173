"""A directory of very many plugins of which few are used."""

from __future__ import annotations

from benchmarks.measure import Group, Metric, Result
from benchmarks.plan import Plan
from benchmarks.plugins import plugin_folder
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    count = plan.large
    plan.say(f"{count:,} plugins")
    base = plugin_folder(plan.work, count)
    sides = {
        "stock import": python("plugins.stock", base=base, count=count),
        "hand-written __getattr__": python("plugins.handwritten", base=base, count=count),
        "PyAutoload": python("plugins.ours", base=base, count=count),
    }
    metrics = [
        Metric("setup_ms", "set up", "ms", baseline="stock import"),
        Metric("first_ms", "first plugin", "ms", baseline="stock import"),
        Metric("next_us", "each further plugin", "µs", baseline="stock import"),
        Metric("dir_ms", "list all names", "ms", baseline="stock import"),
        Metric("rss_mb", "resident memory, growth", "MB", baseline="stock import"),
    ]
    return plan.measure(Group(f"{count:,} plugins", sides, metrics, expect={"listed": count}))
