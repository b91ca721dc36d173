"""The first attribute of a package that exports many names, in the ways a package can export them lazily."""

from __future__ import annotations

from benchmarks.exporting import exporting_packages
from benchmarks.measure import Group, Metric, Result
from benchmarks.plan import Plan
from benchmarks.process import Start, python

BASELINE = "lazy_loader.attach"


def run(plan: Plan) -> list[Result]:
    counts = [count for count in (100, 1_000) if count <= max(plan.sizes)] or [min(plan.sizes)]
    return [result for count in counts for result in _count(plan, count)]


def _count(plan: Plan, count: int) -> list[Result]:
    base = exporting_packages(plan.work, count)

    def using(package: str, needs: str = "") -> Start:
        return python("attach.first", needs=needs, base=base, package=package, count=count)

    sides = {
        "hand-written __getattr__": using("handwritten"),
        BASELINE: using("attached", needs="lazy_loader"),
        "lazy_loader.attach_stub": using("stubbed", needs="lazy_loader"),
        "pyautoload.lazy.exports": using("exported"),
        "AutoLoader.for_package": using("conventional"),
        "plain imports": using("eager"),
    }
    metrics = [
        Metric("start_ms", "import and first attribute", "ms", baseline=BASELINE),
        Metric("import_ms", "import of the package", "ms", baseline=BASELINE),
        Metric("all_ms", "all attributes", "ms", baseline=BASELINE),
        Metric("access_ns", "a resolved attribute", "ns", baseline=BASELINE),
    ]
    return plan.measure(Group(f"{count:,} names", sides, metrics, expect={"resolved": count}))
