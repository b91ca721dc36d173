"""``pyautoload serve`` with Flask, Quart and Django: what these copy, look for once, or read at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
pytest.importorskip("uvicorn")

from served import Served

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(Served(tmp_path, *arguments, **more))


# Flask

INIT = """
from flask import Blueprint
bp = Blueprint("main", __name__)
from blog.main import routes
"""
ROUTES = """
from functools import wraps
from blog.main import bp

def loud(view):
    @wraps(view)
    def louder():
        return view().upper()
    return louder

@bp.route("/")
@loud
def index():
    return "first"
"""
BLOG = """
from flask import Flask

def create_app():
    app = Flask(__name__)
    from blog.main import bp
    app.register_blueprint(bp)
    return app
"""


@pytest.mark.parametrize("target", ["blog:create_app()", "blog:create_app", "wsgi:app"])
def test_a_blueprint_whose_routes_are_in_another_module(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("flask")
    files = {"blog/__init__.py": BLOG, "blog/main/__init__.py": INIT, "blog/main/routes.py": ROUTES}
    tree({**files, "wsgi.py": "from blog import create_app\napp = create_app()\n"})
    served = serve(target, *(["--factory"] if target.endswith("create_app") else [])).ready()
    assert served.get().text == "FIRST"
    served.edit("blog/main/routes.py", '"first"', '"second"')
    served.shows("SECOND")
    served.edit("blog/main/routes.py", "@loud\n", "")
    served.shows("second")
    served.edit("blog/main/routes.py", '@bp.route("/")', '@bp.route("/")\n@bp.route("/more")')
    served.shows("second", "/more")
    served.edit("blog/main/routes.py", '@bp.route("/")\n', '@bp.route("/there")\n')
    served.shows("second", "/there")
    served.shows("Not Found", "/")
    assert "serving" in served.log


FORMS = {
    "a name of a module": 'app.config.from_object("blog.settings")',
    "a name of a class": 'app.config.from_object("blog.settings.Local")',
    "a module": "app.config.from_object(settings)",
    "a class": "app.config.from_object(settings.Local)",
    "an object": "app.config.from_object(settings.Local())",
    "a class in a table": 'app.config.from_object(settings.ALL["local"])',
    "a mapping": "app.config.from_mapping(WORD=settings.WORD)",
    "a name of a file": 'app.config.from_pyfile("settings.py")',
}
SETTINGS = """
WORD = "first"

class Base:
    WORD = "first"

class Local(Base):
    pass

ALL = {"local": Local}
"""
HOLDING = """
from flask import Flask
from blog import settings

app = Flask(__name__)
{form}

@app.get("/")
def index():
    return app.config["WORD"]
"""
MAKING = """
from flask import Flask, current_app
from blog import settings

def index():
    return current_app.config["WORD"]

def make():
    app = Flask(__name__)
    {form}
    app.add_url_rule("/", view_func=index)
    return app
