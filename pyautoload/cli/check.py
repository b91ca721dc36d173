"""``pyautoload check``: every problem at once."""

from __future__ import annotations

import collections
import sys

import click

from pyautoload.cli._output import COLOURS, as_json, json_option
from pyautoload.cli._progress import progress_bar
from pyautoload.cli._project import Project, project_options


@click.command()
@project_options
@click.option("--static", is_flag=True, help="Run nothing of your code: read it only.")
@click.option(
    "--skip", multiple=True, metavar="KIND", help="Leave out a kind of problem (in [brackets] in the output)."
)
@click.option("--timeout", default=60.0, show_default=True, help="Seconds after which an import counts as endless.")
@click.option("--lazy", is_flag=True, help="Also find what lazy imports delay, and others may count on.")
@json_option
def command(project: Project, static: bool, skip: tuple[str, ...], timeout: float, lazy: bool, json_: bool) -> None:
    """Find every problem at once, not only the first.

    Files that do not define their expected name, names that cannot be, conflicts, shadowed files, imports of names that
    are not there, import cycles, dead patterns. Each module is also imported in a child process, so that a crash in
    one of them is a finding and not the end; --static leaves that out. Notes are no findings.
    """
    from pyautoload.checking.problem_search import find_problems, relative_to

    if static and project.loader_name:
        raise click.UsageError("--static runs nothing, --loader runs your program: use one of them")
    if static and lazy:
        raise click.UsageError("--static runs nothing, --lazy runs everything twice: use one of them")
    if not static:
        project.make_importable()
    with progress_bar("importing", enabled=not static and not json_) as progress:
        problems = find_problems(
            project.loader(),
            static=static,
            skip=skip,
            plain=project.settings.plain_modules,
            base=project.directory,
            timeout=timeout,
            progress=progress,
            loader_name=project.loader_name,
            lazy=lazy,
        )
    findings = [problem for problem in problems if problem.is_finding]
    counts = collections.Counter(problem.severity for problem in problems)
    if json_:
        summary = {severity: counts[severity] for severity in COLOURS}
        as_json({"problems": [problem.as_dict() for problem in problems], "summary": summary})
        sys.exit(1 if findings else 0)
    for problem in problems:
        shown = relative_to(project.directory, problem)
        severity = click.style(shown.severity, fg=COLOURS[shown.severity], bold=True)
        kind = click.style(f"[{shown.kind}]", dim=True)
        click.echo(f"{click.style(shown.place, bold=True)}: {severity}: {shown.message} {kind}")
        for line in shown.details:
            click.echo(f"    {line}")
        if shown.remedy:
            click.secho(f"    {shown.remedy}", dim=True)
    click.echo(_summary(counts))
    sys.exit(1 if findings else 0)


def _summary(counts: collections.Counter[str]) -> str:
    if not counts:
        return "all is well"
    parts = [f"{counts[name]} {name}{'s' if counts[name] != 1 else ''}" for name in COLOURS if counts[name]]
    return ", ".join(parts)
