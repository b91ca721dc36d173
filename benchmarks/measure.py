"""Rounds of contenders in alternation, and what is told of them: median, spread and ratio."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.process import Figures, Missing, Start

Say = Callable[[str], None]


class NotLoaded(RuntimeError):
    """A contender did not do the work that it was timed for."""


@dataclass(frozen=True)
class Target:
    """A figure to reach: ``side`` takes at most ``limit`` times what ``against`` takes, or ``limit`` units outright.

    With ``ratio=False`` and ``against`` the difference between the two is limited.
    """

    side: str
    limit: float
    against: str = ""
    ratio: bool = True


@dataclass(frozen=True)
class Metric:
    """One figure of a contender: ``key`` in what it returns, and the side that the others are compared with.

    ``words`` is the key of what the contender says beside it.
    """

    key: str
    label: str
    unit: str
    baseline: str = ""
    targets: Sequence[Target] = ()
    words: str = ""


@dataclass
class Group:
    """Contenders that are measured in alternation, under one title.

    Attributes:
        sides: name of the contender → what starts it.
        expect: figure → the value every contender that reports it must return, ``{"loaded": 10000}``.
        before: is called ahead of every process, to empty the page cache.
        compact: shown as one table, a row for each metric and a column for each contender.
    """

    title: str
    sides: dict[str, Start]
    metrics: Sequence[Metric]
    expect: dict[str, Any] = field(default_factory=dict)
    before: Callable[[], object] | None = None
    compact: bool = False
    page_cache: str = "warm"
    warm_up: bool = True


@dataclass
class Result:
    """The figures of one metric of one group, ready for the table and for JSON."""

    title: str
    metric: str
    unit: str
    baseline: str
    page_cache: str
    rounds: int
    load: tuple[float, float]
    sides: dict[str, dict[str, Any]]
    targets: list[dict[str, Any]]
    skipped: dict[str, str]
    # Contender → why it has no figure here. Example: {"hmr": "never live: 874 of 999 modules stale"}
    remarks: dict[str, str]
    # Contender → what it said beside the metrics; with the first metric of a group only.
    notes: dict[str, Any] = field(default_factory=dict)
    # Contender → what it said beside its figure. Example: {"runserver": "refused meanwhile"}
    words: dict[str, str] = field(default_factory=dict)
    # Whether all metrics of the group stand in one table, a column for each contender.
    compact: bool = False


def measure(group: Group, rounds: int, say: Say) -> list[Result]:
    """Run every contender of ``group`` ``rounds`` times, each time in a fresh process, in alternation."""
    load_before = os.getloadavg()[0]
    runs: dict[str, list[Figures]] = {}
    skipped: dict[str, str] = {}
    for name, start in group.sides.items():
        say(f"{group.title}: {name}, warm-up")
        try:
            figures = start() if group.warm_up else {}
        except Missing as reason:
            skipped[name] = str(reason)
            say(f"skipped: {reason}")
            continue
        _check(group, name, figures)
        runs[name] = []
    for number in range(rounds):
        order = list(runs)[:: -1 if number % 2 else 1]  # turned round each time: nobody always runs second
        for name in order:
            say(f"{group.title}: {name}, round {number + 1} of {rounds}")
            if group.before:
                group.before()
            figures = group.sides[name]()
            _check(group, name, figures)
            runs[name].append(figures)
    load = (round(load_before, 2), round(os.getloadavg()[0], 2))
    measured = [_result(group, metric, runs, rounds, load, skipped) for metric in group.metrics]
    measured[0].notes = _all_notes(group, runs)
    return measured


def _check(group: Group, name: str, figures: Figures) -> None:
    for key, wanted in group.expect.items():
        if key in figures and figures[key] != wanted:
            raise NotLoaded(f"{group.title}: {name} has {key} = {figures[key]}, {wanted} are needed")


def _result(
    group: Group,
    metric: Metric,
    runs: dict[str, list[Figures]],
    rounds: int,
    load: tuple[float, float],
    skipped: dict[str, str],
) -> Result:
    values = {name: [f[metric.key] for f in found if f.get(metric.key) is not None] for name, found in runs.items()}
    sides = {name: summary(found) for name, found in values.items() if found}
    remarks = {name: remark for name, found in runs.items() if (remark := _remark(found, f"{metric.key}_remark"))}
    for name, side in sides.items():
        side["checked"] = {key: runs[name][-1][key] for key in group.expect if key in runs[name][-1]}
        if metric.baseline in sides and name != metric.baseline:
            side.update(_compared(values[name], values[metric.baseline]))
    return Result(
        title=group.title,
        metric=metric.label,
        unit=metric.unit,
        baseline=metric.baseline if metric.baseline in sides else "",
        page_cache=group.page_cache,
        rounds=rounds,
        load=load,
        sides=sides,
        targets=[judged for target in metric.targets if (judged := _judge(target, sides, remarks))],
        skipped=skipped,
        remarks=remarks,
        words={name: words for name, found in runs.items() if (words := _words(found, metric.words))},
        compact=group.compact,
    )


def _words(found: list[Figures], key: str) -> str:
    """What a contender said in the rounds, each thing once."""
    return " / ".join(dict.fromkeys(str(figures[key]) for figures in found if figures.get(key)))


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Median, extremes and quartiles of ``values``."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return {"median": middle, "min": min(values), "max": max(values), "quartiles": [low, high], "values": list(values)}


def _compared(values: Sequence[float], baseline: Sequence[float]) -> dict[str, Any]:
    """The ratio of the medians, and its range over the rounds, in which the two ran side by side."""
    middle = statistics.median(baseline)
    if not middle:
        return {}
    rounds = [mine / other for mine, other in zip(values, baseline, strict=False) if other]
    return {"ratio": statistics.median(values) / middle, "ratio_range": [min(rounds), max(rounds)]}


def _judge(target: Target, sides: dict[str, dict[str, Any]], remarks: dict[str, str]) -> dict[str, Any] | None:
    """Whether a target is reached; ``None`` where a side took no part. What has a remark has failed in some round."""
    if target.side not in {*sides, *remarks} or (target.against and target.against not in sides):
        return None
    got = sides[target.side]["median"] if target.side in sides else None
    if got is not None and target.against and target.ratio:
        got /= sides[target.against]["median"]
    elif got is not None and target.against:
        got -= sides[target.against]["median"]
    return {
        "side": target.side,
        "against": target.against,
        "kind": "ratio" if target.against and target.ratio else "difference" if target.against else "value",
        "at_most": target.limit,
        "measured": got,
        "reached": got is not None and target.side not in remarks and got <= target.limit,
    }


def _remark(found: list[Figures], key: str) -> str:
    return next((str(figures[key]) for figures in found if key in figures), "")


def _all_notes(group: Group, runs: dict[str, list[Figures]]) -> dict[str, Any]:
    told = {key for metric in group.metrics for key in (metric.key, metric.words)} | set(group.expect)
    notes = {name: _notes(found, told) for name, found in runs.items() if found}
    return {name: note for name, note in notes.items() if note}


def _notes(found: list[Figures], told: set[str]) -> dict[str, Any]:
    """What the contender said beside the metrics: the median of numbers, the last of anything else."""
    notes: dict[str, Any] = {}
    for key in found[0]:
        values = [figures.get(key) for figures in found]
        if key in told or None in values or key.endswith(("_remark", "_all")):
            continue
        numeric = all(isinstance(value, (int, float)) for value in values)
        notes[key] = statistics.median(values) if numeric else values[-1]  # type: ignore[type-var]
    return notes
