"""The words: phrases that read as translated, or have a better one, do not come back."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
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
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def lines(path: Path) -> list[tuple[int, str]]:
    """What a page says; of a module its messages, and of a command its help."""
    text = path.read_text(encoding="utf-8")
    return list(messages(ast.parse(text)) if path.suffix == ".py" else enumerate(text.splitlines(), 1))


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The strings of a module but for docstrings; those of commands are their help."""
    notes = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, _DOCUMENTED) and getattr(node, "name", "") != "command"
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.lineno, node.value


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_that_has_a_better_one_is_not_used(phrase: str) -> None:
    pattern = re.compile(phrase)
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in lines(path)
        if pattern.search(line)
    ]
    assert not found, f"say {PHRASES[phrase]!r} in place of {phrase!r}:\n" + "\n".join(found)
