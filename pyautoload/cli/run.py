"""``pyautoload run``: a program, as ``python`` runs it, from a warm process where there is one."""

from __future__ import annotations

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[--why | --live | --lazy]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="(FILE | -m MODULE | -c CODE) [ARGUMENTS]...")
def command(arguments: tuple[str, ...]) -> None:
    """Run a program as `python` does, from the process that `pyautoload warm` holds for this directory.

    Where there is none, or none that fits, it is a cold process, with the same outcome. --why prints which it was, and
    why, before the program begins. With --lazy it is a cold process in which the files of the project, or of the
    package that -m names, import lazily.

    With --live it is a cold process in which edits take effect while the program runs: of all files below the working
    directory and beside the program. What each reload did is a line on standard error.
    """
    if arguments[:1] == ("--live",):
        from pyautoload.programs.live_program import main as run_live

        run_live(list(arguments[1:]))
    if arguments[:1] == ("--lazy",):
        from pyautoload.programs.lazy_program import main as run_lazily

        run_lazily(list(arguments[1:]))
        return
    from pyautoload.warm.client import main

    main(list(arguments))
