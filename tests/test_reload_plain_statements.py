"""Plain statements that did something to a library: where they go, it stays done, and that is asked for."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import sys

import pytest
from reload_app import app  # noqa: F401

ASK = {
    "a call": "sys.path.append('/one')",
    "an item": "os.environ['PYAUTOLOAD_TEST'] = 'one'",
    "an attribute": "sys.word_of_test = 'one'",
    "a branch": "if sys.platform:\n    sys.path.append('/one')",
    "another branch": "if not sys.platform:\n    pass\nelse:\n    os.environ['PYAUTOLOAD_TEST'] = 'one'",
    "a handler": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    sys.path.append('/one')",
    "a loop": "for path in ['/one']:\n    sys.path.append(path)",
    "a case": "match 1:\n    case 1:\n        sys.path.append('/one')",
    "deep": "if True:\n    try:\n        for path in ['/one']:\n            sys.path += [path]\n    finally: pass",
    "a deletion": "os.environ['PYAUTOLOAD_TEST'] = '1'\ndel os.environ['PYAUTOLOAD_TEST']",
}
DO_NOT = {
    "a condition": "if sys.platform == 'one':\n    WORD = len('one')",
    "a definition": "if True:\n    def f():\n        sys.path.append('/one')",
    "a lookup": "try:\n    PATHS = sys.modules['json'].__path__\nexcept KeyError:\n    raise ValueError('one')",
    "a fallback": "try:\n    import nothing_of_this_name\nexcept ImportError:\n    FOUND = sys.version_info > (3,)",
    "a choice": "WORD = 1 if (lambda: sys.platform)() else len('one')\nif (1 if sys.platform else 2): print(end='')",
}


@pytest.fixture(autouse=True)
def process(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYAUTOLOAD_TEST", "")
    monkeypatch.setattr(sys, "word_of_test", "", raising=False)


def outcome(app, statement):
    top = "import os, sys\n"
    a = app(a=f"{top}{statement}\n", b=f"{top}{statement}\n")
    a("a"), a("b")
    edited = a.edit(a=f"{top}{statement.replace('one', 'two').replace('/1', '/2')}\nX = 1\n")
    gone = a.edit(b=f"{top}X = 1\n")
    return [bool(result.restart_required) for result in (edited, gone)]


@pytest.mark.parametrize("kind", ASK)
def test_what_they_did_to_libraries_asks(app, kind):
    edited, gone = outcome(app, ASK[kind])
    assert gone
    assert edited or "one" not in ASK[kind]


@pytest.mark.parametrize("kind", DO_NOT)
def test_what_only_asks_or_defines_asks_for_nothing(app, kind):
    assert outcome(app, DO_NOT[kind]) == [False, False]
