"""A web application under reloading: views are patched, a new route is added, the rest of the application stays."""

# ruff: noqa: F811

from __future__ import annotations

import pytest
from reload_app import app  # noqa: F401

pytest.importorskip("flask")

WEB = """
from flask import Flask
from APP.models import greet
app = Flask(__name__)
app.config["STATE"] = []
{extra}
@app.route("/")
def index():
    return {body}
"""


def get(a, path="/"):
    response = a("web").app.test_client().get(path)
    return response.status_code, response.text


def test_a_view_its_helper_a_new_route_and_a_changed_route(app):
    a = app(models="def greet():\n    return 'hello'\n", web=WEB.format(extra="", body="greet()"))
    assert get(a) == (200, "hello")
    flask_app = a("web").app
    a.edit(models="def greet():\n    return 'good day'\n")
    assert get(a) == (200, "good day")
    a.edit(web=WEB.format(extra="", body="greet() + '!'"))
    assert get(a) == (200, "good day!")
    assert a("web").app is flask_app
    a.edit(web=WEB.format(extra="", body="greet()").replace('route("/")', 'route("/start")'))
    assert get(a, "/start") == (200, "good day")
    assert get(a)[0] == 404
    more = "@app.route('/new')\ndef new():\n    return 'new'\n"
    a.edit(web=WEB.format(extra=more, body="greet()"))
    assert get(a, "/new") == (200, "new")
    assert get(a) == (200, "good day")


def test_a_model_of_sqlalchemy_gets_a_method_and_keeps_its_table(app):
    pytest.importorskip("sqlalchemy")
    text = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    class Base(DeclarativeBase):
        pass
    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        def label(self):
            return self.name{0}
    """
    a = app(models=text.format(""))
    user = a("models").User(name="Ann")
    a.edit(models=text.format(" + '!'"))
    assert user.label() == "Ann!"
    a.edit(models=text.format(" + '!'") + "    def more(self):\n            return 2\n")
    assert user.more() == 2
    result = a.edit(models=text.format("").replace("name: Mapped[str]", "name: Mapped[str]\n        age: Mapped[int]"))
    assert result.errors or result.restart_required or hasattr(a("models").User, "age")
    assert user.name == "Ann"
