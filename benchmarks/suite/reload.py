"""From an edit to the moment at which the running process serves it, against other reloaders.

Everything is loaded, then a file is written in place; the clock stops when every module that should show the edit does:
the edited one, those that hold its function, those that computed something from its constant (for the fifty dependents
two levels deep). IPython has no watcher: its figure is the search for changes that it makes before each cell. The bare
watchdog handler calls ``importlib.reload`` on the edited module alone, and only that module is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.edits import EditTree, edit_tree
from benchmarks.environments import reloaders
from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import Missing, Start, python

OURS, BARE = "PyAutoload", "watchdog + importlib.reload"
EDITS = 5
PEERS = {"IPython autoreload": "ipython", "jurigged": "jurigged", "hmr": "hmr", "superreload": "superreload"}


def run(plan: Plan) -> Iterator[Result]:
    try:
        interpreter = reloaders(plan.work)
    except Missing as reason:
        plan.say(f"other reloaders are left out: {reason}")
        interpreter = ""
    for modules in plan.edited:
        tree = edit_tree(plan.work, modules)
        yield from _edits(plan, tree, modules, interpreter, peers=modules <= 1_000)
    yield from _tracking(plan, interpreter)
    yield from _many(plan, interpreter)


def _edits(plan: Plan, tree: EditTree, modules: int, interpreter: str, *, peers: bool) -> list[Result]:
    def side(function: str) -> Start:
        where: dict[str, Any] = {"base": tree.base, "names": tree.names, "edits": EDITS}
        return python(f"reloaders.{function}", interpreter=interpreter, **where)

    sides = {BARE: side("bare"), OURS: side("ours")}
    if peers and interpreter:
        sides.update({name: side(function) for name, function in PEERS.items()})
    body = [Target(OURS, 2, BARE), Target(OURS, 15)]
    metrics = [
        Metric("leaf_body_ms", "a function body, no dependents", "ms", BARE, body),
        Metric("mid_body_ms", "a function body, 10 modules hold it", "ms", BARE, body),
        Metric("hub_body_ms", "a function body, all modules hold it", "ms", BARE, body),
        Metric("mid_constant_ms", "a constant, 50 dependents run again", "ms", BARE, [Target(OURS, 25)]),
    ]
    limits = [Target(OURS, 150)] if modules <= 1_000 else []
    metrics += [
        Metric("hub_constant_ms", "a constant, all modules run again", "ms", BARE, limits),
        Metric("load_ms", "loading everything, ready to reload", "ms", BARE),
        Metric("rss_mb", "resident memory after loading", "MB", BARE),
        Metric("idle_percent", "processor use while nothing changes", "%", "", [Target(OURS, 0.3)]),
    ]
    return plan.measure(Group(f"{modules:,} modules", sides, metrics, warm_up=False))


def _tracking(plan: Plan, interpreter: str) -> list[Result]:
    tree = edit_tree(plan.work, plan.edited[-1])
    sides = {
        name: python("reloaders.tracking", interpreter=interpreter, base=tree.base, names=tree.names, reloading=number)
        for number, name in enumerate(("eager_load()", "eager_load() with reloading on"))
    }
    base, with_it = sides
    metrics = [
        Metric("load_ms", "time of loading", "ms", base, [Target(with_it, 1.10, base)]),
        Metric("load_mb", "resident memory", "MB", base, [Target(with_it, 1.15, base)]),
    ]
    return plan.measure(Group(f"{plan.edited[-1]:,} modules, tracking", sides, metrics))


def _many(plan: Plan, interpreter: str) -> list[Result]:
    tree = edit_tree(plan.work, min(plan.edited))
    sides = {OURS: python("reloaders.many", interpreter=interpreter, base=tree.base, names=tree.names)}
    metrics = [
        Metric("first_reloads_ms", "reload, the first 20 of 200", "ms"),
        Metric("last_reloads_ms", "reload, the last 20 of 200", "ms"),
        Metric("checkout_ms", "up to 1,000 files written at once", "ms", "", [Target(OURS, 1000)]),
        Metric("batches", "reloads that these files took", "times", "", [Target(OURS, 1)]),
    ]
    return plan.measure(Group(f"{min(plan.edited):,} modules", sides, metrics, warm_up=False))
