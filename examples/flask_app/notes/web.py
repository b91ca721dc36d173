"""The application: every file in ``views/`` is a part of it."""

from __future__ import annotations

from flask import Flask
from werkzeug.utils import find_modules, import_string


def create_app() -> Flask:
    """Make the application."""
    app = Flask(__name__)
    for name in find_modules("notes.views"):
        app.register_blueprint(import_string(name).blueprint)
    return app
