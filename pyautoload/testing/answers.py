"""Answers to what is asked of a running ``pyautoload test``."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from pyautoload.testing.event_history import Journal
from pyautoload.testing.run_session import Session
from pyautoload.warm.questions import Question

__all__ = ["answer"]

_BAD = ("failed", "error")


def answer(question: Question, session: Session, journal: Journal, look: Callable[[], object]) -> None:
    """Answer a question, in the thread that runs the tests.

    Args:
        question: what is wanted.
        session: of the tests.
        journal: what has happened since the last ``sync``.
        look: looks at the files, and runs what has changed.
    """
    if question.kind == "sync":
        look()
        question.answer({**journal.take(), "failing": session.failing(), "of": len(session.recording.tests)})
    elif question.kind == "tests":
        look()
        question.answer(_tests(session, question.arguments))
    elif question.kind == "problems":
        look()
        question.answer({"broken": session.broken, "failing": _outcomes(session, session.failing())})
    else:
        question.answer({"error": f"`pyautoload test` is not asked for {question.kind}"})


def _tests(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    pattern, failed, run = wanted.get("pattern", ""), wanted.get("failed", True), wanted.get("run", False)
    names = [*session.recording.tests, *(each.id for each in session.recording.collected.values() if each.error)]
    bad = frozenset(session.failing())
    chosen = [name for name in names if _matches(name, pattern) and (name in bad or not failed)]
    if run:
        session.want(chosen, "it was asked for")
        if session.is_pending:
            session.code = session.verdict(session.run())
    return {"of": len(session.recording.tests), "tests": _outcomes(session, chosen)}


def _matches(name: str, pattern: str) -> bool:
    return pattern in name or fnmatch.fnmatchcase(name, pattern)


def _outcomes(session: Session, names: list[str]) -> list[dict[str, Any]]:
    tests = session.recording.tests
    errors = {each.id: each.error for each in session.recording.collected.values() if each.error}
    found = []
    for name in names:
        tested = tests.get(name)
        if tested is not None:
            longrepr = tested.longrepr if tested.outcome in _BAD else None
            found.append({"id": name, "outcome": tested.outcome, "seconds": tested.seconds, "longrepr": longrepr})
        elif name in errors:
            found.append({"id": name, "outcome": "error", "seconds": 0.0, "longrepr": errors[name]})
    return found
