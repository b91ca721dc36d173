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
        key: of the figure.
        stem: the module that is edited.
        constant: whether its constant is edited, else the body of its function.
        patience: seconds after which it is said to be never live.
    """

    key: str
    stem: str
    constant: bool
    patience: float


CASES = (
    Case("leaf_body_ms", "leaf", False, 3),
    Case("mid_body_ms", "mid", False, 3),
    Case("hub_body_ms", "hub", False, 8),
    Case("mid_constant_ms", "mid", True, 3),
    Case("hub_constant_ms", "hub", True, 8),
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
        """All cases, ``edits`` edits each: the median in ms, or a remark where an edit did not become live."""
        figures: dict[str, Any] = {"rss_mb": rss_mb()}
        for case in CASES:
            times: list[float] = []
            for _ in range(edits):
                took = self._edit(case)
                if took is None:
                    stale, of = self._stale(case)
                    figures[f"{case.key}_remark"] = f"never live: {stale} of {of} modules stale"
                    times = []
                    break
                times.append(took)
            figures[case.key] = sorted(times)[len(times) // 2] if times else None
            figures[f"{case.key}_all"] = times
        figures["idle_percent"] = _idle()
        return figures

    def _edit(self, case: Case) -> float | None:
        time.sleep(PAUSE)
        self.values[case.stem][0 if case.constant else 1] += 1
        text = source_of(case.stem, *self.values[case.stem])
        start = time.perf_counter()
        with open(os.path.join(self.core, f"{case.stem}.py"), "w", encoding="utf-8") as file:
            file.write(text)
        while True:
            if self.tick is not None:
                self.tick()
            if self._stale(case, first_only=True)[0] == 0:
                return (time.perf_counter() - start) * 1000
            if time.perf_counter() - start > case.patience:
                return None
            time.sleep(POLL)

    def _stale(self, case: Case, *, first_only: bool = False) -> tuple[int, int]:
        """How many modules do not show the edit yet, of how many that should."""
        checks = self._constant_checks(case.stem) if case.constant else self._body_checks(case.stem)
        stale = 0
        for good in checks:
            if not good():
                stale += 1
                if first_only:
                    break
        return stale, len(checks)

    def _body_checks(self, stem: str) -> list[Callable[[], bool]]:
        body = self.values[stem][1]
        function, wanted = {"hub": ("scaled", body), "mid": ("rated", 1 + body), "leaf": ("leafed", 1 - body)}[stem]
        holders = [f"{TOP}.core.{stem}"]
        if not self.alone:
            holders += {"hub": self.parts, "mid": self.parts[:DIRECT], "leaf": []}[stem]
        return [lambda name=name: getattr(sys.modules[name], function)(1) == wanted for name in holders]  # type: ignore[misc]

    def _constant_checks(self, stem: str) -> list[Callable[[], bool]]:
        value = self.values[stem][0]
        constant = {"hub": "LIMIT", "mid": "RATE"}[stem]
        wanted = [(f"{TOP}.core.{stem}", constant, value)]
        if not self.alone and stem == "hub":
            wanted += [(name, "SIZE", value + number) for number, name in enumerate(self.parts)]
        if not self.alone and stem == "mid":
            wanted += [(name, "DERIVED", value * 2) for name in self.parts[:DIRECT]]
            wanted += [(name, "DERIVED", value * 2 + 1) for name in self.parts[DIRECT:DEPENDENTS]]
        return [lambda n=n, a=a, v=v: getattr(sys.modules[n], a) == v for n, a, v in wanted]  # type: ignore[misc]


def restore(base: str) -> None:
    """The three modules as the tree was made."""
    for stem in _SOURCES:
        with open(os.path.join(base, TOP, "core", f"{stem}.py"), "w", encoding="utf-8") as file:
            file.write(source_of(stem, 1, 1))


def _idle() -> float:
    """What the process uses of one core while nothing changes, in percent."""
    time.sleep(PAUSE)
    before, start = time.process_time(), time.perf_counter()
    time.sleep(2)
    return 100 * (time.process_time() - before) / (time.perf_counter() - start)
