"""Run the core of the suite on several Pythons and systems, and write what came of it into docs/platforms.md.

    python .ci/platforms.py "Linux, CPython 3.12=python3.12" "Windows=ssh windows python"

Each argument is a name, and the command that is Python there, run in the project's directory, with pytest, hypothesis
and this package; after ``--`` the tests that are to be run, if not all of the core: ``"Windows=python -- paths zip"``.
What was not run this time has no row: the page claims nothing that was not run.
"""

from __future__ import annotations

import datetime
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "platforms.md"
BEGIN, END = "<!-- made by nox -s platforms: begin -->\n", "<!-- end -->\n"
# What must be right everywhere: loading, names, paths, threads, bytecode, reloading.
CORE = (
    *("smoke", "parts", "traps", "namespaces", "roots", "paths", "globs", "ignore", "scanner", "load_file", "push_dir"),
    *("eager_load", "eager_load_dir", "unload", "symlinks", "unicode", "new_files", "threads", "bytecode", "zip"),
    *("reload_failures", "reload_files", "reload_functions", "reload_classes", "reload_values", "reload_exit"),
    *("serve_handing", "coarse_times", "places"),
)


class Outcome(NamedTuple):
    """What came of one run."""

    python: str
    counts: Counter[str]
    failed: list[str]
    reasons: Counter[str]
    files: int = 0


def run(command: str) -> Outcome:
    """Run the core of the suite with one Python.

    Raises:
        SystemExit: the Python does not run.
    """
    command, _, names = command.partition(" -- ")
    python = shlex.split(command)
    asked = subprocess.run([*python, "-c", VERSION], cwd=PROJECT, capture_output=True, text=True)
    if asked.returncode:
        raise SystemExit(f"{command} does not run here: {asked.stderr.strip()[-300:]}")
    report = PROJECT / f".pytest_platform_{abs(hash(command))}.xml"
    files = [
        f"tests/test_{name}.py" for name in names.split() or CORE if (PROJECT / "tests" / f"test_{name}.py").exists()
    ]
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report.name}", *shlex.split(os.environ.get("PYTEST", ""))]
    subprocess.run([*python, "-m", "pytest", *options, *files], cwd=PROJECT)
    try:
        return read(asked.stdout.strip(), report)._replace(files=len(files))
    finally:
        report.unlink(missing_ok=True)


VERSION = (
    "import platform, sys; free = not getattr(sys, '_is_gil_enabled', lambda: True)(); "
    "print(platform.python_implementation(), platform.python_version() + (' without a GIL' if free else ''))"
)


def read(python: str, report: Path) -> Outcome:
    """What a report of pytest says."""
    counts: Counter[str] = Counter()
    failed, reasons = [], Counter[str]()
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag: child for child in case}
        kind = next((kind for kind in ("failure", "error", "skipped") if kind in kinds), "passed")
        counts["failed" if kind in ("failure", "error") else kind] += 1
        if kind == "skipped":
            reasons[(kinds[kind].get("message") or "").removeprefix("Skipped: ")] += 1
        elif kind != "passed":
            failed.append(f"{case.get('classname', '').removeprefix('tests.')}::{case.get('name')}")
    return Outcome(python, counts, failed, reasons)


def table(outcomes: dict[str, Outcome]) -> str:
    """The page's part that is made."""
    lines = ["| where | Python | test files | passed | failed | skipped |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    details: list[str] = []
    for name, outcome in outcomes.items():
        counts = outcome.counts
        shown = f"{counts['passed']:,} | {counts['failed']} | {counts['skipped']}"
        lines.append(f"| {name} | {outcome.python} | {outcome.files} | {shown} |")
        if outcome.failed or outcome.reasons:
            details += [f"\n### {name}\n"]
            details += [f"- failed: `{each}`" for each in outcome.failed]
            details += [f"- skipped, {count}: {reason}" for reason, count in outcome.reasons.most_common()]
    today = datetime.date.today().isoformat()
    return "\n".join([f"Run on {today}.\n", *lines, *details]) + "\n"


def main(arguments: list[str]) -> None:
    """Run and write."""
    given = dict(argument.split("=", 1) for argument in arguments)
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = dict(zip(given, pool.map(run, given.values()), strict=True))
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table(outcomes)}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
