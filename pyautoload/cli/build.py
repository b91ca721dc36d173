"""``pyautoload build``: the bundle."""

from __future__ import annotations

import os
import sys
import time

import click

from pyautoload.cli._output import as_json, json_option
from pyautoload.cli._progress import progress_bar
from pyautoload.cli._project import Project, project_options
from pyautoload.printable import printable


@click.command()
@project_options
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Where to write; by default where loaders look for it."
)
@json_option
def command(project: Project, output: str | None, json_: bool) -> None:
    """Write the bundle: the scan and the code of all files in one file, for AutoLoader(bundle=True).

    Files are compiled, not run. The exit code is 1 if a file had to be left out, because it cannot be compiled.
    """
    loader = project.loader()
    began = time.perf_counter()
    try:
        with progress_bar("listing", enabled=not json_) as progress:
            built = loader.build_bundle(output, progress=progress)
    except OSError as error:
        raise click.UsageError(f"the bundle cannot be written: {printable(str(error))}") from error
    seconds = time.perf_counter() - began
    if json_:
        as_json(
            {
                "path": built.path,
                "modules": built.modules,
                "size": built.size,
                "skipped": built.skipped,
                "seconds": seconds,
            }
        )
    else:
        place = project.shown(os.path.abspath(built.path))
        click.echo(f"{place}: {built.modules} modules, {built.size / 1024:.0f} KiB, {seconds * 1000:.0f} ms")
        for path, reason in built.skipped.items():
            click.echo(f"left out: {project.shown(path)}: {printable(reason)}", err=True)
    sys.exit(1 if built.skipped else 0)
