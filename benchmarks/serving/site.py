"""The application that is served: the code base of ``edits.py``, and the same three views for each framework."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.edits import edit_tree
from benchmarks.opponents.live import DEPENDENTS, TOP

# A text of varying length ends each file that is edited: those who go by size and whole seconds would miss an edit, and
# that is shown on its own.
_FILLER = 40

_MID = '''"""What fifty modules use."""

from {top}.core.hub import LIMIT

RATE = {constant}


def rated(value):
    return value + {body}
'''

_SNAPSHOT = '''"""What the code says now: a function, a constant, and what another module has made of that."""

import {top}.web.everything
from {top}.core.mid import RATE, rated
from {top}.package_000.part_{derived:05} import DERIVED


def snapshot():
    return {{"body": rated(0), "constant": RATE, "derived": DERIVED}}
'''

_FLASK = '''"""The application for Flask."""

import time

from flask import Flask

from {top}.web.snapshot import snapshot

app = Flask(__name__)


@app.get("/version")
def version():
    return {{"view": {view}, **snapshot()}}


@app.get("/other")
def other():
    return {{"other": True}}


@app.get("/slow")
def slow():
    first = snapshot()
    time.sleep(2)
    return {{"first": first, "second": snapshot()}}
'''

_FASTAPI = '''"""The application for FastAPI."""

import asyncio

from fastapi import FastAPI

from {top}.web.snapshot import snapshot

app = FastAPI()


@app.get("/version")
async def version():
    return {{"view": {view}, **snapshot()}}


@app.get("/other")
async def other():
    return {{"other": True}}


@app.get("/slow")
async def slow():
    first = snapshot()
    await asyncio.sleep(2)
    return {{"first": first, "second": snapshot()}}
'''

_DJANGO = '''"""The views for Django."""

import time

from django.http import JsonResponse

from {top}.web.snapshot import snapshot


def version(request):
    return JsonResponse({{"view": {view}, **snapshot()}})


def other(request):
    return JsonResponse({{"other": True}})


def slow(request):
    first = snapshot()
    time.sleep(2)
    return JsonResponse({{"first": first, "second": snapshot()}})
'''

_SETTINGS = '''"""The settings of the Django project."""

import os

SECRET_KEY = "of a benchmark"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "{top}.web.urls"
WSGI_APPLICATION = "{top}.web.wsgi.application"
INSTALLED_APPS = [name for name in os.environ.get("SITE_APPS", "").split() if name]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
USE_TZ = True
'''

_URLS = '''"""The addresses of the Django project."""

from django.urls import path

from {top}.web import django_views

urlpatterns = [
    path("version", django_views.version),
    path("other", django_views.other),
    path("slow", django_views.slow),
]
'''

_WSGI = '''"""The Django project for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{top}.web.settings")
application = get_wsgi_application()
'''

_MANAGE = '''"""The command of the Django project."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{top}.web.settings")
    execute_from_command_line(sys.argv)
'''

_PROJECT = '[tool.pyautoload]\nroots = ["{top}"]\n'

# Framework → the file with its views and their text.
_VIEWS = {
    "flask": ("flask_app.py", _FLASK),
    "fastapi": ("fastapi_app.py", _FASTAPI),
    "django": ("django_views.py", _DJANGO),
}


@dataclass(frozen=True)
class State:
    """What the files say: the number in a view, in the function and in the constant of the module that fifty use.

    Attributes:
        filler: how long the text is made; by default each state has another length than the one before it.
    """

    view: int = 1
    body: int = 1
    constant: int = 1
    filler: int | None = None

    def seen(self) -> dict[str, int]:
        """What ``/version`` answers once all of it is served."""
        return {"view": self.view, "body": self.body, "constant": self.constant, "derived": self.constant * 2 + 1}

    def comment(self) -> str:
        length = (
            self.filler if self.filler is not None else (self.view * 11 + self.body * 7 + self.constant * 3) % _FILLER
        )
        return f"\n# {'.' * length}\n"


class Site:
    """A code base with an application for one framework on top, and the edits that are made to it.

    Args:
        base: the directory that servers are started in.
        framework: ``'flask'``, ``'fastapi'`` or ``'django'``.
    """

    def __init__(self, base: Path, framework: str) -> None:
        name, self._views_text = _VIEWS[framework]
        self.base = base
        self.framework = framework
        self.views = base / TOP / "web" / name
        self.mid = base / TOP / "core" / "mid.py"
        self.state = State()

    def restore(self) -> None:
        """The files as they were at first, nothing compiled of those that are edited."""
        self.state = State()
        for file in (self.views, self.mid):
            for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
                compiled.unlink()
        self.views.write_text(self.views_text(), encoding="utf-8")
        self.mid.write_text(self.mid_text(), encoding="utf-8")

    def views_text(self) -> str:
        return self._views_text.format(top=TOP, view=self.state.view) + self.state.comment()

    def mid_text(self) -> str:
        state = self.state
        return _MID.format(top=TOP, constant=state.constant, body=state.body) + state.comment()

    def edit(self, kind: str, *, filler: int | None = None) -> None:
        """Count ``'view'``, ``'body'`` or ``'constant'`` up, and save the file that it stands in, in place."""
        self.state = replace(self.state, **{kind: getattr(self.state, kind) + 1, "filler": filler})
        file, text = (self.views, self.views_text) if kind == "view" else (self.mid, self.mid_text)
        file.write_text(text(), encoding="utf-8")


def site(work: Path, modules: int, framework: str) -> Site:
    """The application for one framework on a code base of ``modules`` modules; a directory of its own, made once."""
    base = work / f"serve-{framework}-{modules}"
    done = base / ".complete"
    if not done.exists():
        tree = edit_tree(work, modules)
        shutil.rmtree(base, ignore_errors=True)
        shutil.copytree(tree.root, base / TOP, ignore=shutil.ignore_patterns("__pycache__"))
        _write(base, _everything(tree.names.read_text(encoding="utf-8").split()))
        done.touch()
    found = Site(base, framework)
    found.restore()
    return found


def _everything(names: list[str]) -> str:
    return '"""All of the code base."""\n\n' + "".join(f"import {name}\n" for name in names)


def _write(base: Path, everything: str) -> None:
    web = base / TOP / "web"
    web.mkdir()
    (web / "__init__.py").touch()
    (web / "everything.py").write_text(everything, encoding="utf-8")
    texts: dict[Path, str] = {
        web / "snapshot.py": _SNAPSHOT,
        web / "settings.py": _SETTINGS,
        web / "urls.py": _URLS,
        web / "wsgi.py": _WSGI,
        base / "manage.py": _MANAGE,
        base / "pyproject.toml": _PROJECT,
    }
    for file, text in texts.items():
        file.write_text(text.format(top=TOP, derived=DEPENDENTS - 1), encoding="utf-8")
