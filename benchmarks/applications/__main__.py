"""``python -m benchmarks.applications NAME=DIRECTORY...``: the figures, a table in Markdown."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from statistics import median

from benchmarks.applications.recipes import RECIPES
from benchmarks.applications.replay import Outcome, replay

HOW = {"exact": "exact", "anew": "anew", "restarted": "restarted", "saved": "template", "failed": "wrong, and told"}
COLUMNS = ("application", "edits", *HOW.values(), "stale", "refused", "median")


def row(name: str, outcomes: list[Outcome]) -> tuple[str, ...]:
    """The figures of one application."""
    how = Counter(outcome.how for outcome in outcomes)
    stale = sum(bool(outcome.stale) for outcome in outcomes)
    refused = sum(outcome.refused for outcome in outcomes)
    counts = [len(outcomes), *(how[word] for word in HOW), stale, refused]
    return name, *map(str, counts), f"{median(each.seconds for each in outcomes):.2f} s"


def main(arguments: list[str]) -> int:
    """Replay each; the exit code says whether any answer was old."""
    rows, is_stale = [], False
    for argument in arguments:
        name, _, directory = argument.partition("=")
        if name not in RECIPES or not directory:
            print(f"{argument}: write NAME=DIRECTORY, with one of {', '.join(RECIPES)}", file=sys.stderr)
            return 2
        print(name, flush=True)
        outcomes = replay(RECIPES[name], Path(directory).absolute())
        is_stale = is_stale or any(outcome.stale or outcome.refused for outcome in outcomes)
        rows.append(row(name, outcomes))
    print()
    for line in (COLUMNS, tuple("---" for _ in COLUMNS), *rows):
        print("| " + " | ".join(line) + " |")
    return int(is_stale)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
