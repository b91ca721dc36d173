"""``pyautoload profile``: where the time of imports goes."""

from __future__ import annotations

import os
import sys

import click

from pyautoload.cli._output import as_json, json_option
from pyautoload.cli._progress import progress_bar
from pyautoload.cli._project import Project, project_options
from pyautoload.errors import EagerLoadError
from pyautoload.printable import described


@click.command()
@project_options
@click.argument("names", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write a report: .html (icicle), .speedscope.json, .json, or .txt.",
)
@click.option("--limit", default=20, show_default=True, help="How many modules the table shows.")
@click.option("--no-libraries", is_flag=True, help="Count unmanaged imports as the time of the module that makes them.")
@json_option
def command(
    project: Project, names: tuple[str, ...], output: str | None, limit: int, no_libraries: bool, json_: bool
) -> None:
    """Measure how long each module takes to import, and who imports it first.

    Everything is loaded; NAMES (myapp.models.User) measures only what these need. Your code runs in this process.
    """
    import importlib

    # Else their time would be counted as that of the module that uses them first.
    for needed in ("pyautoload.importing.eager_load", "pyautoload.importing.direct_import", "pyautoload.profiling"):
        importlib.import_module(needed)
    loader = project.running_loader()
    failed = False
    bar = progress_bar("importing", enabled=not json_ and not names)
    with bar as progress, loader.profile(libraries=not no_libraries) as profile:
        try:
            if names:
                for name in names:
                    loader.resolve(name)
            else:
                loader.eager_load(force=True, progress=progress)
        except EagerLoadError as error:
            click.echo(str(error), err=True)
            failed = True
        except Exception as error:  # noqa: BLE001 - what was measured until then is shown
            click.echo(described(error), err=True)
            failed = True
    if output is not None:
        profile.write(output)
        click.echo(f"{output}: {len(profile.modules())} modules, {profile.total * 1000:.0f} ms", err=json_)
    if json_:
        as_json(profile.as_dict())
    elif output is None:
        click.echo(profile.table(limit).replace(project.directory.rstrip(os.sep) + os.sep, ""))
    sys.exit(1 if failed else 0)
