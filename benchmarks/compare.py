"""Two runs side by side, as a Markdown table: ``python -m benchmarks.compare OLD.json NEW.json``.

Runs of one machine only: the change of each figure, and which of them lie outside of the spread of both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.table import number, ratio

# So much may be chance: a shared machine is never at rest.
NOISE = 0.05


def main(old: str, new: str) -> None:
    """Print the table."""
    print("| benchmark | contender | before | now | ratio | |\n| --- | --- | ---: | ---: | ---: | --- |")
    for row in rows(results.read(Path(old)), results.read(Path(new))):
        print(f"| {' | '.join(row)} |")


def rows(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each figure that both runs have."""
    before = dict(_figures(old))
    for key, figure in _figures(new):
        was = before.get(key)
        if was is None or not was["median"]:
            continue
        change = figure["median"] / was["median"]
        apart = figure["min"] > was["max"] or figure["max"] < was["min"]
        verdict = ("slower" if change > 1 else "faster") if apart and abs(change - 1) > NOISE else ""
        name, title, metric, cache, side = key
        case = f"{name}: {metric}, {title}, {cache} page cache"
        yield case, side, number(was["median"]), number(figure["median"]), ratio(change), verdict


def _figures(content: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for name, found in content["benchmarks"].items():
        for result in found["results"]:
            for side, figure in result["sides"].items():
                yield (name, result["title"], result["metric"], result["page_cache"], side), figure


if __name__ == "__main__":
    main(*sys.argv[1:])
