"""The web application: routes to controllers, a database, and what happens when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from blog import Configuration, Database, Invalid, Routes, controllers, services


class Application(Flask):
    """A Flask application; ``Application(Configuration(...))`` is all it takes."""

    def __init__(self, configuration: Configuration | None = None) -> None:
        super().__init__(__name__)
        self.configuration = configuration or Configuration.from_environment()
        self.secret_key = self.configuration.secret_key
        self.database = Database(self.configuration.database_url)
        self.database.create()
        for route in Routes:
            name = f"{route.controller.replace('.', ':')}#{route.action}"
            self.add_url_rule(route.rule, name, self._view(route.controller, route.action), methods=[route.method])
        self.register_error_handler(HTTPException, _show_error)
        self.register_error_handler(Invalid, _show_invalid)
        self.teardown_appcontext(lambda _error: self.database.release())
        # Looked up when a page needs it, so that starting the application does not load the renderer.
        self.add_template_filter(lambda text: services.HTMLRenderer().render(text), "markup")
        self.context_processor(lambda: {"configuration": self.configuration})

    def _view(self, controller: str, action: str) -> Callable[..., ResponseReturnValue]:
        find = attrgetter(controller)

        def view(**arguments: str) -> ResponseReturnValue:
            handler: controllers.Controller = find(controllers)(self.database.session, self.configuration)
            return handler.handle(action, arguments)

        return view


def _wants_json() -> bool:
    return request.path.startswith("/api/")


def _show_error(error: HTTPException) -> ResponseReturnValue:
    if _wants_json():
        return jsonify(error=error.name, reason=error.description), error.code or 500
    return render_template("error.html", title=error.name, reason=error.description), error.code or 500


def _show_invalid(error: Invalid) -> ResponseReturnValue:
    if _wants_json():
        return jsonify(error="Invalid", errors=error.errors), 422
    return render_template("error.html", title="That cannot be saved", reason=str(error)), 422
