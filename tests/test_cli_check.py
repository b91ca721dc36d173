"""``pyautoload check``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
from command_line import CONFIG, run, run_apart, run_json

Tree = Callable[[dict[str, str]], Path]

BAD = {
    "pyproject.toml": CONFIG,
    "app/db.py": "class Database: ...",
    "app/crash.py": "import os\nos._exit(7)",
    "app/helpers.py": "def f(): ...",
}


def test_a_tree_that_is_well_is_well(tree: Tree) -> None:
    tree({"pyproject.toml": CONFIG, "app/user.py": "class User: ..."})
    assert run("check").output == "no problems found\n"


def test_every_problem_is_told_and_the_exit_code_is_1(tree: Tree) -> None:
    tree(BAD)
    output = run("check", expect=1).output
    assert "app/crash.py: error: its import ended the process with exit code 7 [crash]" in output.replace("\\", "/")
    assert "app/db.py: warning: it is expected to define Db, but it defines Database" in output.replace("\\", "/")
    assert output.endswith("1 error, 1 warning, 1 note\n")


def test_static_runs_nothing(tree: Tree) -> None:
    tree(BAD)
    output = run("check", "--static", expect=1).output
    assert "crash]" not in output
    assert output.endswith("1 warning, 2 notes\n")


def test_notes_alone_are_no_findings(tree: Tree) -> None:
    tree({"pyproject.toml": CONFIG, "app/helpers.py": "def f(): ..."})
    assert run("check").output.endswith("1 note\n")


def test_json_holds_all_of_it(tree: Tree) -> None:
    tree(BAD)
    found = run_json("check", expect=1)
    assert found["summary"] == {"error": 1, "warning": 1, "note": 1}
    assert {problem["kind"] for problem in found["problems"]} == {"crash", "expected-name"}
    assert found["problems"][0]["module"] == "app.crash"


def test_kinds_and_plain_modules_can_be_left_out(tree: Tree) -> None:
    tree({**BAD, "pyproject.toml": CONFIG + 'plain_modules = ["db.py", "helpers.py"]\n'})
    assert run("check", "--skip", "crash").output == "no problems found\n"
    assert "unknown kind of problem 'nope'" in run("check", "--skip", "nope", expect=2).output


def test_static_does_not_go_with_a_loader_that_runs(tree: Tree) -> None:
    tree(BAD)
    assert "use one of them" in run("check", "--static", "--loader", "x:y", expect=2).output


def test_modules_import_what_lies_beside_the_configuration(tree: Tree, tmp_path: Path) -> None:
    tree({"pyproject.toml": CONFIG, "common.py": "", "app/user.py": "import common\nclass User: ...", "deep/": ""})
    assert run_apart("check", cwd=tmp_path).stdout == "no problems found\n"
    assert run_apart("check", "--config", "..", cwd=tmp_path / "deep").stdout == "no problems found\n"


def test_a_loader_that_the_program_makes_is_checked_as_it_is(tree: Tree, tmp_path: Path) -> None:
    autoload = "from pyautoload import AutoLoader\nloader = AutoLoader('app').inflect({'db': 'Database'})"
    tree(
        {
            "autoload.py": autoload,
            "app/db.py": "class Database: ...",
            "app/post.py": "from app import Database\nclass Article: ...",
        }
    )
    output = run_apart("check", "--loader", "autoload:loader", cwd=tmp_path, expect=1).stdout
    assert output.count(" warning: ") == 1
    assert "post.py" in output


WRONG = {
    "pyproject.toml": CONFIG,
    "app/animals.py": "class Cat: ...\nclass Dog: ...\n",
    "app/user.py": "\nfrom app import Nothing\n\n\nclass User: ...\n",
}


def test_a_problem_is_shown_with_its_source(tree: Tree) -> None:
    tree(WRONG)
    lines = run("check", "--static", expect=1).output.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("app/user.py:2: error"))
    assert lines[at + 1].strip() in ("2 │ from app import Nothing", "2 | from app import Nothing")
    assert lines[-1] == "1 error, 1 warning"


def test_concise_is_a_line_for_each_problem(tree: Tree) -> None:
    tree(WRONG)
    lines = run("check", "--static", "--output", "concise", expect=1).output.splitlines()
    assert [line.partition(": ")[0] for line in lines[:-1]] == ["app/user.py:2", "app/animals.py"]


def test_github_gets_annotations(tree: Tree) -> None:
    tree(WRONG)
    first, second = run("check", "--static", "--output", "github", expect=1).output.splitlines()
    assert first.startswith("::error file=app/user.py,line=2,title=pyautoload unknown-name::")
    assert second.startswith("::warning file=app/animals.py,title=pyautoload expected-name::")
    assert "%0A" in second


def test_sarif_names_rule_level_and_place(tree: Tree) -> None:
    tree(WRONG)
    document = json.loads(run("check", "--static", "--output", "sarif", expect=1).output)
    assert document["version"] == "2.1.0"
    (sarif_run,) = document["runs"]
    assert [result["ruleId"] for result in sarif_run["results"]] == ["unknown-name", "expected-name"]
    assert {rule["id"] for rule in sarif_run["tool"]["driver"]["rules"]} == {"unknown-name", "expected-name"}
    place = sarif_run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "app/user.py"}, "region": {"startLine": 2}}


def test_colours_are_as_the_environment_says(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(WRONG)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run_apart("check", "--static", cwd=root, expect=1).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run_apart("check", "--static", cwd=root, expect=1).stdout
