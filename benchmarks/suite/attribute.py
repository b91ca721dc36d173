"""A resolved attribute, against an attribute of any module."""

from __future__ import annotations

from typing import Any

from benchmarks.exporting import exporting_packages
from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import python


def run(plan: Plan) -> list[Result]:
    tree = plan.tree(100)
    packages = exporting_packages(plan.work, 100)
    where: dict[str, Any] = {"names": tree.names, "package": tree.first_package}
    sides = {
        "plain modules": python("stock.attribute", tree=tree.base, **where),
        "frozen namespace": python("ours.attribute", root=tree.root, freeze=1, **where),
        "complete namespace": python("ours.attribute", root=tree.root, **where),
        "incomplete namespace": python("ours.attribute", root=tree.root, complete=0, **where),
        "lazy_loader.attach": python("attach.attribute", needs="lazy_loader", base=packages, package="attached"),
    }
    limits = [Target("frozen namespace", 1.05, "plain modules")]
    metrics = [
        Metric("chain_ns", "myapp.models.User", "ns", baseline="plain modules", targets=limits),
        Metric("single_ns", "models.User", "ns", baseline="plain modules", targets=limits),
        Metric("from_import_ns", "from myapp.models import User in a function", "ns", baseline="plain modules"),
    ]
    return plan.measure(Group("after the first access", sides, metrics))
