"""``pyautoload run``: a program, as ``python`` runs it, live, and from a warm process where there is one."""

from __future__ import annotations

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[--why] [--live | --no-live | --lazy]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="(FILE | -m MODULE | -c CODE) [ARGUMENTS]...")
def command(arguments: tuple[str, ...]) -> None:
    """Run a program as `python` does, unmodified, with edits that take effect while it runs.

    That goes for all files below the working directory and beside the program. What each reload did is a line on
    standard error. --no-live leaves it out, and so does PYAUTOLOAD_LIVE=0 or PYAUTOLOAD_ENV=production.

    Where `pyautoload warm` holds a process for this directory, the program is forked from that within milliseconds;
    where there is none, or none that fits, it is a cold process, with the same outcome. --why prints which it was, and
    why, before the program begins.

    With --lazy it is a cold process in which the files of the project, or of the package that -m names, import lazily.
    """
    from pyautoload.programs.run_program import main

    main(list(arguments))
