"""``pyautoload test``: pytest, of those tests that an edit can affect."""

from __future__ import annotations

import os
import sys

import click

_FRESH = "--fresh was given"
# Of pytest: with these, people want to see what it prints, or to answer it.
_SHOWN_LIVE = frozenset(
    ["-s", "--capture=no", "--pdb", "--trace", "-h", "--help", "--collect-only", "--co", "--fixtures"]
)


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True, "help_option_names": ["--help"]},
)
@click.option("--once", is_flag=True, help="Run what has changed since the last time, and end with pytest's exit code.")
@click.option("--json", "as_json", is_flag=True, help="Print an object a line, for other programs.")
@click.option("--why", is_flag=True, help="Name each selected test, with the reason.")
@click.option("--plain", is_flag=True, help="Lines in place of the live screen: what tests print, and debuggers.")
@click.option("--fresh", is_flag=True, help="Run everything, whatever is recorded.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST'S OWN ARGUMENTS]...")
def command(once: bool, as_json: bool, why: bool, plain: bool, fresh: bool, arguments: tuple[str, ...]) -> None:
    """Run the tests that an edit can affect, at each save.

    It is pytest that runs, with its own arguments and the project's configuration. What each test uses is recorded in
    `.pyautoload/`, so that only those run again that a change concerns.
    """
    import importlib.util

    if importlib.util.find_spec("pytest") is None:
        raise click.ClickException(f"pytest is not installed: {sys.executable} -m pip install pytest")
    from pyautoload.testing.keys import is_possible

    if not (once or as_json or plain) and is_possible() and _SHOWN_LIVE.isdisjoint(arguments):
        sys.exit(_on_screen(arguments, why, fresh))
    from pyautoload.testing.run_report import JsonReport, Report
    from pyautoload.testing.run_session import Session
    from pyautoload.testing.running import run_once, watch

    report = JsonReport(is_telling_why=why) if as_json else Report(is_telling_why=why)
    session = Session(os.getcwd(), arguments, report, is_warm=not once, is_quiet=as_json)
    if fresh:
        session.want_all(_FRESH)
    try:
        code = run_once(session) if once else watch(session)
    except KeyboardInterrupt:
        code = 130
    finally:
        session.close()
    sys.exit(code)


def _on_screen(arguments: tuple[str, ...], why: bool, fresh: bool) -> int:
    from pyautoload.testing.run_session import Session
    from pyautoload.testing.running import watch
    from pyautoload.testing.screen import Screen

    screen = Screen(os.getcwd(), shows_why=why)
    session = Session(os.getcwd(), arguments, screen, is_warm=True, is_quiet=True)
    if fresh:
        session.want_all(_FRESH)
    try:
        return watch(session, lambda put: screen.begin(session, put))
    except KeyboardInterrupt:
        return session.code if screen.is_over else 130
    finally:
        screen.end()
        session.close()
