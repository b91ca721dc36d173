"""The development servers that are compared: what starts each, in the environment that it needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import servers
from benchmarks.opponents.live import TOP
from benchmarks.process import PROJECT, Figures, Missing, Start
from benchmarks.serving.server import Server
from benchmarks.serving.session import Scenario, run
from benchmarks.serving.site import Site

OURS = "pyautoload serve"
UVICORN = "uvicorn --reload"


@dataclass(frozen=True)
class Contender:
    """One server with one way to look for changes.

    Attributes:
        command: what follows the interpreter; ``{port}`` stands for the port.
        watching: whether it runs where better ways than looking at intervals are installed.
        ours: whether it needs this project on its path.
        settings: further environment variables.
        python: the least version.
        extra: left out of a quick run.
    """

    name: str
    command: tuple[str, ...]
    watching: bool = True
    ours: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    python: tuple[int, int] = (3, 10)
    extra: bool = False


def _ours(application: str) -> Contender:
    return Contender(OURS, ("-m", "pyautoload", "serve", application, "--port", "{port}"), ours=True)


_UVICORN = ("-m", "uvicorn", f"{TOP}.web.fastapi_app:app", "--reload", "--port", "{port}")
_FLASK = ("-m", "flask", "--app", f"{TOP}.web.flask_app", "run", "--debug", "--port", "{port}")
_RUNSERVER = ("manage.py", "runserver", "127.0.0.1:{port}")
_DJANGO_WATCHFILES = (("SITE_APPS", "django_watchfiles"),)
_HMR = ("-m", "uvicorn_hmr", f"{TOP}.web.fastapi_app:app", "--port", "{port}")

# Framework → its servers. What is said first of each opponent is what one has who installs nothing but it.
CONTENDERS = {
    "fastapi": (
        _ours(f"{TOP}.web.fastapi_app:app"),
        Contender(f"{UVICORN}, intervals", _UVICORN, watching=False, extra=True),
        Contender(UVICORN, _UVICORN),
        Contender("uvicorn-hmr", _HMR, python=(3, 12)),
    ),
    "flask": (
        _ours(f"{TOP}.web.flask_app:app"),
        Contender("flask run --debug, intervals", _FLASK, watching=False, extra=True),
        Contender("flask run --debug", _FLASK),
    ),
    "django": (
        _ours(f"{TOP}.web.wsgi:application"),
        Contender("runserver, intervals", _RUNSERVER, watching=False),
        Contender("runserver, django-watchfiles", _RUNSERVER, settings=_DJANGO_WATCHFILES, extra=True),
    ),
}


def start(contender: Contender, site: Site, work: Path, scenarios: list[Scenario]) -> Start:
    """What runs ``scenarios`` on that server and returns the figures."""

    def measured() -> Figures:
        if sys.version_info < contender.python:
            raise Missing(f"{contender.name} needs Python {'.'.join(map(str, contender.python))}")
        return run(_maker(contender, site, work), site, scenarios)

    return measured


def _maker(contender: Contender, site: Site, work: Path) -> Callable[[], Server]:
    command = [servers(work, watching=contender.watching), *contender.command]
    environment = _environment(contender)
    return lambda: Server(command, site.base, environment, work / f"{site.base.name}.log")


def _environment(contender: Contender) -> dict[str, str]:
    """Nothing of this project for others: those who look at the files at intervals would look at all of ours, too."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYAUTOLOAD", "FLASK"))}
    kept.update(contender.settings)
    return {**kept, "PYTHONPATH": str(PROJECT)} if contender.ours else kept
