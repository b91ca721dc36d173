"""What people see."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from notes.notebook import notebook

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    """All notes."""
    return render_template("index.html", heading="Notes", notes=notebook.notes)


@blueprint.post("/")
def add() -> Response:
    """Write one down."""
    notebook.add(request.form["text"])
    return redirect("/")