"""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("target", "source"), [("blog.web:app", HOLDING), ("blog.web:make()", MAKING)])
def test_a_configuration_that_was_copied_is_never_old(
    target: str, source: str, form: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    pytest.importorskip("flask")
    tree({"blog/web.py": source.format(form=FORMS[form]), "blog/settings.py": SETTINGS})
    served = serve(target).ready()
    assert served.get().text == "first"
    served.edit("blog/settings.py", '"first"', '"second"')
    served.shows("second")
    served.edit("blog/settings.py", '"second"', '"third"')
    served.shows("third")


# Quart


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_quart_template_is_read_anew(wrapped: bool, tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("quart")
    source = """
        from quart import Quart, render_template

        made = Quart(__name__)

        @made.get("/")
        async def index():
            return await render_template("page.html")

        class Wrapped:
            async def __call__(self, scope, receive, send):
                await made(scope, receive, send)

        app = WRAPPED
    """.replace("WRAPPED", "Wrapped()" if wrapped else "made")
    tree({"blog/web.py": source, "blog/templates/page.html": "first"})
    served = serve("blog.web:app").ready()
    assert served.get().text == "first"
    served.write("blog/templates/page.html", "second")
    served.shows("second")
    assert served.started == 1


# Django

SETTINGS_PY = """
from pathlib import Path
BASE_DIR = Path(__file__).parent.parent
SECRET_KEY = "x"
DEBUG = {debug}
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site1.urls"
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "polls"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {{"context_processors": ["django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}}}]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
STATIC_URL = "static/"
TIME_ZONE = "Asia/Tokyo"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
WORD = "first"
"""
URLS = """
from django.contrib import admin
from django.urls import include, path
urlpatterns = [path("admin/", admin.site.urls), path("", include("polls.urls"))]
"""
VIEWS = """
import sys
from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse

def index(request):
    known = sorted(model.__name__ for model in admin.site._registry)
    seen = [name for name in ("signals", "tasks_seen", "wagtail_hooks") if f"polls.{name}" in sys.modules]
    return HttpResponse(f"word {settings.WORD} {known} {seen}")
"""
GATEWAY = """
import os
from django.core.{0} import get_{0}_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")
application = get_{0}_application()
"""
DJANGO = {
    "manage.py": "",
    "site1/__init__.py": "",
    "site1/settings.py": SETTINGS_PY.format(debug=True),
    "site1/urls.py": URLS,
    "site1/wsgi.py": GATEWAY.format("wsgi"),
    "site1/asgi.py": GATEWAY.format("asgi"),
    "polls/__init__.py": "",
    "polls/apps.py": "from django.apps import AppConfig\nclass PollsConfig(AppConfig):\n    name = 'polls'\n"
    "    def ready(self):\n"
    "        from django.utils.module_loading import autodiscover_modules\n"
    "        autodiscover_modules('signals', 'wagtail_hooks')\n",
    "polls/models.py": "from django.db import models\nclass Poll(models.Model):\n"
    "    title = models.CharField(max_length=9)\n",
    "polls/urls.py": "from django.urls import path\nfrom polls import views\nurlpatterns = [path('', views.index)]\n",
    "polls/views.py": VIEWS,
    "polls/static/polls/own.css": "body {}",
}
GATEWAYS = pytest.mark.parametrize("gateway", ["wsgi", "asgi"])


@GATEWAYS
def test_django_serves_static_files_as_runserver_does(gateway: str, tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("django")
    tree(DJANGO)
    served = serve(f"site1.{gateway}:application").ready()
    assert served.get("/static/polls/own.css").text == "body {}"
    assert served.get("/static/admin/css/base.css").status == 200
    assert served.get("/static/nothing.css").status == 404
    served.write("polls/static/polls/own.css", "p {}")
    assert served.get("/static/polls/own.css").text == "p {}"
    assert "word first" in served.get().text


def test_django_serves_no_static_files_where_runserver_does_not(tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("django")
    tree({**DJANGO, "site1/settings.py": SETTINGS_PY.format(debug=False)})
    served = serve("site1.wsgi:application").ready()
    assert served.get("/static/polls/own.css").status == 404


@GATEWAYS
def test_django_apps_beside_the_project_are_reloaded(gateway: str, tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("django")
    tree(DJANGO)
    served = serve(f"site1.{gateway}:application").ready()
    served.get()
    served.edit("polls/views.py", "word {", "words {")
    served.shows("words first")
    assert served.started == 1
    served.printed("exact in")


def test_an_app_that_is_no_root_restarts_and_is_told_how_it_would_not(tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("django")
    tree({**DJANGO, "pyproject.toml": '[tool.pyautoload]\nroots = ["site1"]\n'})
    served = serve("site1.wsgi:application").ready()
    served.get()
    served.edit("polls/views.py", "word {", "words {")
    served.shows("words first")
    assert 'add "polls" to the roots' in served.printed("restarted process")


@pytest.mark.parametrize(
    ("file", "text", "shown"),
    [
        (
            "admin.py",
            "from django.contrib import admin\nfrom polls.models import Poll\nadmin.site.register(Poll)\n",
            "Poll'",
        ),
        ("signals.py", "SEEN = True\n", "signals"),
        ("wagtail_hooks.py", "SEEN = True\n", "wagtail_hooks"),
    ],
)
def test_a_file_that_django_looks_for_comes_and_goes(
    file: str, text: str, shown: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    pytest.importorskip("django")
    directory = tree(DJANGO)
    served = serve("site1.wsgi:application").ready()
    assert shown not in served.get().text
    served.write(f"polls/{file}", text)
    served.shows(shown)
    (directory / "polls" / file).unlink()
    served.until(lambda: shown not in served.get().text, f"{shown} is gone")


@pytest.mark.parametrize("file", ["settings.py", "base.py"])
def test_django_settings_ask_for_a_restart(file: str, tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("django")
    files = dict(DJANGO)
    if file == "base.py":
        files["site1/base.py"] = files["site1/settings.py"]
        files["site1/settings.py"] = "from __future__ import annotations\nfrom site1.base import *\n"
    tree(files)
    served = serve("site1.wsgi:application").ready()
    served.get()
    served.edit(f"site1/{file}", 'WORD = "first"', 'WORD = "second"')
    served.shows("word second")
    served.printed("restarted process")
    served.edit(f"site1/{file}", 'WORD = "second"', 'WORD = "third"')
    served.shows("word third")
