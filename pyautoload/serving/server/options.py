"""How a program is to be served: what the command line said, in a form that goes from one process to the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["EVENTS", "OURS", "Options"]

# What begins so is asked for by our own script; and the path of the stream that tells browsers of reloads.
OURS = "/__pyautoload__/"
EVENTS = f"{OURS}events"


@dataclass(frozen=True)
class Options:
    """What to serve, and how.

    Attributes:
        target: the application, ``"myapp.web:app"``.
        factory: whether that is a function that makes it.
        interface: ``"wsgi"``, ``"asgi"``, or ``"auto"``.
        roots: directories in place of the configuration.
        namespaces: of the roots, in the same order.
        config: a ``pyproject.toml``, or a directory in the project.
        loader: ``"module:name"`` of the loader that the program makes itself.
        eager: load everything at the start.
        polling: look at the files at intervals in place of waiting for events.
        refresh: whether pages reload in the browser.
        overlay: whether pages show errors.
        hosts: names besides this machine's own under which pages may be asked for.
        force: also where the environment says production.
        drain: how long (seconds) requests may go on in a process that is being replaced.
        requests: whether each request is reported.
        lifespan: whether an application that is recreated in the same process is started after the old one has ended,
            ``"sequential"``, or before that, ``"overlap"``.
        warm: whether a new process starts with the libraries of the one before, where the system can do that.
        verify: whether a fresh process proves each reload.
        report_stale: a directory for what was found by that; ``None`` for none.
        secret: what a browser has to know to see errors; empty for nothing.
    """

    target: str
    factory: bool = False
    interface: str = "auto"
    roots: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    config: str | None = None
    loader: str | None = None
    eager: bool = False
    polling: bool = False
    refresh: bool = True
    overlay: bool = True
    hosts: tuple[str, ...] = ()
    force: bool = False
    drain: float = 10.0
    requests: bool = True
    lifespan: str = "sequential"
    warm: bool = True
    verify: bool = True
    report_stale: str | None = None
    secret: str = ""

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Options:
        """From that text."""
        values: dict[str, Any] = json.loads(text)
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**given)
