"""``pyautoload explain``: from a name to a file and from a file to a name, step by step."""

from __future__ import annotations

import os
import sys

import click

from pyautoload.cli._output import as_json, json_option, marks
from pyautoload.cli._project import Project, project_options
from pyautoload.printable import printable


@click.command()
@project_options
@click.argument("name_or_path")
@json_option
def command(project: Project, name_or_path: str, json_: bool) -> None:
    """Show step by step how a name or a path is resolved: which root, which rule, which file, or why not.

    None of your code runs. The exit code is 1 for what is not managed.
    """
    from pyautoload.checking.explanation import explain

    explanation = explain(project.loader(), name_or_path)
    if json_:
        steps = [{"ok": step.ok, "text": step.text} for step in explanation.steps]
        found = {"subject": explanation.subject, "found": explanation.found, "steps": steps}
        as_json({**found, "file": explanation.file, "name": explanation.name, "provides": explanation.provides})
        sys.exit(0 if explanation.found else 1)
    drawn = marks()
    prefix = project.directory.rstrip(os.sep) + os.sep
    for step in explanation.steps:
        mark, colour = (drawn.yes, "green") if step.ok else (drawn.no, "red") if step.ok is False else (drawn.dot, None)
        click.echo(f"{click.style(mark, fg=colour)} {printable(step.text.replace(prefix, ''))}")
    subject = printable(explanation.subject)
    if explanation.found:
        target = project.shown(explanation.file) if explanation.file else explanation.name
        source = explanation.provides if target == name_or_path else subject
        click.secho(f"{source} {drawn.arrow} {target}", bold=True)
    else:
        click.secho(f"{subject} is not managed", bold=True)
    sys.exit(0 if explanation.found else 1)
