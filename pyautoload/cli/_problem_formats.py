"""How ``check`` writes problems: with a piece of source, on one line each, for GitHub, as SARIF."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import click

import pyautoload
from pyautoload.checking.problem import KINDS, Problem
from pyautoload.cli._output import COLOURS, marks
from pyautoload.printable import printable

__all__ = ["FORMATS", "write"]

# SARIF's words and GitHub's for the severities.
_LEVELS = {"error": "error", "warning": "warning", "note": "note"}
_ANNOTATIONS = {"error": "error", "warning": "warning", "note": "notice"}


def write(problems: Iterable[Problem], kind: str, directory: str) -> None:
    """Print problems.

    Args:
        problems: with paths relative to ``directory``.
        kind: one of ``FORMATS``.
        directory: of the project.
    """
    FORMATS[kind](list(problems), directory)


def _full(problems: list[Problem], directory: str) -> None:
    for problem in problems:
        _concise([problem], directory)
        for line in _source(problem, directory):
            click.echo(f"    {line}")
        for line in problem.details:
            click.echo(f"    {line}")
        if problem.remedy:
            click.secho(f"    {problem.remedy}", dim=True)


def _concise(problems: list[Problem], directory: str) -> None:
    for problem in problems:
        severity = click.style(problem.severity, fg=COLOURS[problem.severity], bold=True)
        kind = click.style(f"[{problem.kind}]", dim=True)
        click.echo(f"{click.style(problem.place, bold=True)}: {severity}: {problem.message} {kind}")


def _source(problem: Problem, directory: str) -> list[str]:
    """The line of a problem, where it has one and its file can be read."""
    if problem.path is None or problem.line is None:
        return []
    try:
        with open(os.path.join(directory, problem.path), encoding="utf-8") as opened:
            lines = opened.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return []  # in an archive, or gone meanwhile
    if not 0 < problem.line <= len(lines):
        return []
    bar = "|" if marks().arrow == "->" else "│"
    return [f"{problem.line} {bar} {printable(lines[problem.line - 1].strip())}"]


def _github(problems: list[Problem], directory: str) -> None:
    """Workflow commands: GitHub shows them beside the lines of a pull request."""
    for problem in problems:
        parts = [f"title=pyautoload {problem.kind}"]
        if problem.path is not None:
            parts.insert(0, f"file={_property(problem.path.replace(os.sep, '/'))}")
        if problem.line is not None:
            parts.insert(1, f"line={problem.line}")
        text = "\n".join([problem.message, *problem.details, *([problem.remedy] if problem.remedy else [])])
        click.echo(f"::{_ANNOTATIONS[problem.severity]} {','.join(parts)}::{_data(text)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(problems: list[Problem], directory: str) -> None:
    """SARIF 2.1.0, for code scanning and editors."""
    used = sorted({problem.kind for problem in problems})
    driver = {
        "name": "pyautoload",
        "version": pyautoload.__version__,
        "rules": [{"id": kind, "shortDescription": {"text": KINDS[kind]}} for kind in used],
    }
    run = {"tool": {"driver": driver}, "results": [_result(problem) for problem in problems]}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    click.echo(json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2))


def _result(problem: Problem) -> dict[str, Any]:
    text = "\n".join([problem.message, *problem.details, *([problem.remedy] if problem.remedy else [])])
    result: dict[str, Any] = {
        "ruleId": problem.kind,
        "level": _LEVELS[problem.severity],
        "message": {"text": text},
    }
    if problem.path is not None:
        from urllib.parse import quote

        place: dict[str, Any] = {"artifactLocation": {"uri": quote(problem.path.replace(os.sep, "/"))}}
        if problem.line is not None:
            place["region"] = {"startLine": problem.line}
        result["locations"] = [{"physicalLocation": place}]
    return result


FORMATS = {"full": _full, "concise": _concise, "github": _github, "sarif": _sarif}
