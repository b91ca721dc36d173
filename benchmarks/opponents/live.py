"""Edits of a loaded code base: a file is written, and the clock runs until the process serves what it says now."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.opponents.stopwatch import rss_mb

TOP = "liveapp"
DIRECT = 10  # modules that use ``mid`` at import time
DEPENDENTS = 50  # those, and the ones that use what those have made of it
PAUSE = 0.15  # seconds between two edits
SETTLE = 2.0  # seconds between loading and the first edit
POLL = 0.0005

_SOURCES = {
    "hub": '"""What all use."""\n\nLIMIT = {constant}\n\n\ndef scaled(value):\n    return value * {body}\n',
    "mid": (
        '"""What fifty use."""\n\nfrom liveapp.core.hub import LIMIT\n\nRATE = {constant}\n\n\n'
        "def rated(value):\n    return value + {body}\n"
    ),
    "leaf": (
        '"""What nobody uses."""\n\nfrom liveapp.core.hub import LIMIT\n\nFACTOR = {constant}\n\n\n'
        "def leafed(value):\n    return value - {body}\n"
    ),
}


def source_of(stem: str, constant: int, body: int) -> str:
    """The text of one of the three modules that are edited, with these two numbers in it.

    The text ends in a comment of varying length: a saved file of the same size in the same second would make those fail
    who go by time and size, and that is another matter than speed.
    """
    return _SOURCES[stem].format(constant=constant, body=body) + f"\n# {'.' * (body * 7 + constant * 3)}\n"


class Case(NamedTuple):
    """One kind of edit.

    Attributes:
        key: of the figures.
        stem: the module that is edited.
        constant: whether its constant is edited, else the body of its function.
        times: how often, at most.
        patience: seconds after which it is said to be never live, and two more for each thousand modules that follow.
    """

    key: str
    stem: str
    constant: bool
    times: int
    patience: float


CASES = (
    Case("leaf_body", "leaf", False, 20, 3),
    Case("mid_body", "mid", False, 20, 3),
    Case("hub_body", "hub", False, 20, 8),
    Case("mid_constant", "mid", True, 20, 3),
    Case("hub_constant", "hub", True, 5, 8),
)


class Session:
    """A loaded tree and what keeps it up to date.

    Args:
        base: the directory of the tree.
        tick: what has to be called for changes to be looked for; nothing where a watcher does that.
        alone: judge the edited module only, not those that hold what it defines.
    """

    def __init__(self, base: str, tick: Callable[[], object] | None = None, *, alone: bool = False) -> None:
        self.core = os.path.join(base, TOP, "core")
        self.tick = tick
        self.alone = alone
        self.values = {"hub": [1, 1], "mid": [1, 1], "leaf": [1, 1]}
        self.parts = sorted(name for name in sys.modules if ".part_" in name)

    def measured(self, edits: int) -> dict[str, Any]:
        """All cases, at most ``edits`` edits each: median and 95th percentile in ms, or how many modules stay stale."""
        figures: dict[str, Any] = {"rss_mb": rss_mb()}
        time.sleep(SETTLE)
        figures["settled_mb"] = rss_mb()
        figures["first_reload_ms"] = self._edit(CASES[0])
        bodies: list[float] = []
        for case in CASES:
            times = self._times(case, min(edits, case.times), figures)
            figures[f"{case.key}_ms"] = _percentile(times, 0.5)
            if not case.constant:
                bodies += times
        figures["body_p95_ms"] = _percentile(bodies, 0.95)
        figures["idle_percent"] = _idle()
        return figures

    def _times(self, case: Case, edits: int, figures: dict[str, Any]) -> list[float]:
        times: list[float] = []
        for _ in range(edits):
            took = self._edit(case)
            checks = self._checks(case, everybody=True)
            figures[f"{case.key}_stale"] = stale = sum(not check.holds() for check in checks)
            if took is None:
                figures[f"{case.key}_ms_remark"] = f"never live: {stale} of {len(checks)} modules stale"
                return []
            times.append(took)
        return times

    def _edit(self, case: Case) -> float | None:
        """One edit; how long it took in ms until nothing was stale."""
        time.sleep(PAUSE)
        self.values[case.stem][0 if case.constant else 1] += 1
        text = source_of(case.stem, *self.values[case.stem])
        checks = self._checks(case)
        patience = case.patience + len(checks) // 1000 * 2
        start = time.perf_counter()
        with open(os.path.join(self.core, f"{case.stem}.py"), "w", encoding="utf-8") as file:
            file.write(text)
        at = 0
        while True:
            if self.tick is not None:
                self.tick()
            # From where it was stale last: asking all of them each time would take the time that is measured.
            while at < len(checks) and checks[at].holds():
                at += 1
            now = time.perf_counter()
            if at == len(checks):
                if all(check.holds() for check in checks):
                    return (now - start) * 1000
                at = 0  # some were live and are not any more
            if now - start > patience:
                return None
            time.sleep(POLL)

    def _checks(self, case: Case, *, everybody: bool = False) -> list[Check]:
        """What has to hold when the edit is live in the modules that are judged, or in all that should show it."""
        alone = self.alone and not everybody
        return self._constant_checks(case.stem, alone) if case.constant else self._body_checks(case.stem, alone)

    def _body_checks(self, stem: str, alone: bool) -> list[Check]:
        body = self.values[stem][1]
        function, wanted = {"hub": ("scaled", body), "mid": ("rated", 1 + body), "leaf": ("leafed", 1 - body)}[stem]
        holders = [f"{TOP}.core.{stem}"]
        if not alone:
            holders += {"hub": self.parts, "mid": self.parts[:DIRECT], "leaf": []}[stem]
        return [Check(name, function, wanted, called=True) for name in holders]

    def _constant_checks(self, stem: str, alone: bool) -> list[Check]:
        value = self.values[stem][0]
        constant = {"hub": "LIMIT", "mid": "RATE"}[stem]
        wanted = [(f"{TOP}.core.{stem}", constant, value)]
        if not alone and stem == "hub":
            wanted += [(name, "SIZE", value + number) for number, name in enumerate(self.parts)]
        if not alone and stem == "mid":
            wanted += [(name, "DERIVED", value * 2) for name in self.parts[:DIRECT]]
            wanted += [(name, "DERIVED", value * 2 + 1) for name in self.parts[DIRECT:DEPENDENTS]]
        return [Check(name, attribute, value) for name, attribute, value in wanted]


class Check:
    """What a module has to show: a value, or what a function returns for 1."""

    __slots__ = ("attribute", "called", "module", "wanted")

    def __init__(self, module: str, attribute: str, wanted: int, *, called: bool = False) -> None:
        self.module = module
        self.attribute = attribute
        self.wanted = wanted
        self.called = called

    def holds(self) -> bool:
        value = getattr(sys.modules[self.module], self.attribute, None)
        if self.called and value is not None:
            value = value(1)
        return bool(value == self.wanted)


def _percentile(times: list[float], share: float) -> float | None:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] if times else None


def restore(base: str) -> None:
    """The three modules as the tree was made."""
    for stem in _SOURCES:
        with open(os.path.join(base, TOP, "core", f"{stem}.py"), "w", encoding="utf-8") as file:
            file.write(source_of(stem, 1, 1))


def _idle() -> float:
    """What the process uses of one core while nothing changes, in percent."""
    time.sleep(SETTLE)  # what a reload leaves to be done later is no idling
    before, start = time.process_time(), time.perf_counter()
    time.sleep(2)
    return 100 * (time.process_time() - before) / (time.perf_counter() - start)
