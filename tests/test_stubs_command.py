"""`pyautoload stubs`, as it is called."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click", reason="the command line needs pip install 'pyautoload[cli]'")

from click.testing import CliRunner, Result

from pyautoload.cli.stubs import command


@pytest.fixture
def stubs(tree):
    """``stubs("--check")`` runs the command in a project with one class."""
    tree(
        {
            "pyproject.toml": '[tool.pyautoload]\nroots = ["src/app"]\n',
            "src/app/user.py": "class User: ...",
        }
    )

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments), catch_exceptions=False)

    return run


def test_it_writes_once_and_says_what_the_checkers_need(stubs, tmp_path):
    first = stubs()
    assert first.exit_code == 0
    assert "wrote: src/app/__init__.pyi" in first.output
    assert 'mypy_path = ["src"]' in first.output
    assert (tmp_path / "src/app/__init__.pyi").exists()
    assert "1 stub, all up to date" in stubs().output


def test_check_writes_nothing_and_fails_until_it_is_right(stubs, tmp_path):
    assert stubs("--check").exit_code == 1
    assert not (tmp_path / "src/app/__init__.pyi").exists()
    stubs()
    assert stubs("--check").exit_code == 0
    (tmp_path / "src/app/order.py").write_text("class Order: ...")
    result = stubs("--check")
    assert (result.exit_code, "outdated: src/app/__init__.pyi" in result.output) == (1, True)


def test_a_file_of_somebody_else_is_kept_and_told(stubs, tmp_path):
    (tmp_path / "src/app/__init__.pyi").write_text("class User: ...\n")
    result = stubs()
    assert result.exit_code == 1
    assert "kept: src/app/__init__.pyi" in result.output
    assert (tmp_path / "src/app/__init__.pyi").read_text() == "class User: ...\n"


def test_json_tells_all_of_it(stubs, tmp_path):
    told = json.loads(stubs("--json").output)
    assert told["missing"] == told["files"] == [str(tmp_path / "src/app/__init__.pyi")]
    assert told["search_paths"] == [str(tmp_path / "src")]
    assert (told["kept"], told["explicit_package_bases"]) == ([], False)
