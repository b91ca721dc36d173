"""A web application under reloading: views are patched, a new route is added, the rest of the application stays."""

# ruff: noqa: F811

from __future__ import annotations

import sys

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
    result = a.edit(models=text.format("").replace("name: Mapped[str]", "name: Mapped[str]\n        age: Mapped[int]"))
    assert "SQLAlchemy" in result.restart_required[f"{a.name}.models"]
    assert user.name == "Ann"
    assert user.label() == "Ann!"


def test_a_model_that_cannot_be_defined_again_does_not_hold_up_the_other_files(app):
    pytest.importorskip("sqlalchemy")
    text = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    class Base(DeclarativeBase):
        pass
    class Tag(Base):
        __tablename__ = "tag"
        id: Mapped[int] = mapped_column(primary_key=True){0}
    """
    a = app(models=text.format(""), web="from APP.models import Tag\ndef view():\n    return 1\n")
    view = a("web").view
    result = a.edit(models=text.format("\n        name: Mapped[str]"))
    assert list(result.restart_required) == [f"{a.name}.models"]
    assert not result.errors
    result = a.edit(web="from APP.models import Tag\ndef view():\n    return 2\n")
    assert result.ok
    assert view() == 2


REGISTER = """
HANDLERS = []
def handler(function):
    HANDLERS.append(function)
    return function
@handler
def first():
    pass
"""


def test_a_new_registration_reaches_a_module_that_has_copied_the_others(app):
    a = app(handlers=REGISTER, web="from APP import handlers\nCOPY = list(handlers.HANDLERS)\n")
    assert len(a("web").COPY) == 1
    a.edit(handlers=REGISTER + "@handler\ndef second():\n    pass\n")
    assert [item.__name__ for item in a("web").COPY] == ["first", "second"]
    assert a("web").COPY[0] is a("handlers").first


def test_a_new_registration_leaves_alone_what_nobody_has_looked_at(app):
    a = app(handlers=REGISTER, web="from APP import handlers\ndef count():\n    return len(handlers.HANDLERS)\n")
    assert a("web").count() == 1
    held = a("handlers").HANDLERS
    a.edit(handlers=REGISTER + "@handler\ndef second():\n    pass\n")
    assert a("handlers").HANDLERS is held
    assert a("web").count() == 2


COMMAND = """
import click
@click.command()
def hello():
    "{0}"
    print({1})
"""


def test_a_docstring_that_a_decorator_has_taken_is_new_in_the_help(app):
    pytest.importorskip("click")
    from click.testing import CliRunner

    a = app(tool=COMMAND.format("Says hello.", 1))
    command = a("tool").hello
    a.edit(tool=COMMAND.format("Says hello.", 2))
    assert a("tool").hello is command
    assert CliRunner().invoke(command, []).output == "2\n"
    a.edit(tool=COMMAND.format("Greets.", 2))
    assert "Greets." in CliRunner().invoke(a("tool").hello, ["--help"]).output


ANNOTATED = """
{0}
from typing import get_type_hints
from APP.models import Order
TABLE = {{}}
def route(function):
    TABLE[function.__name__] = [sorted(get_type_hints(kind)) for kind in get_type_hints(function).values()]
    return function
@route
def order(order: Order):
    pass
"""


@pytest.mark.parametrize("future", ["", "from __future__ import annotations"])
def test_what_was_made_of_annotations_is_made_again_with_the_class(app, future):
    a = app(models="class Order:\n    amount: int\n", web=ANNOTATED.format(future))
    assert a("web").TABLE == {"order": [["amount"]]}
    a.edit(models="class Order:\n    amount: int\n    gift: bool\n")
    assert a("web").TABLE == {"order": [["amount", "gift"]]}


def test_a_pydantic_model_that_refers_to_itself_is_one_class(app):
    pytest.importorskip("pydantic")
    text = (
        "import typing, pydantic\nclass Emp(pydantic.BaseModel):\n    n: int = {0}\n    boss: 'Emp | None' = None\n"
        "    team: 'list[Emp]' = []\n    note: 'typing.Annotated[typing.Optional[Emp], 1]' = None\n"
    )
    a = app(a=text.format(1))
    emp = a("a").Emp
    for number in (2, 3, 4):
        a.edit(a=text.format(number))
        assert a("a").Emp is emp
        one = emp(boss=emp(), team=[emp()], note=emp())
        assert (one.n, one.boss.n, one.team[0].n, one.note.n) == (number,) * 4
        assert type(emp.model_validate(one.model_dump()).boss) is emp
        assert emp.model_fields["boss"].annotation.__args__[0] is emp


def test_fields_of_a_model_reach_the_routes(app):
    pytest.importorskip("pydantic")
    pytest.importorskip("fastapi")
    models = (
        "from __future__ import annotations\nfrom pydantic import BaseModel\nclass Order(BaseModel):\n    n: int{0}\n"
    )
    routes = """
    from __future__ import annotations
    from fastapi import APIRouter
    from APP.models import Order
    router = APIRouter()
    @router.post("/")
    def order(order: Order) -> Order:
        return order
    """
    web = "from fastapi import FastAPI\nfrom APP import routes\napp = FastAPI()\napp.include_router(routes.router)\n"
    a = app(models=models.format(""), routes=routes, web=web)
    assert "gift" not in str(a("web").app.openapi())
    a.edit(models=models.format("\n    gift: int = 1"))
    assert "gift" in str(a("web").app.openapi())


ONLY_ONCE = """
SEEN = {}
class Meta(type):
    def __init__(cls, name, bases, names):
        if SEEN.setdefault(name, cls) is not cls:
            raise TypeError(f"{name} is already registered")
class Model(metaclass=Meta):
    pass
class Plugin:
    def __init_subclass__(cls):
        if SEEN.setdefault(cls.__name__, cls) is not cls:
            raise ValueError(f"there is a {cls.__name__} already")
"""


@pytest.mark.parametrize("base", ["Model", "Plugin"])
def test_a_class_that_a_library_does_not_take_twice_needs_a_restart(app, tmp_path, monkeypatch, base):
    (tmp_path / "only_once.py").write_text(ONLY_ONCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    text = f"from only_once import {base}\nclass User({base}):\n    x = 1\n"
    a = app(a=text, b="Y = 1")
    user = a("a").User
    assert a("b").Y == 1
    result = a.edit(a=text.replace("x = 1", "x = 2"))
    assert "already" in result.restart_required[f"{a.name}.a"]
    assert a.edit(b="Y = 2").ok
    assert (a("a").User is user, user.x, a("b").Y) == (True, 1, 2)
    sys.modules.pop("only_once")
