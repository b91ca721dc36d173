"""What surrounds the code: workflows, versions, the changelog, the comparison of benchmarks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pyautoload

pytestmark = pytest.mark.once

PROJECT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_targets_and_files_that_exist(path: Path) -> None:
    workflow = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake (?:-C \w+ )?([a-z]+)", workflow)) <= targets
    named = re.findall(r"(?<![\w/])((?:tests|\.github)/[\w/.-]+\.(?:py|yml))", workflow)
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_tests_run_on_each_python_that_the_package_names() -> None:
    named = re.findall(r"Python :: (3\.\d+)", text("pyproject.toml"))
    assert all(f'"{version}"' in text(".github/workflows/tests.yml") for version in named)


def test_the_version_is_the_same_everywhere() -> None:
    version = pyautoload.__version__
    assert f'\nversion = "{version}"\n' in text("pyproject.toml")
    assert f"\nversion: {version}\n" in text("CITATION.cff")
    assert re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", text("CHANGELOG.md"), re.MULTILINE)


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", text("CHANGELOG.md"), flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])


def test_hooks_for_pre_commit_are_commands_that_exist() -> None:
    for entry in re.findall(r"entry: pyautoload (\w+)", text(".pre-commit-hooks.yaml")):
        assert (PROJECT / "pyautoload" / "cli" / f"{entry}.py").exists()


def test_two_runs_of_the_benchmarks_are_compared(tmp_path: Path) -> None:
    content = json.loads(text("benchmarks/results.json"))
    (tmp_path / "old.json").write_text(json.dumps(content), encoding="utf-8")
    result = content["benchmarks"]["eager"]["results"][0]
    side, figure = next(iter(result["sides"].items()))
    result["sides"][side] = {**figure, **dict.fromkeys(("median", "min", "max"), figure["max"] * 3)}
    (tmp_path / "new.json").write_text(json.dumps(content), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.compare", str(tmp_path / "old.json"), str(tmp_path / "new.json")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", check=True)
    told = [line for line in done.stdout.splitlines() if line.endswith("er |")]
    assert len(told) == 1
    assert result["title"] in told[0]
    assert side in told[0]
    assert told[0].endswith("slower |")
