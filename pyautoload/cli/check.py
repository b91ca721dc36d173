"""``pyautoload check``: every problem at once."""

from __future__ import annotations

import collections
import sys
from typing import TYPE_CHECKING

import click

from pyautoload.cli._output import COLOURS, as_json, json_option
from pyautoload.cli._problem_formats import FORMATS, write
from pyautoload.cli._progress import progress_bar
from pyautoload.cli._project import Project, project_options
from pyautoload.printable import printable

if TYPE_CHECKING:
    from pyautoload.checking.reload_replay import Replayed

_OUTCOME_COLOURS = {"exact": "green", "restart": "yellow"}
# So many reasons and differences of a commit are shown.
_SHOWN = 8


@click.command()
@project_options
@click.option("--static", is_flag=True, help="Only read your code; run none of it.")
@click.option(
    "--skip", multiple=True, metavar="KIND", help="Leave out a kind of problem (in [brackets] in the output)."
)
@click.option("--timeout", default=60.0, show_default=True, help="Seconds after which an import counts as endless.")
@click.option("--lazy", is_flag=True, help="Also find what lazy imports delay, and others may count on.")
@click.option("--reload", "span", metavar="FROM..TO", help="Replay these commits, each as a reload.")
@click.option(
    "--output",
    type=click.Choice(list(FORMATS)),
    default="full",
    help="full has source and remedies, concise a line each; github annotates a pull request, sarif is for tools.",
)
@json_option
def command(
    project: Project,
    static: bool,
    skip: tuple[str, ...],
    timeout: float,
    lazy: bool,
    span: str | None,
    output: str,
    json_: bool,
) -> None:
    """Find every problem at once, not only the first.

    Files that do not define their expected name, names that cannot be, conflicts, shadowed files, imports of names that
    are not there, import cycles, dead patterns. Each module is also imported in a child process, so that a crash in
    one of them is a finding and not the end; --static leaves that out. Notes do not count as findings.

    With --reload nothing of that is done: a clone of the repository is reloaded from commit to commit, and compared
    with a fresh process after each.
    """
    if span is not None:
        if static or lazy or skip:
            raise click.UsageError(
                "--reload replays commits: --static, --lazy and --skip are about the files as they are"
            )
        _replay(project, span, timeout, json_)
        return
    from pyautoload.checking.problem_search import find_problems, relative_to

    if static and project.loader_name:
        raise click.UsageError("--static runs nothing, --loader runs your program: use one of them")
    if static and lazy:
        raise click.UsageError("--static runs nothing, --lazy runs everything twice: use one of them")
    if not static:
        project.make_importable()
    with progress_bar("importing", enabled=not static and not json_ and output in ("full", "concise")) as progress:
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
    write((relative_to(project.directory, problem) for problem in problems), output, project.directory)
    if output in ("full", "concise"):
        click.echo(_summary(counts))
    sys.exit(1 if findings else 0)


def _replay(project: Project, span: str, timeout: float, json_: bool) -> None:
    from pyautoload.checking.reload_replay import Replay

    replay = Replay(project.asked_for, span, timeout)
    told = []
    with progress_bar("replaying", enabled=not json_) as progress:
        for number, replayed in enumerate(replay.run(), 1):
            told.append(replayed)
            if progress is not None:
                progress(number, len(replay.commits) - 1, replayed.commit[:9])
            if not json_:
                _show(replayed)
    findings = [replayed for replayed in told if replayed.is_finding]
    counts = collections.Counter(replayed.outcome for replayed in told)
    if json_:
        as_json({"commits": [replayed.as_dict() for replayed in told], "summary": dict(counts)})
    else:
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    sys.exit(1 if findings else 0)


def _show(replayed: Replayed) -> None:
    """Print one commit."""
    colour = "red" if replayed.is_finding else _OUTCOME_COLOURS.get(replayed.outcome)
    click.echo(f"{click.style(f'{replayed.outcome:8}', fg=colour)} {replayed.commit[:9]} {printable(replayed.subject)}")
    for module, reason in list(replayed.reasons.items())[:_SHOWN]:
        click.echo(f"    {module}: {printable(reason)}" if module else f"    {printable(reason)}")
    for difference in replayed.differences[:_SHOWN]:
        click.echo(f"    {printable(str(difference))}")
    if replayed.differences:
        click.secho(
            f"    to see it again: pyautoload check --reload {replayed.commit[:9]}~1..{replayed.commit[:9]}", dim=True
        )


def _summary(counts: collections.Counter[str]) -> str:
    if not counts:
        return "no problems found"
    parts = [f"{counts[name]} {name}{'s' if counts[name] != 1 else ''}" for name in COLOURS if counts[name]]
    return ", ".join(parts)
