"""What ``import pyautoload`` costs at the start of a program, and what else it loads."""

from __future__ import annotations

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    sides = {
        "import pyautoload": python("ours.import_alone"),
        "from pyautoload import AutoLoader": python("ours.import_loader"),
        "import lazy_loader": python("attach.import_alone", needs="lazy_loader"),
        "import pkgutil": python("walk.import_alone"),
    }
    limits = [Target("import pyautoload", 10), Target("from pyautoload import AutoLoader", 10)]
    metric = Metric("ms", "import", "ms", targets=limits)
    return plan.measure(Group("a fresh process", sides, [metric], expect={"unexpected": []}))
