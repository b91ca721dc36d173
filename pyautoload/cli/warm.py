"""``pyautoload warm``: a template for ``pyautoload run``."""

from __future__ import annotations

import os
import time

import click

from pyautoload.errors import ServeError


@click.command()
def command() -> None:
    """Hold a process that has imported the project's libraries, from which `pyautoload run` starts programs.

    It serves the working directory until it is ended, and prints what it does. It learns from each program which
    libraries to import, and imports them anew when something that is installed changes.
    """
    from pyautoload.warm.owner import why_unsupported

    if reason := why_unsupported():
        raise click.ClickException(f"there are no warm processes here: {reason}; `pyautoload run` starts cold ones")
    from pyautoload.warm.station import Station

    def told(line: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')} {line}")

    try:
        station = Station(os.getcwd(), told)
    except ServeError as error:
        raise click.ClickException(str(error)) from error
    told(f"serving `pyautoload run` in {station.directory}; press Ctrl-C to stop")
    station.run()
