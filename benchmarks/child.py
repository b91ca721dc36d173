"""Runs one contender in this fresh process: ``child.py stock.eager tree=... names=...`` prints its figures as JSON."""

from __future__ import annotations

import os
import sys


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(here)  # not this directory: its files are no top-level modules
    where, _, function = sys.argv[1].rpartition(".")
    arguments: dict[str, object] = {}
    for pair in sys.argv[2:]:
        key, _, value = pair.partition("=")
        arguments[key] = int(value) if value.isdigit() else value
    contender = getattr(__import__(f"benchmarks.opponents.{where}", fromlist=[function]), function)
    figures = contender(**arguments)

    import json  # only now: importing it earlier would load "re" for everybody

    sys.stdout.write("\n" + json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(0)  # tearing down 100,000 modules takes seconds and measures nothing


if __name__ == "__main__":
    main()
