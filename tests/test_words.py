"""The words: phrases that read as translated, or have a better one, do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PROJECT = Path(__file__).resolve().parent.parent
# What must not be said → what is said.
PHRASES = {
    r"\bcode of before\b": "the previous code",
    r"\bchange is not in use\b": "your last edit was not applied",
    r"\bis no identifier\b": "is not a valid Python name",
    r"\bnothing can be expected of\b": "so it cannot be imported",
    r"\bis said before `?setup": "configure ... before calling setup()",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\brefuses no connection\b": "drops no connections",
    r"--root DIR does without": "or pass --root DIR",
    r"['}\"] is none of": "is not one of",
    r"\bis no MODULE:APP\b": "is not in the form MODULE:APP",
    r"\bcounts for nothing\b": "one warm-up round",
    r"\bnothing that runs has changed\b": "no code changes",
    r"\ball is well\b": "no problems found",
    r"\bwho gets\b": "which ... receives",
    r"\bserves? on\b(?! (port|on|\[|http|127))": "keeps serving",
    r"\bnothing of your code\b": "none of your code",
    r"\bmade anew\b": "recreated",
    r"(?<!there )(?<!There )\bis no (dotted|namespace|package|string|loader|requirement|index|pattern)\b": "is not a",
}
SOURCES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", "examples/**/*.md", "pyautoload/**/*.py"]
FILES = sorted({path for pattern in SOURCES for path in PROJECT.glob(pattern)})


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_that_has_a_better_one_is_not_used(phrase: str) -> None:
    pattern = re.compile(phrase)
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"say {PHRASES[phrase]!r} in place of {phrase!r}:\n" + "\n".join(found)
