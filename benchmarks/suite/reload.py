"""From an edit to the moment at which the running process serves it, against other reloaders.

Everything is loaded, then a file is written in place; the clock stops when every module that should show the edit does:
the edited one, those that hold its function, those that computed something from its constant (for the fifty dependents
two levels deep). Values are looked at, so nobody is credited for a reload that left something stale; how many modules
did stay stale is a figure of its own. IPython has no watcher: its figure is the search for changes that it makes before
each cell. The bare watchdog handler calls ``importlib.reload`` on the edited module alone, and only that module is
looked at.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

from benchmarks.edits import EditTree, edit_tree
from benchmarks.environments import reloaders
from benchmarks.measure import Group, Metric, Result, Target, measure
from benchmarks.plan import Plan
from benchmarks.process import ContenderFailed, Figures, Missing, Start, python

OURS, BARE = "PyAutoload", "watchdog + importlib.reload"
# Edits of each kind, for ours and the floor; for the others, who take longer; on trees of more than a thousand modules.
EDITS, EDITS_OF_OTHERS, EDITS_OF_MANY = 12, 5, 3
# Rounds on trees of more than a thousand modules, and seconds after which one of the others is given up there.
ROUNDS_OF_MANY, LIMIT = 2, 240
PEERS = {"IPython autoreload": "ipython", "jurigged": "jurigged", "hmr": "hmr", "superreload": "superreload"}
KEYS = {
    "first_reload_ms": "the first reload, two seconds after loading",
    "leaf_body_ms": "a function body, no dependents",
    "mid_body_ms": "a function body, 10 modules hold it",
    "hub_body_ms": "a function body, all modules hold it",
    "mid_constant_ms": "a constant, 50 dependents run again",
    "hub_constant_ms": "a constant, all modules run again",
}


def run(plan: Plan) -> Iterator[Result]:
    try:
        interpreter = reloaders(plan.work)
    except Missing as reason:
        plan.say(f"other reloaders are left out: {reason}")
        interpreter = ""
    for modules in plan.edited:
        tree = edit_tree(plan.work, modules)
        few = modules <= 1_000
        yield from _edits(plan, tree, modules, interpreter if few else "", plan.rounds if few else ROUNDS_OF_MANY)
        if interpreter and not few:
            yield from _others(plan, tree, modules, interpreter)
    yield from _tracking(plan)
    yield from _many(plan)


def _edits(plan: Plan, tree: EditTree, modules: int, interpreter: str, rounds: int) -> list[Result]:
    """Ours beside the floor, and beside the others where there is an interpreter for these."""
    sides = {BARE: _side(tree, "bare", EDITS), OURS: _side(tree, "ours", EDITS)}
    if interpreter:
        sides.update({name: _side(tree, function, EDITS_OF_OTHERS, interpreter) for name, function in PEERS.items()})
    body = [Target(OURS, 2, BARE), Target(OURS, 15)]
    targets = {
        "leaf_body_ms": body,
        "mid_body_ms": body,
        "hub_body_ms": body,
        "mid_constant_ms": [Target(OURS, 25)],
        "hub_constant_ms": [Target(OURS, 150)] if modules <= 1_000 else [],
    }
    metrics = [Metric(key, label, "ms", BARE, targets.get(key, ())) for key, label in KEYS.items()]
    metrics += [
        Metric("body_p95_ms", "a function body, 95th percentile of all three", "ms", BARE, [Target(OURS, 30)]),
        Metric("mid_constant_stale", "left stale by a constant of 50 dependents", "modules", "", [Target(OURS, 0)]),
        Metric("hub_constant_stale", "left stale by a constant that all use", "modules", "", [Target(OURS, 0)]),
        Metric("load_ms", "loading everything, ready to reload", "ms", BARE),
        Metric("rss_mb", "resident memory after loading", "MB", BARE),
        Metric("idle_percent", "processor use while nothing changes", "%", "", [Target(OURS, 0.3)]),
    ]
    return measure(Group(f"{modules:,} modules", sides, metrics, warm_up=False), rounds, plan.say)


def _others(plan: Plan, tree: EditTree, modules: int, interpreter: str) -> list[Result]:
    """The others on a large tree: once, and not for ever."""
    sides = {OURS: _side(tree, "ours", EDITS_OF_MANY)}
    for name, function in PEERS.items():
        sides[name] = _limited(_side(tree, function, EDITS_OF_MANY, interpreter, LIMIT))
    metrics = [Metric(key, label, "ms", OURS) for key, label in KEYS.items()]
    metrics += [Metric("hub_constant_stale", "left stale by a constant that all use", "modules")]
    return measure(Group(f"{modules:,} modules, others", sides, metrics, warm_up=False), 1, plan.say)


def _side(tree: EditTree, function: str, edits: int, interpreter: str = "", limit: float = 1800) -> Start:
    where: dict[str, Any] = {"base": tree.base, "names": tree.names, "edits": edits}
    return python(f"reloaders.{function}", interpreter=interpreter, limit=limit, **where)


def _limited(start: Start) -> Start:
    """A contender that may fail, or take too long: that is said in place of each figure."""

    def limited() -> Figures:
        try:
            return start()
        except subprocess.TimeoutExpired:
            reason = f"not done after {LIMIT} s"
        except ContenderFailed as error:
            reason = f"failed: {str(error).strip().splitlines()[-1][:80]}"
        return {f"{key}_remark": reason for key in KEYS}

    return limited


def _tracking(plan: Plan) -> list[Result]:
    """What it costs to keep records, on the tree that loading is measured on: its modules are as large as real ones."""
    modules = plan.edited[-1]
    tree = plan.tree(modules)
    sides = {
        name: python("reloaders.tracking", root=tree.root, names=tree.names, reloading=number)
        for number, name in enumerate(("eager_load()", "eager_load() with reloading on"))
    }
    base, with_it = sides
    metrics = [
        Metric("load_ms", "time of loading", "ms", base, [Target(with_it, 1.10, base)]),
        Metric("cpu_ms", "processor time of that", "ms", base),
        Metric("load_mb", "resident memory after loading", "MB", base, [Target(with_it, 1.15, base)]),
        Metric(
            "settled_mb",
            "resident memory once everything has been looked at",
            "MB",
            base,
            [Target(with_it, 1.15, base)],
        ),
    ]
    return plan.measure(Group(f"{modules:,} modules, tracking", sides, metrics))


def _many(plan: Plan) -> list[Result]:
    tree = edit_tree(plan.work, min(plan.edited))
    sides = {OURS: python("reloaders.many", base=tree.base, names=tree.names)}
    metrics = [
        Metric("first_reloads_ms", "reload, the first 20 of 200", "ms"),
        Metric("last_reloads_ms", "reload, the last 20 of 200", "ms"),
        Metric("checkout_ms", "up to 1,000 files changed by a git checkout", "ms", "", [Target(OURS, 1000)]),
        Metric("batches", "reloads that these files took", "times", "", [Target(OURS, 1)]),
    ]
    return plan.measure(Group(f"{min(plan.edited):,} modules", sides, metrics, warm_up=False))
