"""Start of real programs with lazy imports, without a change to them, against plain Python.

Each program is installed into an environment of its own, and runs to its end in a fresh process, with `--version` or
the like. With lazy imports its own packages are managed by a loader: what they import waits, whatever it is. The time
includes the import of PyAutoload and the set-up of the loader. On Python 3.15 the interpreter's own laziness is
measured beside it, which is for every module of the process.
"""

from __future__ import annotations

import os
import sys

from benchmarks.environments import program
from benchmarks.measure import Group, Metric, Result
from benchmarks.plan import Plan
from benchmarks.process import Missing, python

# Requirement → the packages that import lazily, what is called, with which arguments.
PROGRAMS = {
    "mkdocs": ("mkdocs", "mkdocs.__main__:cli", "--version"),
    "scrapy": ("scrapy", "scrapy.cmdline:execute", "version"),
    "ansible-core": ("ansible", "ansible.cli.adhoc:main", "--version"),
    "litellm": ("litellm", "litellm", ""),
    "dagster": ("dagster", "dagster._cli:main", "--version"),
}


def run(plan: Plan) -> list[Result]:
    if not plan.real:
        return []
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network for prices
    return [result for name in PROGRAMS for result in _program(plan, name)]


def _program(plan: Plan, name: str) -> list[Result]:
    packages, entry, arguments = PROGRAMS[name]
    try:
        interpreter = program(plan.work, name)
    except Missing as missing:
        plan.say(str(missing))
        return []
    ways = {"plain Python": "plain", "lazy imports": "lazy"}
    if sys.version_info >= (3, 15):
        ways["-X lazy_imports=all"] = "native"
    sides = {
        title: python(f"programs.{side}", interpreter=interpreter, packages=packages, entry=entry, arguments=arguments)
        for title, side in ways.items()
    }
    metrics = [
        Metric("ms", "from the first import to the end", "ms", baseline="plain Python"),
        Metric("cpu_ms", "processor time of that", "ms", baseline="plain Python"),
        Metric("modules", "modules loaded", "", baseline="plain Python"),
    ]
    return plan.measure(Group(f"{name} {arguments}".strip(), sides, metrics))
