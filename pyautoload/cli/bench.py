"""``pyautoload bench``: your own tree, imported by Python alone and with PyAutoload, in fresh processes."""

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

import click

from pyautoload.cli._output import as_json, json_option
from pyautoload.cli._project import Project, project_options

# What each process does: set the path, do the one thing, print seconds and what came of it.
_PROGRAM = """
import json, pickle, sys, time
with open(sys.argv[1], "rb") as opened:
    work = pickle.load(opened)
sys.path[:] = work["path"]
from pyautoload.cli import _contestants
began = time.perf_counter()
result = getattr(_contestants, work["contestant"])(work)
print(json.dumps({"seconds": time.perf_counter() - began - result.pop("aside", 0), **result}))
sys.stdout.flush()
import os
os._exit(0)
"""


class Measured(NamedTuple):
    """The runs of one contestant."""

    name: str
    title: str
    seconds: list[float]
    loaded: int
    failures: int
    example: str

    @property
    def median(self) -> float:
        """The time that counts."""
        return statistics.median(self.seconds)


_TITLES = {
    "stock": "import of every module, without PyAutoload",
    "lazy": "setup()",
    "one_by_one": "setup(), import of every module",
    "lazily": "the same with lazy imports",
    "eager": "setup(), eager_load()",
}


@click.command()
@project_options
@click.option(
    "--runs", default=5, show_default=True, type=click.IntRange(min=1), help="How many times each variant is measured."
)
@json_option
def command(project: Project, runs: int, json_: bool) -> None:
    """Measure your own tree: what loading it costs with Python alone, and with PyAutoload.

    Each run is a fresh process; variants are interleaved after one warm-up round. Your code runs.
    """
    if project.loader_name is not None:
        raise click.UsageError("bench sets the loader up itself, each time anew: give --root or a configuration")
    from pyautoload.checking.survey import Survey

    loader = project.loader()
    survey = Survey(loader.config, loader.inflector)
    modules = [name for name in survey.files if name.rpartition(".")[2] != "__main__"]
    search = [project.directory, *(_above(root.path, root.namespace) for root in loader.config.roots.values())]
    work = {
        "config": survey.config,
        "inflector": loader.inflector,
        "modules": modules,
        "path": [*dict.fromkeys(search), *map(os.path.abspath, sys.path)],
    }
    runs_of: dict[str, list[dict[str, Any]]] = {name: [] for name in _TITLES}
    with tempfile.TemporaryDirectory(prefix="pyautoload-") as directory:
        for number in range(runs + 1):
            for name in _TITLES:
                found = _run({**work, "contestant": name}, directory)
                if number:
                    runs_of[name].append(found)
    measured = [_measured(name, found) for name, found in runs_of.items()]
    if json_:
        as_json({"modules": len(modules), "python": sys.version.split()[0], "runs": [_as_dict(m) for m in measured]})
        return
    _show(measured, len(modules))


def _above(path: str, namespace: str) -> str:
    """The directory that has to be on ``sys.path`` so that Python finds a root by itself."""
    for _part in namespace.split(".") if namespace else ():
        path = os.path.dirname(path)
    return path


def _run(work: dict[str, Any], directory: str) -> dict[str, Any]:
    file = os.path.join(directory, "work")
    with open(file, "wb") as opened:
        pickle.dump(work, opened)
    # Bytecode is written in the first round, as in any installation.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment["PYTHONPATH"] = os.pathsep.join([package, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, file],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        text=True,
    )
    lines = done.stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1])
    except (IndexError, ValueError):
        tail = "\n".join(done.stderr.strip().splitlines()[-3:])
        raise click.ClickException(
            f"the process for {work['contestant']} ended with {done.returncode}:\n{tail}"
        ) from None
    assert isinstance(found, dict)
    return found


def _measured(name: str, runs: list[dict[str, Any]]) -> Measured:
    last = runs[-1]
    seconds = [run["seconds"] for run in runs]
    return Measured(name, _TITLES[name], seconds, last["loaded"], last["failures"], last["example"])


def _as_dict(measured: Measured) -> dict[str, Any]:
    return {**measured._asdict(), "median": measured.median}


def _show(measured: list[Measured], modules: int) -> None:
    by_name = {each.name: each for each in measured}
    stock = by_name["stock"]
    # A tree that relies on autoloading cannot be imported by Python alone.
    base = stock if not stock.failures else by_name["one_by_one"]
    click.echo(
        f"{modules} modules, Python {sys.version.split()[0]}, median of {len(stock.seconds)} runs (spread), in ms\n"
    )
    for each in measured:
        spread = f"({min(each.seconds) * 1000:.1f} to {max(each.seconds) * 1000:.1f})"
        ratio = f"{each.median / base.median:7.3f}×" if each is not stock or not stock.failures else "       -"
        click.echo(f"{each.title:44} {each.median * 1000:9.1f}  {spread:22} {ratio}  {each.loaded} loaded")
    if stock.failures:
        click.echo(
            f"\nWithout PyAutoload {stock.failures} of {modules} modules cannot be imported ({stock.example}): "
            f"they use names that are autoloaded.\n"
            f"So that time is not comparable, and the ratios are to the line with 1.000×."
        )
    others = [each for each in measured if each is not stock and each.failures]
    for each in others:
        verb = "module fails" if each.failures == 1 else "modules fail"
        click.echo(f"{each.title}: {each.failures} {verb} ({each.example}); see `pyautoload check`")
