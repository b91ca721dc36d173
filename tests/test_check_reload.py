"""``pyautoload check --reload``: commits of a project, each replayed as a reload."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
from command_line import CONFIG, run_apart, run_json

Tree = Callable[[dict[str, str]], Path]
pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="commits need git"),
    pytest.mark.once,
]

START = {
    "pyproject.toml": CONFIG,
    "app/settings.py": "LIMIT = 1\n",
    "app/order.py": "from app.settings import LIMIT\nDOUBLE = LIMIT * 2\ndef limit(): return LIMIT\n",
}


def git(root: Path, *words: str) -> str:
    """What git says in a repository whose settings are only its own."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    people = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *words], cwd=root, env={**os.environ, **settings, **people}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def history(tree: Tree) -> Callable[..., Path]:
    """Makes a repository with a commit for each of some sets of files; ``None`` for one that goes."""

    def make(*commits: dict[str, str | None]) -> Path:
        root = tree({})
        git(root, "init", "-q")
        for number, files in enumerate(commits):
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink() if text is None else path.write_text(text)
            git(root, "add", "-A")
            git(root, "commit", "-q", "-m", f"commit {number}")
        return root

    return make


def outcomes(span: str, *more: str, expect: int = 0) -> list[str]:
    return [commit["outcome"] for commit in run_json("check", "--reload", span, *more, expect=expect)["commits"]]


def test_each_commit_is_replayed(history: Callable[..., Path]) -> None:
    history(
        START,
        {"app/settings.py": "LIMIT = 5\n"},
        {"app/new.py": "from app.order import limit\nclass New: pass\n"},
        {"app/new.py": None, "app/order.py": "def limit(): return 7\n"},
    )
    assert outcomes("HEAD~3..HEAD") == ["exact", "exact", "exact"]
    assert outcomes("HEAD~1..") == ["exact"]


def test_commits_without_python_are_passed_over(history: Callable[..., Path]) -> None:
    history(START, {"README": "1"}, {"app/settings.py": "LIMIT = 5\n"}, {"README": "2"})
    assert outcomes("HEAD~3..HEAD") == ["exact"]


def test_the_repository_is_left_alone(history: Callable[..., Path]) -> None:
    root = history(START, {"app/settings.py": "LIMIT = 5\n"})
    (root / "app/settings.py").write_text("LIMIT = 'not committed'\n")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert outcomes("HEAD~1..HEAD") == ["exact"]
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert git(root, "status", "--short") == " M app/settings.py\n"


def test_a_restart_is_told_with_its_reason(history: Callable[..., Path]) -> None:
    config = CONFIG + 'do_not_reload = ["app/settings.py"]\n'
    history({**START, "pyproject.toml": config}, {"app/settings.py": "LIMIT = 5\n"})
    (commit,) = run_json("check", "--reload", "HEAD~1..HEAD")["commits"]
    assert commit["outcome"] == "restart"
    assert "app.settings" in commit["reasons"]


def test_a_commit_that_cannot_be_loaded_is_no_finding(history: Callable[..., Path]) -> None:
    history(
        START, {"app/settings.py": "LIMIT =\n"}, {"app/settings.py": "LIMIT = 3\n"}, {"app/settings.py": "LIMIT = 4\n"}
    )
    assert outcomes("HEAD~3..HEAD") == ["broken", "exact", "exact"]


def test_a_module_whose_package_cannot_be_imported_is_no_finding(history: Callable[..., Path]) -> None:
    package = "from app.part.log import x\nimport a_library_that_is_not_there\n"
    history(
        {**START, "app/part/__init__.py": package, "app/part/log.py": "x = 1\n"}, {"app/part/log.py": "x = len('a')\n"}
    )
    assert outcomes("HEAD~1..HEAD") in (["broken"], ["exact"])


# A module that takes itself for another program where it is reloaded → what is found in the next commit.
WRONG = {
    "a value that stays": (
        "import sys\nLIVING = hasattr(sys, 'first')\nsys.first = True\nVALUE = {0} if not LIVING else 1\n",
        "stale",
    ),
    "the end of the process": (
        "import os, sys\nif hasattr(sys, 'first'): os._exit(3)\nsys.first = True\nVALUE = {0}\n",
        "died",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_right_is_told(history: Callable[..., Path], wrong: str) -> None:
    source, outcome = WRONG[wrong]
    history({**START, "app/odd.py": source.format(1)}, {"app/odd.py": source.format(2)})
    assert outcomes("HEAD~1..HEAD", expect=1) == [outcome]


def test_values_that_differ_each_time_are_left_out(history: Callable[..., Path]) -> None:
    source = "import os\nTOKEN = os.urandom(8)\nVALUE = {0}\n"
    history({**START, "app/odd.py": source.format(1)}, {"app/odd.py": source.format(2)})
    assert outcomes("HEAD~1..HEAD") == ["exact"]


def test_a_project_may_be_a_part_of_a_repository(history: Callable[..., Path]) -> None:
    root = history(
        {f"service/{name}": text for name, text in START.items()}, {"service/app/settings.py": "LIMIT = 5\n"}
    )
    done = run_apart("check", "--reload", "HEAD~1..HEAD", cwd=root / "service")
    assert done.stdout.splitlines()[-1] == "1 exact"
    assert "commit 1" in done.stdout
    done = run_apart("check", "--reload", "HEAD~1..HEAD", "--root", "service/app", cwd=root)
    assert done.stdout.splitlines()[-1] == "1 exact"


@pytest.mark.parametrize(
    ("span", "reason"), [("HEAD", "is not a range"), ("HEAD..", "no commit in"), ("x..y", "rev-parse")]
)
def test_what_is_no_range_is_refused(history: Callable[..., Path], span: str, reason: str) -> None:
    root = history(START)
    assert reason in run_apart("check", "--reload", span, cwd=root, expect=2).stderr
