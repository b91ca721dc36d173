"""Results as tables in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Result


def number(value: float) -> str:
    """``1339.2`` → ``1,339``, ``0.06213`` → ``0.0621``: three digits that mean something, no more."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(value: float) -> str:
    """``0.234`` → ``0.23×``; very small ones as ``1/820``."""
    return f"1/{1 / value:,.0f}" if 0 < value < 0.02 else f"{value:.2f}×"


def shown(result: Result) -> Table:
    """One metric: a row for each contender."""
    table = Table(title=f"{result.title}: {result.metric}, {result.page_cache} page cache, {result.rounds} rounds")
    table.add_column("contender", no_wrap=True)
    for heading in (f"median {result.unit}", "min to max", "middle half", "ratio"):
        table.add_column(heading, justify="right")
    for name, side in result.sides.items():
        spread = f"{number(side['min'])} to {number(side['max'])}"
        middle = f"{number(side['quartiles'][0])} to {number(side['quartiles'][1])}"
        told = ratio(side["ratio"]) if "ratio" in side else "1" if name == result.baseline else ""
        table.add_row(name, number(side["median"]), spread, middle, told)
    for name, remark in result.remarks.items():
        table.add_row(name, remark, "", "", "")
    for name in result.skipped:
        table.add_row(name, "skipped", "", "", "")
    return table


def verdict(target: dict[str, Any], unit: str) -> str:
    """A target in words: ``reached: eager_load() 0.25× of stock import, at most 0.33×``."""
    outcome = "reached" if target["reached"] else "MISSED"
    if target["kind"] == "ratio":
        return (
            f"{outcome}: {target['side']} takes {ratio(target['measured'])} of {target['against']}, "
            f"at most {ratio(target['at_most'])} is the aim"
        )
    more = f" more than {target['against']}" if target["kind"] == "difference" else ""
    return (
        f"{outcome}: {target['side']} takes {number(target['measured'])} {unit}{more}, "
        f"at most {number(target['at_most'])} {unit} is the aim"
    )


def show(console: Console, title: str, results: list[Result]) -> None:
    console.rule(title)
    for result in results:
        console.print(shown(result))
        for target in result.targets:
            console.print(verdict(target, result.unit), style="green" if target["reached"] else "bold red")
        for name, note in result.notes.items():
            told = ", ".join(f"{key} {number(v) if isinstance(v, (int, float)) else v}" for key, v in note.items())
            console.print(f"  {name}: {told}", style="dim", highlight=False)
        for name, reason in result.skipped.items():
            console.print(f"  {name} skipped: {reason}", style="dim")
