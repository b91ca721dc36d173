# ruff: noqa: E501
"""``pyautoload test``: which tests run after an edit, what is told, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "app/__init__.py": "",
    "app/config.py": "LIMIT = 3\n",
    "app/calc.py": "from app import config\n\ndef total(x):\n    return x + config.LIMIT\n\ndef other():\n    return 1\n",
    "app/names.py": "NAMES = ['a']\n",
    "app/table.py": "from app.names import NAMES\n\nTABLE = {name: 1 for name in NAMES}\n",
    "tests/conftest.py": "import pytest\n\n@pytest.fixture(scope='module')\ndef shared():\n    return 1\n",
    "tests/data.json": "1\n",
    "tests/test_calc.py": (
        "from app.calc import other, total\n\ndef test_total():\n    assert total(1) == 4\n\n"
        "def test_other():\n    assert other() == 1\n"
    ),
    "tests/test_table.py": "from app.table import TABLE\n\ndef test_table():\n    assert TABLE == {'a': 1}\n",
    "tests/test_data.py": (
        "import json, pathlib\n\ndef test_data():\n"
        "    assert json.loads(pathlib.Path(__file__).with_name('data.json').read_text()) == 1\n\n"
        "def test_nothing():\n    pass\n"
    ),
    "tests/test_shared.py": "def test_first(shared):\n    assert shared\n\ndef test_second(shared):\n    assert shared\n",
}
ALL = {
    "calc.py::test_total", "calc.py::test_other", "table.py::test_table", "data.py::test_data", "data.py::test_nothing",
    "shared.py::test_first", "shared.py::test_second",
}  # fmt: skip


class Project:
    """The files above in a directory, and the command in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name, text in FILES.items():
            self.write(name, text)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}

    def write(self, name: str, text: str | None) -> None:
        path = self.directory / name
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # At once, as most editors do: what is seen of a file that is half written is an answer of its own.
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.directory / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def once(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pyautoload", "test", "--once", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def events(self, *arguments: str) -> tuple[list[dict[str, Any]], int]:
        done = self.once("--json", *arguments)
        return [json.loads(line) for line in done.stdout.splitlines()], done.returncode

    def ran(self, *arguments: str) -> tuple[dict[str, str], int]:
        """Test → outcome, by short names, and the exit code."""
        events, code = self.events(*arguments)
        found = {event["id"]: event["outcome"] for event in events if event["event"] == "test"}
        return {name.removeprefix("tests/test_"): outcome for name, outcome in found.items()}, code


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


EDITS: dict[str, tuple[str, str, str, set[str]]] = {
    "a comment": ("app/calc.py", "def other", "# other\ndef other", set()),
    "a function": ("app/calc.py", "return 1", "return 2", {"calc.py::test_other"}),
    "a value": ("app/config.py", "3", "4", {"calc.py::test_total", "calc.py::test_other"}),
    "a list that another module made a table of": ("app/names.py", "['a']", "['b']", {"table.py::test_table"}),
    "a data file": ("tests/data.json", "1", "2", {"data.py::test_data"}),
    "a test": ("tests/test_data.py", "pass", "assert 1 == 2", {"data.py::test_nothing"}),
    "a new test": (
        "tests/test_data.py", "def test_nothing", "def test_new():\n    pass\n\ndef test_nothing",
        {"data.py::test_data", "data.py::test_nothing", "data.py::test_new"},
    ),
    "a shared fixture": ("tests/conftest.py", "return 1", "return 0", {"shared.py::test_first", "shared.py::test_second"}),
    "a new fixture": ("tests/conftest.py", "import pytest\n", "import pytest\nX = 1\n", ALL | {"data.py::test_new"}),
}  # fmt: skip


def test_each_edit_runs_the_tests_that_it_concerns(project: Project) -> None:
    first, code = project.ran()
    assert set(first) == ALL
    assert code == 0
    for what, (name, old, new, expected) in EDITS.items():
        project.replace(name, old, new)
        ran, _ = project.ran()
        assert set(ran) == expected, what
    assert project.ran() == ({}, 1)


def test_files_that_come_and_go(project: Project) -> None:
    project.ran()
    project.write("tests/test_new.py", "def test_new():\n    assert 0\n")
    assert project.ran() == ({"new.py::test_new": "failed"}, 1)
    # It is not run again, and fails still.
    assert project.ran() == ({}, 1)
    project.write("tests/test_new.py", None)
    assert project.ran() == ({}, 0)
    project.write("app/names.py", None)
    ran, code = project.ran("--continue-on-collection-errors")
    assert ran["table.py"] == "error"
    assert code == 1


BROKEN_CONFTESTS = {
    "by itself": {"tests/deep/conftest.py": "raise ValueError\n"},
    "by what it imports": {"tests/deep/conftest.py": "from app import config\nif config.LIMIT > 3:\n    raise ValueError\n",
                           "app/config.py": "LIMIT = 4\n"},
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN_CONFTESTS)
def test_a_directory_whose_conftest_fails_has_no_tests_until_it_is_mended(project: Project, how: str) -> None:
    project.write("tests/deep/conftest.py", "")
    project.write("tests/deep/test_deep.py", "def test_deep():\n    pass\n")
    go_on = "--continue-on-collection-errors"
    assert "tests/deep/test_deep.py::test_deep" in project.ran(go_on)[0]
    good = dict(FILES, **{"tests/deep/conftest.py": ""})
    for name, text in BROKEN_CONFTESTS[how].items():
        project.write(name, text)
    ran, code = project.ran(go_on)
    assert ran["tests/deep"] == "error"
    assert "tests/deep/test_deep.py::test_deep" not in ran
    assert code == 1
    assert project.ran(go_on) == ({}, 1)
    for name in BROKEN_CONFTESTS[how]:
        project.write(name, good[name])
    ran, code = project.ran(go_on)
    assert ran["tests/deep/test_deep.py::test_deep"] == "passed"
    assert code == 0
    assert project.ran(go_on) == ({}, 0)


def test_a_configuration_runs_everything(project: Project) -> None:
    project.ran()
    project.write("pytest.ini", "[pytest]\n")
    events, _ = project.events()
    selected = next(event for event in events if event["event"] == "selected")
    assert selected["count"] == selected["of"] == len(ALL)
    assert "pytest.ini" in selected["everything"]


def test_events_have_what_is_documented(project: Project) -> None:
    project.ran()
    project.replace("app/calc.py", "return 1", "return 2")
    events, code = project.events()
    assert [event["event"] for event in events] == ["reloaded", "selected", "test", "run"]
    reloaded, selected, tested, run = events
    assert reloaded["files"] == [str(project.directory / "app" / "calc.py")]
    assert selected["reasons"] == {"tests/test_calc.py::test_other": ["app/calc.py: other() has changed"]}
    assert "assert 2 == 1" in tested["longrepr"]
    assert {name: run[name] for name in ("passed", "failed", "errors", "skipped")} == {
        "passed": 0, "failed": 1, "errors": 0, "skipped": 0,
    }  # fmt: skip
    assert code == run["exit"] == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": 1}', "\0\0"])
def test_a_damaged_recording_is_thrown_away(project: Project, content: str) -> None:
    project.ran()
    (place,) = (project.directory / ".pyautoload").glob("tests-*.json")
    place.write_text(content)
    done = project.once("-q")
    assert len([line for line in done.stderr.splitlines() if "everything runs once" in line]) == 1
    assert f"{len(ALL)} passed" in done.stdout
    assert (project.directory / ".pyautoload" / ".gitignore").read_text() == "*\n"


def test_pytest_prints_and_its_exit_codes_stay(project: Project) -> None:
    assert project.once("--no-such-option").returncode == 4
    assert project.once("tests/no_such.py").returncode == 4
    done = project.once("-k", "test_total", "-v")
    assert "test_total PASSED" in done.stdout
    assert done.returncode == 0
    assert project.once("-k", "nobody").returncode == 5


SPECIAL: Mapping[str, tuple[Mapping[str, str], str, str, str, set[str]]] = {
    "a process": (
        {
            "tests/test_x.py": "import subprocess, sys\n\ndef test_x():\n"
            "    code = 'import app.calc; print(app.calc.other())'\n"
            "    assert subprocess.check_output([sys.executable, '-c', code]).strip() == b'1'\n"
        },
        "app/calc.py", "return 1", "return 2", {"x.py::test_x", "calc.py::test_other"},
    ),
    "a decorator that ran at import": (
        {
            "app/deco.py": "def twice(function):\n    return function() * 2\n",
            "app/use.py": "from app.deco import twice\n\n@twice\ndef value():\n    return 2\n",
            "tests/test_x.py": "from app import use\n\ndef test_x():\n    assert use.value == 4\n",
        },
        "app/deco.py", "* 2", "* 3", {"x.py::test_x"},
    ),
    "a file that was read at import": (
        {
            "app/use.py": "import pathlib\nTEXT = (pathlib.Path(__file__).parent / 'x.txt').read_text()\n",
            "app/x.txt": "a",
            "tests/test_x.py": "from app.use import TEXT\n\ndef test_x():\n    assert TEXT == 'a'\n",
        },
        "app/x.txt", "a", "b", {"x.py::test_x"},
    ),
    "a function in a thread": (
        {
            "tests/test_x.py": "import threading\nfrom app import calc\n\ndef test_x():\n    found = []\n"
            "    thread = threading.Thread(target=lambda: found.append(calc.other()))\n"
            "    thread.start()\n    thread.join()\n    assert found == [1]\n"
        },
        "app/calc.py", "return 1", "return 2", {"x.py::test_x", "calc.py::test_other"},
    ),
    "source that was looked at": (
        {
            "tests/test_x.py": "import inspect\nfrom app import calc\n\ndef test_x():\n"
            "    assert 'return 1' in inspect.getsource(calc.other)\n"
        },
        "app/calc.py", "return 1", "return 2", {"x.py::test_x", "calc.py::test_other"},
    ),
    "a value that an earlier test left in a cache": (
        {
            "app/memo.py": "KNOWN = {}\n\ndef make(n):\n    return n + 1\n\ndef get(n):\n"
            "    if n not in KNOWN:\n        KNOWN[n] = make(n)\n    return KNOWN[n]\n",
            "tests/test_x.py": "from app.memo import get\n\ndef test_x():\n    assert get(1) == 2\n\n"
            "def test_y():\n    assert get(1) == 2\n",
        },
        "app/memo.py", "n + 1", "n + 2", {"x.py::test_x", "x.py::test_y"},
    ),
    "a class": (
        {
            "app/shape.py": "class Shape:\n    sides = 4\n    def half(self):\n        return self.sides / 2\n",
            "tests/test_x.py": "from app.shape import Shape\n\ndef test_x():\n    assert Shape().half() == 2\n\n"
            "def test_none():\n    pass\n",
        },
        "app/shape.py", "sides / 2", "sides / 4", {"x.py::test_x"},
    ),
    "what a conftest.py does while tests are collected": (
        {
            "tests/sub/conftest.py": "def pytest_generate_tests(metafunc):\n    metafunc.parametrize('n', [1])\n",
            "tests/sub/test_x.py": "def test_x(n):\n    assert n == 1\n",
        },
        "tests/sub/conftest.py", "[1]", "[2]", {"tests/sub/test_x.py::test_x[2]"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SPECIAL)
def test_what_is_used_otherwise(project: Project, what: str) -> None:
    files, name, old, new, expected = SPECIAL[what]
    for path, text in files.items():
        project.write(path, text)
    _, code = project.ran()
    assert code == 0
    project.replace(name, old, new)
    ran, code = project.ran()
    assert dict.fromkeys(expected, "failed") == ran
    assert code == 1


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
def test_saves_are_answered_until_it_is_ended(project: Project, end: str) -> None:
    command = [sys.executable, "-m", "pyautoload", "test", "--json"]
    with subprocess.Popen(
        command, cwd=project.directory, env=project.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            first = _until("run", process)
            assert first[-1]["passed"] == len(ALL)
            project.replace("app/calc.py", "return 1", "return 2")
            again = _until("run", process)
            assert {event["id"]: event["outcome"] for event in again if event["event"] == "test"} == {
                "tests/test_calc.py::test_other": "failed"
            }
            text = (project.directory / "app" / "calc.py").read_text()
            project.write("app/calc.py", f"{text}def (")
            broken = _until("broken", process)[-1]
            assert list(broken["files"]) == [str(project.directory / "app" / "calc.py")]
            project.write("app/calc.py", text.replace("return 2", "return 1"))
            assert _until("run", process)[-1]["passed"] == 1
        finally:
            process.send_signal(getattr(signal, end))
        # Whoever else had its end of the pipe, a template or a run, is gone when that is at its end.
        assert process.stdout.read() == ""
        assert process.wait() == (130 if end == "SIGINT" else -signal.SIGKILL)


def _until(kind: str, process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The events up to one of a kind."""
    assert process.stdout is not None
    found = []
    for line in process.stdout:
        found.append(json.loads(line))
        if found[-1]["event"] == kind:
            return found
    raise AssertionError(f"it ended before {kind}: {found}")
