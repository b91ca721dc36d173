"""``pyautoload serve``: a development server in which edits are live."""

from __future__ import annotations

import importlib.util
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from pyautoload.errors import ProductionError, ServeError


@click.command()
@click.argument("target", metavar="MODULE:APP")
@click.option("--factory", is_flag=True, help="APP is a function that makes the application.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option(
    "--interface",
    type=click.Choice(["auto", "wsgi", "asgi"]),
    default="auto",
    show_default=True,
    help="The interface of the application; detected by default.",
)
@click.option("--refresh/--no-refresh", default=True, show_default=True, help="Whether pages reload in the browser.")
@click.option(
    "--overlay/--no-overlay", default=True, show_default=True, help="Whether pages show the error of a failed reload."
)
@click.option("--requests/--no-requests", default=True, show_default=True, help="Whether to print a line per request.")
@click.option("--eager", is_flag=True, help="Load everything at the start, not what is used first.")
@click.option("--polling", is_flag=True, help="Look at the files once a second: for mounts that send no events.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Also answer requests for this host name.")
@click.option(
    "--secret",
    is_flag=True,
    help="Show errors to browsers that opened the printed address only; so with --allow-host and --host, too.",
)
@click.option("--warm/--no-warm", default=True, show_default=True, help="Whether restarts fork, with libraries loaded.")
@click.option("--verify/--no-verify", default=True, show_default=True, help="A fresh process checks each reload.")
@click.option(
    "--report-stale", metavar="DIR", help="Write what a check finds to this directory, with a script to reproduce it."
)
@click.option("--drain", default=10.0, show_default=True, help="Seconds that requests get to finish at a restart.")
@click.option(
    "--lifespan",
    type=click.Choice(["sequential", "overlap"]),
    default="sequential",
    show_default=True,
    help="ASGI: whether the old application ends before a new one starts in its process, or after that.",
)
@click.option("--force", is_flag=True, help="Also where the environment says production.")
@click.option("--root", "roots", multiple=True, metavar="DIR", help="A root, in place of the configuration.")
@click.option("--namespace", "namespaces", multiple=True, metavar="NAME", help="The namespace of that root.")
@click.option("--config", metavar="PATH", help="A pyproject.toml, or a directory in the project.")
@click.option("--loader", metavar="MODULE:NAME", help="A loader that your program makes.")
def command(host: str, port: int, secret: bool, **options: Any) -> None:
    """Serve a WSGI or ASGI application for development: save a file, and the next request uses it.

    MODULE:APP is where it is, myapp.web:app, or a call that makes it, "myapp.web:create_app()".
    """
    from pyautoload.serving.page.access import is_loopback_address, refuse_production
    from pyautoload.serving.server.flask_environment import what_flask_says
    from pyautoload.serving.server.listening_socket import listen
    from pyautoload.serving.server.options import Options
    from pyautoload.serving.server.report import Reporter
    from pyautoload.serving.server.served_program import check
    from pyautoload.serving.server.supervisor import Supervisor

    if not any(map(importlib.util.find_spec, ("werkzeug", "uvicorn"))):
        raise click.ClickException(
            f"serving needs werkzeug (WSGI) or uvicorn (ASGI): {sys.executable} -m pip install 'pyautoload[wsgi]', "
            f"or 'pyautoload[asgi]'"
        )
    if options["report_stale"] and not options["verify"]:
        raise click.UsageError("--report-stale writes down what --verify finds: leave --no-verify out")
    host, port = _address(host, port, what_flask_says(os.environ))
    shown = host.strip("[]")
    # Behind a name of one's own there is mostly a proxy, and one that adds no header makes everybody local.
    with_secret = secret or bool(options["hosts"])
    options["hosts"] += (f"[{shown}]" if ":" in shown else shown,)
    what = Options(**options)
    directory = check(what)
    try:
        refuse_production(force=what.force)
        listener = listen(host, port)
    except ProductionError as error:
        raise click.ClickException(f"{error} (--force, that is)") from error
    except ServeError as error:
        raise click.ClickException(str(error)) from error
    if with_secret or not is_loopback_address(listener.getsockname()[0]):
        what = replace(what, secret=secrets.token_urlsafe(24))
    Supervisor(listener, what, Reporter(directory, what.secret)).run()


def _address(host: str, port: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """Where to listen: what the command line says, else ``FLASK_RUN_HOST`` and ``FLASK_RUN_PORT``."""
    context = click.get_current_context()
    given = {name for name in ("host", "port") if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if "host" not in given:
        host = variables.get("FLASK_RUN_HOST", host)
    if "port" not in given and variables.get("FLASK_RUN_PORT", "").isdigit():
        port = int(variables["FLASK_RUN_PORT"])
    return host, port
