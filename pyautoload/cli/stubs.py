"""``pyautoload stubs``: tell type checkers and editors what the namespaces hold."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pyautoload.cli._output import as_json, json_option
from pyautoload.cli._project import Project, project_options
from pyautoload.printable import printable

if TYPE_CHECKING:
    from pyautoload.stubs import Changes, Stubs

_VERBS = {"missing": "wrote", "outdated": "updated", "stale": "removed"}


@click.command()
@project_options
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a stub is missing, out of date or stale.")
@click.option(
    "--typings",
    default="typings",
    show_default=True,
    metavar="DIR",
    help="For namespaces that have no directory of their own name.",
)
@json_option
def command(project: Project, check: bool, typings: str, json_: bool) -> None:
    """Write an __init__.pyi into each namespace, for mypy, pyright and editors.

    Files that are up to date stay as they are, stale ones go, and those that somebody else wrote or edited are never
    touched. None of your code runs. With --check nothing is written: for CI and pre-commit.
    """
    from pyautoload import stubs as library

    stubs = library.generate(project.loader(), project.directory, typings)
    changes = library.check(stubs) if check else library.write(stubs)
    failed = bool(changes) if check else bool(changes.kept or changes.failed)
    if json_:
        as_json(_as_dict(stubs, changes))
        sys.exit(1 if failed else 0)
    _show(project, stubs, changes, check=check)
    sys.exit(1 if failed else 0)


def _as_dict(stubs: Stubs, changes: Changes) -> dict[str, object]:
    return {
        "files": list(stubs.files),
        "missing": changes.missing,
        "outdated": changes.outdated,
        "stale": changes.stale,
        "kept": changes.kept,
        "failed": changes.failed,
        "notes": stubs.notes,
        "search_paths": stubs.search_paths,
        "explicit_package_bases": stubs.explicit_bases,
    }


def _show(project: Project, stubs: Stubs, changes: Changes, *, check: bool) -> None:
    for state, verb in _VERBS.items():
        for path in getattr(changes, state):
            click.echo(f"{state if check else verb}: {project.shown(path)}")
    for path in changes.kept:
        remedy = "delete it, or take its names over by hand"
        click.echo(f"kept: {project.shown(path)} was not written by this command, or edited since: {remedy}", err=True)
    for path, why in changes.failed.items():
        click.echo(f"failed: {project.shown(path)} cannot be written: {why}", err=True)
    for note in stubs.notes:
        click.echo(f"note: {printable(note)}")
    counted = f"{len(stubs.files)} stub{'s' if len(stubs.files) != 1 else ''}"
    if not changes:
        click.echo(f"{counted}, all up to date")
    elif check:
        click.echo(f"{counted}; `pyautoload stubs` brings them up to date")
    else:
        click.echo(f"{counted}, up to date now")
    _show_settings(project, stubs)


def _show_settings(project: Project, stubs: Stubs) -> None:
    """The lines of configuration without which the checkers do not find everything."""
    if not stubs.search_paths and not stubs.explicit_bases:
        return
    places = [os.path.relpath(path, project.directory).replace(os.sep, "/") for path in stubs.search_paths]
    listed = ", ".join(f'"{place}"' for place in places)
    click.echo("\nfor pyproject.toml:\n[tool.mypy]")
    if places:
        click.echo(f"mypy_path = [{listed}]")
    if stubs.explicit_bases:
        click.echo("explicit_package_bases = true")
    if places:
        click.echo(f"[tool.pyright]\nextraPaths = [{listed}]")
