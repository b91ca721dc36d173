"""The Flask example: served by ``pyautoload serve``, edited, and looked at over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import copied, ran
from served import Served, served

pytest.importorskip("flask", reason="Flask is not installed")
pytest.importorskip("click", reason="the command line needs click")

# Servers are started and files are edited, and waited for on machines that do much else.
pytestmark = pytest.mark.timeout(300)

ABOUT = """
from flask import Blueprint

blueprint = Blueprint("about", __name__)


@blueprint.get("/about")
def about() -> str:
    return "about notes"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(copied("flask_app", tmp_path), "notes.web:create_app()") as running:
        yield running


def test_views_models_and_templates_are_live_and_the_notes_stay(site: Served) -> None:
    assert "one two" in site.get("/", "text=one+two+three+four").text
    site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="All notes"')
    site.shows("<h1>All notes</h1>")
    site.edit("notes/note.py", "[:3]", "[:2]")
    site.shows("<b>one two</b>: one two three four")
    site.edit("notes/templates/index.html", "Write it down", "Keep")
    site.shows("<button>Keep</button>")
    assert [note["text"] for note in site.get("/api/notes").json] == ["one two three four"]
    assert site.started == 1


def test_a_new_file_is_a_new_part_of_the_application(site: Served) -> None:
    assert site.get("/about").status == 404
    site.get("/", "text=kept")
    site.write("notes/views/about.py", ABOUT)
    site.shows("about notes", "/about")
    site.edit("notes/views/about.py", "about notes", "about them")
    site.shows("about them", "/about")
    (site.directory / "notes/views/about.py").unlink()
    site.until(lambda: site.get("/about").status == 404, "about is gone")
    assert site.get("/api/notes").json == [{"title": "kept", "text": "kept"}]
    assert site.started == 1


def test_a_new_route_in_a_file_and_one_that_has_another_address(site: Served) -> None:
    more = '\n\n@blueprint.get("/count")\ndef count() -> dict[str, int]:\n    return {"notes": len(notebook.notes)}\n'
    api = (site.directory / "notes/views/api.py").read_text(encoding="utf-8")
    site.write("notes/views/api.py", api + more)
    assert site.shows('"notes"', "/api/count").json == {"notes": 0}
    site.write("notes/views/api.py", api + more.replace("/count", "/number"))
    site.shows('"notes"', "/api/number")
    assert site.get("/api/count").status == 404
    assert site.get("/api/notes").json == []


def test_the_old_code_serves_until_a_mistake_is_mended(site: Served) -> None:
    site.edit("notes/note.py", "def title(self)", "def title(self")
    site.printed("note.py")
    assert site.get("/").status == 200
    site.edit("notes/note.py", "def title(self", "def title(self)")
    site.edit("notes/views/pages.py", 'heading="Notes"', 'heading="Mended"')
    site.shows("<h1>Mended</h1>")
    assert site.started == 1


def test_it_is_loaded_as_a_whole_for_production(tmp_path: Path) -> None:
    code = "import wsgi, sys; print('notes.views.api' in sys.modules, wsgi.app.test_client().get('/').status_code)"
    assert ran(copied("flask_app", tmp_path), "-c", code).stdout.split() == ["True", "200"]
