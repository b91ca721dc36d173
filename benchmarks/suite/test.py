"""Save → outcome of the affected tests: 5,000 tests over 1,000 modules, SQLAlchemy loaded.

A function is edited that ten tests run. `pyautoload test` is timed from the save to the end of its run; the others from
the start of the command to its end, as if somebody started it at the moment of the save: pytest on the file with these
ten, `pytest --lf` where these failed before, and pytest-testmon, on all files. What pytest-watcher waits before it
starts one of them comes on top.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import ContenderFailed, Figures, Missing, environment

TESTS_EACH = 10
PATIENCE = 900.0  # seconds
OURS, NAMED, LAST_FAILED, TESTMON = "pyautoload test", "pytest FILE", "pytest --lf", "pytest --testmon"
MODULE = """
from app import base
{imports}


def value{number}(n):
    return base.check(n + {number})


def other(n):
    return n * {number}
"""
TEST = """
import pytest
from app import module{number}


@pytest.mark.parametrize("n", range({count}))
def test_value(n):
    assert module{number}.value{number}(n) == n + {number}
"""


def run(plan: Plan) -> list[Result]:
    if importlib.util.find_spec("sqlalchemy") is None:
        raise Missing("sqlalchemy is not installed: pip install 'pyautoload[blog]'")
    modules = 1_000 if plan.usual > 1_000 else 100
    tests = modules // 2
    # Of their own: one that watches would answer the edits of the others, too.
    mine, theirs = (_project(plan.work / f"tests_{name}", modules, tests) for name in ("watched", "cold"))
    edited = tests // 2
    numbers = itertools.count()

    def edit(base: Path, *, failing: bool = False) -> None:
        text = _module(edited)
        if failing:
            text = text.replace(f"n + {edited}", f"n + {edited} + 1")
        path = base / "app" / f"module{edited}.py"
        beside = path.with_name(".beside")
        number = next(numbers)  # Python does not fold this: the function is another one each time
        beside.write_text(text.replace("base.check(n", f"base.check(n + {number} - {number}"))
        beside.replace(path)  # at once: half of it would be another edit

    plan.say("the first run of everything, recorded by each")
    watching = _Watching(mine)
    try:
        sides: dict[str, Callable[[], Figures]] = {
            OURS: lambda: watching.answer(lambda: edit(mine), TESTS_EACH),
            NAMED: lambda: _timed(theirs, lambda: edit(theirs), [f"tests/test_{edited}.py"]),
            LAST_FAILED: lambda: _last_failed(theirs, edit, edited),
            TESTMON: lambda: _testmon(theirs, lambda: edit(theirs)),
        }
        rivals = (NAMED, LAST_FAILED, TESTMON)
        targets = [Target(OURS, 150.0), *(Target(OURS, 0.05, rival) for rival in rivals if _is_there(rival))]
        title = f"{TESTS_EACH} of {tests * TESTS_EACH:,} tests, {modules:,} modules"
        metric = Metric("ms", "save → outcome", "ms", baseline=NAMED, targets=targets)
        return plan.measure(Group(title, sides, [metric]))
    finally:
        watching.end()


def _is_there(rival: str) -> bool:
    return rival != TESTMON or importlib.util.find_spec("testmon") is not None


class _Watching:
    """``pyautoload test`` that has run everything and waits for a save."""

    def __init__(self, base: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pyautoload", "test", "--json", "-p", "no:testmon"],
            cwd=base, env=environment(), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._limit = threading.Timer(PATIENCE, self._process.kill)
        self._limit.start()
        self._next_run()
        time.sleep(10)  # the template is made

    def answer(self, edit: Callable[[], None], count: int) -> Figures:
        time.sleep(2.5)  # what was saved a moment ago is looked at more closely
        start = time.perf_counter()
        edit()
        ran = self._next_run()
        took = (time.perf_counter() - start) * 1000
        if ran["passed"] != count:
            raise ContenderFailed(f"{count} tests should have passed: {ran}")
        return {"ms": took}

    def _next_run(self) -> Figures:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: Figures = json.loads(line)
            if event["event"] == "run":
                return event
        raise ContenderFailed("`pyautoload test` has ended")

    def end(self) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.wait()


def _timed(
    base: Path, edit: Callable[[], None], arguments: list[str], *, says: str = f"{TESTS_EACH} passed"
) -> Figures:
    edit()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:pyautoload", *arguments]
    if "--testmon" not in arguments:
        command += ["-p", "no:testmon"]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=base, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    took = (time.perf_counter() - start) * 1000
    if says not in done.stdout:
        raise ContenderFailed(f"{' '.join(arguments)}: {says!r} is not in\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return {"ms": took}


def _last_failed(base: Path, edit: Callable[..., None], edited: int) -> Figures:
    _timed(base, lambda: edit(base, failing=True), [f"tests/test_{edited}.py"], says=f"{TESTS_EACH} failed")
    return _timed(base, lambda: edit(base), ["--lf"])


def _testmon(base: Path, edit: Callable[[], None]) -> Figures:
    if not _is_there(TESTMON):
        raise Missing("testmon is not installed: pip install pytest-testmon")
    if not (base / ".testmondata").exists():
        _timed(base, lambda: None, ["--testmon"], says="passed")
    return _timed(base, edit, ["--testmon"])


def _module(number: int) -> str:
    imports = f"from app import module{number // 10}" if number else ""
    return MODULE.format(number=number, imports=imports)


def _project(base: Path, modules: int, tests: int) -> Path:
    shutil.rmtree(base, ignore_errors=True)
    (base / "app").mkdir(parents=True)
    (base / "tests").mkdir()
    (base / "app" / "__init__.py").write_text("")
    (base / "app" / "base.py").write_text("import sqlalchemy.orm\n\n\ndef check(n):\n    return n\n")
    (base / "pytest.ini").write_text("[pytest]\npythonpath = .\ntestpaths = tests\n")
    for number in range(modules):
        (base / "app" / f"module{number}.py").write_text(_module(number))
    for number in range(tests):
        (base / "tests" / f"test_{number}.py").write_text(TEST.format(number=number, count=TESTS_EACH))
    return base
