"""``pyautoload test`` after random edits: what is known then is what a cold run of everything says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from testing_projects import PROJECTS, Project, cold

from pyautoload.testing.run_report import Report
from pyautoload.testing.run_session import Session
from pyautoload.testing.running import run_once

EXAMPLES = int(os.environ.get("PYAUTOLOAD_RANDOM_EXAMPLES", "3"))
FIRST_SEED = int(os.environ.get("PYAUTOLOAD_RANDOM_SEED", "0"))
# So many edits follow each other in one project.
ROUNDS = min(EXAMPLES, 6)


class Quiet(Report):
    """Keeps the reasons, for the message."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    def trouble(self, output: str) -> None:
        self.lines.append(output[-2000:])


@pytest.mark.once
@pytest.mark.parametrize("number", range(FIRST_SEED, FIRST_SEED + max(EXAMPLES // ROUNDS, 1)))
@pytest.mark.parametrize("kind", PROJECTS)
@pytest.mark.timeout(600)
def test_what_is_known_is_what_a_cold_run_says(
    kind: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "project"
    project = Project(directory, PROJECTS[kind], number)
    monkeypatch.chdir(directory)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    done: list[str] = []
    report = Quiet()
    session = Session(str(directory), ["--continue-on-collection-errors"], report, is_warm=True, is_quiet=True)
    try:
        for _ in range(ROUNDS + 1):
            run_once(session)
            code, expected = cold(directory, tmp_path)
            if code in (0, 1, 2, 5):  # else pytest could not begin, and nothing is known
                known = {name: tested.outcome for name, tested in session.recording.tests.items()}
                known |= {each.id: "error" for each in session.recording.collected.values() if each.error}
                assert known == expected, "\n".join([*done, *report.lines[-8:]])
            done.append(project.edit())
    finally:
        session.close()
