"""What programs see."""

from __future__ import annotations

from flask import Blueprint

from notes.notebook import notebook

blueprint = Blueprint("api", __name__, url_prefix="/api")


@blueprint.get("/notes")
def notes() -> list[dict[str, str]]:
    """All notes."""
    return [{"title": note.title(), "text": note.text} for note in notebook.notes]
