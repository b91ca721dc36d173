"""The command line as a whole: how commands are found, and what they have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
from command_line import CONFIG, run, run_apart, run_json

Tree = Callable[[dict[str, str]], Path]
COMMANDS = ["bench", "build", "check", "console", "explain", "graph", "init", "profile", "tree"]


def test_help_lists_every_command() -> None:
    output = run("--help").output
    assert [name for name in COMMANDS if f"  {name} " not in output] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_says_what_it_does(name: str) -> None:
    assert f"Usage: pyautoload {name} [OPTIONS]" in run(name, "--help").output


def test_every_command_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"\n## {name}\n" not in page] == []


def test_a_command_imports_no_other_command(
    tree: Tree, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    tree({"app/user.py": ""})
    code = """
        import sys
        from pyautoload.cli import command
        try:
            command(["tree", "--root", "app"])
        except SystemExit:
            pass
        found = [name for name in sys.modules if name.startswith(("pyautoload.cli.", "rich"))]
        print(sorted(name for name in found if "._" not in name))
    """
    assert python(code).stdout.splitlines()[-1] == "['pyautoload.cli.tree']"


def test_without_click_it_says_which_command_installs_it(tree: Tree, tmp_path: Path) -> None:
    tree({"click.py": "raise ImportError('No module named click', name='click')"})
    result = run_apart("tree", cwd=tmp_path, expect=2)
    assert "needs click, which is not installed" in result.stderr
    assert "-m pip install 'pyautoload[cli]'" in result.stderr


def test_an_unknown_command_is_a_wrong_use_with_a_suggestion() -> None:
    assert "No such command 'ceck'" in run("ceck", expect=2).output


def test_a_mistake_in_the_configuration_is_a_wrong_use(tree: Tree) -> None:
    tree({"pyproject.toml": '[tool.pyautoload]\nroot = "app"\n'})
    assert "Did you mean 'roots'?" in run("tree", expect=2).output


def test_without_a_configuration_it_says_what_to_do(tree: Tree) -> None:
    tree({"pyproject.toml": ""})
    assert "pyautoload init" in run("check", expect=2).output


def test_roots_and_their_namespaces_can_be_given_in_place_of_a_configuration(tree: Tree) -> None:
    tree({"src/user.py": "class User: ...", "more/post.py": "class Post: ..."})
    found = run_json("tree", "--root", "src", "--namespace", "app", "--root", "more")
    assert [(node["name"], node["children"][0]["defines"]) for node in found] == [
        ("app", "app.User"),
        ("more", "more.Post"),
    ]


def test_more_namespaces_than_roots_is_a_wrong_use(tree: Tree) -> None:
    tree({})
    assert "each belongs to the --root at its place" in run("tree", "--namespace", "x", expect=2).output


def test_the_configuration_can_be_that_of_another_project(tree: Tree) -> None:
    tree({"one/pyproject.toml": CONFIG, "one/app/user.py": "", "two/": ""})
    os.chdir("two")
    assert run_json("tree", "--config", "../one")[0]["name"] == "app"


def test_a_conflict_is_a_finding_that_leads_to_check(tree: Tree) -> None:
    tree({"app/hotel.py": "", "app/hotel/__init__.py": ""})
    result = run("tree", "--root", "app", expect=1)
    assert "pyautoload check" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["nowhere:loader", "loaders:nothing", "loaders:number"])
def test_a_loader_that_cannot_be_found_is_a_wrong_use(tree: Tree, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"loaders.py": "number = 1"})
    monkeypatch.syspath_prepend(str(root))
    assert f"--loader {name}" in run("tree", "--loader", name, expect=2).output


def test_the_shell_can_complete_commands_and_options(tmp_path: Path) -> None:
    environment = {"_PYAUTOLOAD_COMPLETE": "bash_complete", "COMP_WORDS": "pyautoload tr", "COMP_CWORD": "1"}
    source = str(Path(__file__).parent.parent)
    result = subprocess.run(
        [sys.executable, "-m", "pyautoload"],
        env={**os.environ, **environment, "PYTHONPATH": source},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stdout.split() == ["plain,tree"]


def test_output_is_plain_where_the_terminal_has_no_other_characters(tree: Tree, tmp_path: Path) -> None:
    tree({"app/user.py": "", "app/post.py": ""})
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONIOENCODING": "ascii"}
    for arguments in (["tree"], ["explain", "app.user"], ["check", "--static"]):
        command = [sys.executable, "-m", "pyautoload", *arguments, "--root", "app"]
        result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=60)
        assert result.stderr == b""
        assert result.stdout.isascii()
