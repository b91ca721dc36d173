"""The replay of public applications: what it finds in one that is made for the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")

from benchmarks.applications.recipes import RECIPES
from benchmarks.applications.replay import Edit, Recipe, replay

Tree = Callable[[dict[str, str]], Path]

APP = """
import os

WORD = "first"
STARTED = os.environ.get("STARTED", "0")

def app(environ, start_response):
    start_response("200 OK", [])
    return [WORD.encode(), FRESH]

FRESH = b""
"""


def test_each_edit_is_compared_with_a_fresh_process(tree: Tree) -> None:
    recipe = Recipe(
        "app:app",
        "wsgi",
        ("/",),
        (
            Edit("a constant", {"app.py": ('"first"', '"second"')}),
            Edit("a body", {"app.py": ("WORD.encode()", "WORD.upper().encode()")}),
            Edit("an error", {"app.py": ('WORD = "second"', "WORD = second")}, is_wrong=True),
            Edit("its mending", {"app.py": ("WORD = second", 'WORD = "third"')}),
            Edit("a checkout", everything_back=True),
        ),
    )
    outcomes = replay(recipe, tree({"app.py": APP}), progress=False)
    assert [outcome.stale for outcome in outcomes] == [[]] * 5
    assert [outcome.refused for outcome in outcomes] == [0] * 5
    assert [outcome.how for outcome in outcomes][2] == "failed"
    assert {outcome.how for outcome in outcomes} <= {"exact", "anew", "restarted", "failed"}


def test_an_answer_that_is_old_is_found(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.applications.replay.PATIENCE", 3.0)
    # What it says depends on who serves it, which no reload can know.
    source = APP.replace("return [WORD", "import sys; WORD = str('pyautoload' in sys.modules); return [WORD")
    recipe = Recipe("app:app", "wsgi", ("/",), (Edit("a constant", {"app.py": ('"first"', '"second"')}),))
    assert replay(recipe, tree({"app.py": source}), progress=False)[0].stale == ["/"]


def test_a_recipe_has_fifteen_edits_of_many_kinds() -> None:
    for name, recipe in RECIPES.items():
        assert len(recipe.edits) >= 15, name
        assert recipe.edits[-1].everything_back
        assert any(edit.is_wrong for edit in recipe.edits)
