"""Results as tables in the terminal."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
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


def groups(results: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Results of one compact group together, each other one alone; a result as it stands in the JSON."""
    together = groupby(enumerate(results), lambda at: at[1]["title"] if at[1].get("compact") else at[0])
    return [[result for _, result in found] for _, found in together]


def matrix(results: list[dict[str, Any]]) -> list[list[str]]:
    """A compact group: the contenders as heading, then each metric with the median, the extremes and the ratio."""
    most = max(results, key=lambda result: len(result["sides"]))  # in the order of the group, the others after them
    remarked = (name for result in results for name in [*result["sides"], *result["remarks"]])
    names = list(dict.fromkeys([*most["sides"], *remarked]))
    return [["", *names], *([f"{r['metric']}, {r['unit']}", *(_cell(r, name) for name in names)] for r in results)]


def matrix_title(results: list[dict[str, Any]]) -> str:
    baseline = next((result["baseline"] for result in results if result["baseline"]), "")
    against = f"; ratio to {baseline}" if baseline else ""
    return f"{results[0]['title']}: median (extremes){against}; {results[0]['rounds']} rounds"


def _cell(result: dict[str, Any], name: str) -> str:
    told = []
    if side := result["sides"].get(name):
        spread = "" if side["min"] == side["max"] else f" ({_count(side['min'])} to {_count(side['max'])})"
        told.append(_count(side["median"]) + spread)
        if "ratio" in side:
            told.append(ratio(side["ratio"]))
    told += [found[name] for found in (result["remarks"], result["words"]) if name in found]
    return "; ".join(told)


def _count(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else number(value)


def _shown_matrix(results: list[dict[str, Any]]) -> Table:
    heading, *rows = matrix(results)
    table = Table(title=matrix_title(results))
    for name in heading:
        table.add_column(name)
    for row in rows:
        table.add_row(*row)
    return table


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
    if target["measured"] is None:
        return f"{outcome}: {target['side']} has no figure"
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
    for group in groups([asdict(result) for result in results]):
        if group[0]["compact"]:
            console.print(_shown_matrix(group))
    for result in results:
        if not result.compact:
            console.print(shown(result))
        for target in result.targets:
            metric = f"{result.title}, {result.metric}: " if result.compact else ""
            style = "green" if target["reached"] else "bold red"
            console.print(f"{metric}{verdict(target, result.unit)}", style=style, markup=False)
        for name, note in result.notes.items():
            told = ", ".join(f"{key} {number(v) if isinstance(v, (int, float)) else v}" for key, v in note.items())
            console.print(f"  {name}: {told}", style="dim", markup=False, highlight=False)
        for name, reason in result.skipped.items():
            console.print(f"  {name} skipped: {reason}", style="dim", markup=False)
