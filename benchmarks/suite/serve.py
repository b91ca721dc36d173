"""Development servers: from an edit to the first response with the new code, over HTTP, and what breaks meanwhile.

The same application for each server of a framework: three views, and a code base of which all is imported. A file is
written in place, and a client asks with a new connection each time, every three milliseconds, until a response is of
the new code; another client asks for another page every ten milliseconds: its longest wait is the stall. "intervals"
is a server as it is installed alone, which looks at the times of all files again and again; without that word it has
what its manual advises to install (watchfiles, or watchdog 6: with watchdog 7, werkzeug 3.1 sees no edit).

Where a process goes on, a request of two seconds either sees an edit in its midst, or the edit waits until it has
ended: PyAutoload waits, and answers others with the old code meanwhile.

A scenario that breaks something begins with a server of its own.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from benchmarks.measure import Group, Metric, Result, Target, measure
from benchmarks.plan import Plan
from benchmarks.serving import session
from benchmarks.serving.contenders import CONTENDERS, OURS, UVICORN, start
from benchmarks.serving.session import Scenario
from benchmarks.serving.site import site

NAMES = {"fastapi": "FastAPI", "flask": "Flask", "django": "Django"}
# What the others are compared with: uvicorn in the best way, the others as one has them.
BASELINES = {"fastapi": UVICORN, "flask": "flask run --debug", "django": "runserver, intervals"}


@dataclass(frozen=True)
class Effort:
    """How much is done to each server: edits of a kind, tries of what may go wrong, edits under load."""

    edits: int
    trials: int
    loaded: int
    rounds: int


def run(plan: Plan) -> Iterator[Result]:
    modules = plan.edited[0]
    # An edit takes a second with most of them, and there are many in a round: fewer rounds do.
    effort = Effort(7, 1, 20, max(plan.rounds // 5, 1)) if plan.rounds > 3 else Effort(2, 1, 5, 1)
    with _ended_like_interrupted():
        for framework in CONTENDERS:
            yield from _timed(plan, framework, modules, effort)
        for framework in CONTENDERS:
            yield from _harmed(plan, framework, modules, effort)


def _timed(plan: Plan, framework: str, modules: int, effort: Effort) -> list[Result]:
    baseline = BASELINES[framework]
    count = f"{effort.edits} edits"
    soon = [Target(OURS, 30), Target(OURS, 0.05, UVICORN)]
    none = [Target(OURS, 0)]
    metrics = [
        Metric("view_ms", f"a view, median of {count}", "ms", baseline, soon),
        Metric("view_p95_ms", f"a view, 95th percentile of {count}", "ms", baseline),
        Metric("body_ms", f"a function that ten modules use, median of {count}", "ms", baseline, soon),
        Metric("body_p95_ms", f"a function that ten modules use, 95th percentile of {count}", "ms", baseline),
        Metric("constant_ms", f"a constant, 50 dependents, median of {count}", "ms", baseline, soon),
        Metric("stall_ms", "longest wait of another request during these edits", "ms", baseline, [Target(OURS, 20)]),
        Metric("usual_longest_ms", f"its longest wait in {effort.edits} s without an edit", "ms"),
        Metric("refused", "requests refused, reset or failed meanwhile", "requests", "", none, words="refused_told"),
        Metric("mixed", "responses that mix two versions", "responses", "", none),
        Metric("start_ms", "start to the first response", "ms", baseline),
        Metric("rss_mb", "resident memory of all its processes", "MB", baseline),
        Metric("pss_mb", "proportional memory of all its processes", "MB", baseline),
        Metric("idle_percent", "processor use while nothing changes", "%", "", [Target(OURS, 0.3)]),
    ]
    return _measured(plan, framework, modules, "", effort.rounds, [session.edits(effort.edits)], metrics)


def _harmed(plan: Plan, framework: str, modules: int, effort: Effort) -> list[Result]:
    baseline = BASELINES[framework]
    none = [Target(OURS, 0)]
    trials = effort.trials
    scenarios = [
        session.in_flight(trials),
        session.load(effort.loaded),
        session.broken(trials),
        session.same_second(trials),
        session.deleted(trials),
    ]
    metrics = [
        Metric("flight_lost", f"requests of 2 s lost, of {trials}", "requests", "", none, words="flight_told"),
        Metric("flight_two", f"requests of 2 s that saw two versions, of {trials}", "requests", "", none),
        Metric("flight_new_ms", "an edit while such a request runs", "ms", baseline),
        Metric("flight_stall_ms", "longest wait of another request meanwhile", "ms", baseline, [Target(OURS, 20)]),
        Metric("load_failed", f"failed, 200 a second, {effort.loaded} edits", "requests", "", none, words="load_told"),
        Metric("load_mixed", "responses that mix two versions, then", "responses", "", none),
        Metric("load_ms", "an edit, then", "ms", baseline),
        Metric("load_longest_ms", "longest wait of a request, then", "ms", baseline),
        Metric("broken_ms", "the fix of a syntax error", "ms", baseline, words="broken_meanwhile"),
        Metric("stale", f"second saves of the same size within a second never served, of {trials}", "saves", "", none),
        Metric("deleted_ms", "a deleted file made again", "ms", baseline, words="deleted_meanwhile"),
    ]
    return _measured(plan, framework, modules, ", what may go wrong", 1, scenarios, metrics)


def _measured(
    plan: Plan,
    framework: str,
    modules: int,
    what: str,
    rounds: int,
    scenarios: list[Scenario],
    metrics: list[Metric],
) -> list[Result]:
    served = site(plan.work, modules, framework)
    sides = {
        found.name: start(found, served, plan.work, scenarios)
        for found in CONTENDERS[framework]
        if plan.rounds > 3 or not found.extra
    }
    group = Group(f"{NAMES[framework]}, {modules:,} modules{what}", sides, metrics, warm_up=False, compact=True)
    return measure(group, rounds, plan.say)


@contextmanager
def _ended_like_interrupted() -> Iterator[None]:
    """A request to end is an exception, as Ctrl-C is, so that no server is left behind."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
