"""Warm processes: a command on a warm project, and restarts of a server, against cold ones.

The command is `manage.py check` of a Django application with 300 models. The restarts follow an edit of `wsgi.py`, of
`examples/django_app` and of an application whose start is that of its libraries; the time is from the start of the new
process to its turn, as `serve` prints it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Group, Metric, Result, Target
from benchmarks.plan import Plan
from benchmarks.process import PROJECT, ContenderFailed, Figures, Missing, environment

MODELS = 300
PATIENCE = 120.0  # seconds
COLD, WARM = "python", "pyautoload run"
NO_WARM, SERVE = "serve --no-warm", "serve"
# What an application may need whose start is that of its libraries.
LIBRARIES = ("pandas", "sqlalchemy.orm", "pydantic", "flask", "httpx")

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """
SECRET_KEY = "no secret"
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "urls"
"""
URLS = """
from django.contrib import admin
from django.urls import path
urlpatterns = [path("admin/", admin.site.urls)]
"""
MODEL = """
from django.db import models


class Model{number}(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    made = models.DateTimeField(auto_now_add=True)
    before = models.ForeignKey("shop.Model{before}", on_delete=models.CASCADE, related_name="after{number}")

    def __str__(self):
        return self.name
"""
APPLICATION = """
{imports}
from shop import greeting


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [greeting.text().encode()]
"""


def run(plan: Plan) -> list[Result]:
    found = _commands(plan)
    examples = PROJECT / "examples" / "django_app"
    django = plan.work / "warm_django"
    shutil.rmtree(django, ignore_errors=True)
    shutil.copytree(examples, django, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    found += _restarts(plan, "restart, examples/django_app", django, "wsgi:application")
    return found + _restarts(plan, "restart, libraries", _library_application(plan.work), "wsgi:app")


def _commands(plan: Plan) -> list[Result]:
    base = _django_application(plan.work)
    check = ["manage.py", "check"]
    with _station(base) as ready:
        for _ in range(2):
            ready()
            _timed(base, ["-m", "pyautoload", "run", *check])
        ready()
        sides = {
            COLD: lambda: _timed(base, check),
            WARM: lambda: _timed(base, ["-m", "pyautoload", "run", "--why", *check], says="pyautoload: warm"),
        }
        target = Target(WARM, 0.1, COLD)
        metric = Metric("ms", f"manage.py check, {MODELS} models", "ms", baseline=COLD, targets=[target])
        return plan.measure(Group("a command", sides, [metric]))


def _restarts(plan: Plan, title: str, base: Path, target: str) -> list[Result]:
    sides: dict[str, Callable[[], Figures]] = {
        NO_WARM: lambda: _restarted(base, target, "--no-warm"),
        SERVE: lambda: _restarted(base, target),
    }
    metric = Metric("ms", title, "ms", baseline=NO_WARM, targets=[Target(SERVE, 0.3, NO_WARM)])
    return plan.measure(Group(title, sides, [metric]))


def _timed(base: Path, arguments: list[str], *, says: str = "") -> Figures:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=base, env=environment(), capture_output=True, text=True)
    took = (time.perf_counter() - start) * 1000
    if done.returncode or says not in done.stderr:
        raise ContenderFailed(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {"ms": took}


@contextlib.contextmanager
def _station(base: Path) -> Iterator[Callable[[], None]]:
    """``pyautoload warm``; what is given waits until no template is being made any more."""
    log = base / "warm.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pyautoload", "warm"], cwd=base, env=environment(), stdout=output
        )

    def ready() -> None:
        deadline, before = time.monotonic() + PATIENCE, -1
        while time.monotonic() < deadline:
            made = log.read_text().count("a template with")
            if made == before > 0:
                return
            before = made
            time.sleep(5)
        raise ContenderFailed(f"no template came to rest:\n{log.read_text()[-2000:]}")

    try:
        yield ready
    finally:
        process.terminate()
        process.wait()


def _restarted(base: Path, target: str, *options: str) -> Figures:
    """Start a server, give it time to make a template, edit, and read how long the new process took."""
    log = base / "serve.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pyautoload", "serve", "--port", "0", *options, target],
            cwd=base,
            env=environment(),
            stderr=output,
            stdout=output,
        )
    try:
        _printed(log, r"on http://")
        time.sleep(6)
        with open(base / "wsgi.py", "a") as opened:
            opened.write(f"# {time.time()}\n")
        number, unit = re.findall(r"started in ([\d.]+) (ms|s)", _printed(log, "restarted process"))[-1]
        return {"ms": float(number) * (1000 if unit == "s" else 1)}
    finally:
        process.terminate()
        process.wait()


def _printed(log: Path, text: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while text not in (said := log.read_text()):
        if time.monotonic() > deadline:
            raise ContenderFailed(f"it never printed {text!r}:\n{said[-2000:]}")
        time.sleep(0.02)
    return said


def _django_application(work: Path) -> Path:
    if importlib.util.find_spec("django") is None:
        raise Missing("django is not installed: pip install 'pyautoload[bench]'")
    base = work / "warm_models"
    shutil.rmtree(base, ignore_errors=True)
    (base / "shop" / "models").mkdir(parents=True)
    for name, text in {"manage.py": MANAGE, "settings.py": SETTINGS, "urls.py": URLS, "shop/__init__.py": ""}.items():
        (base / name).write_text(text)
    for number in range(MODELS):
        text = MODEL.format(number=number, before=max(0, number - 1))
        (base / "shop" / "models" / f"model{number}.py").write_text(text)
    lines = [f"from shop.models.model{number} import Model{number}" for number in range(MODELS)]
    (base / "shop" / "models" / "__init__.py").write_text("\n".join(lines) + "\n")
    return base


def _library_application(work: Path) -> Path:
    base = work / "warm_libraries"
    shutil.rmtree(base, ignore_errors=True)
    (base / "shop").mkdir(parents=True)
    there = [name for name in LIBRARIES if importlib.util.find_spec(name.partition(".")[0]) is not None]
    (base / "pyproject.toml").write_text('[tool.pyautoload]\nroots = ["shop"]\n')
    (base / "wsgi.py").write_text(APPLICATION.format(imports="\n".join(f"import {name}" for name in there)))
    (base / "shop" / "greeting.py").write_text('def text():\n    return "hello"\n')
    return base
