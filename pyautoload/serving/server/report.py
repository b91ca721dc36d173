"""Reporter: what the development server says, one line an event; coloured in a terminal, plain elsewhere."""

from __future__ import annotations

import os
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import click

from pyautoload.errors import ReloadError
from pyautoload.printable import wanted_colour
from pyautoload.reloading.result import ReloadResult, some, what_was_done
from pyautoload.serving.page.endpoints import OPEN
from pyautoload.serving.page.failure import Failure, described
from pyautoload.serving.server.listening_socket import url
from pyautoload.serving.server.options import OURS

__all__ = ["Reporter"]

# So many names are shown before "and 12 more".
_SHOWN = 4


class Reporter:
    """Writes to standard error, which leaves standard output to the program.

    Args:
        directory: what paths are shown relative to.
        secret: what belongs to the address that is shown, for those who are to see errors.
    """

    def __init__(self, directory: str, secret: str = "") -> None:
        self.directory = directory
        # The time zone of now: a program that sets another one for itself (Django does) changes no line of ours.
        self._zone = timezone(timedelta(seconds=time.localtime().tm_gmtoff))
        self.secret = secret
        # Requests are answered in many threads: a line is never torn.
        self._lock = threading.Lock()

    # The supervisor's

    def serving(self, listener: socket.socket, target: str, ready: dict[str, Any], took: float) -> None:
        """The program answers now."""
        what = f"{target} ({ready['interface'].upper()} on {ready['server']}, started in {_time(took)})"
        self._say(
            "serving", "green", f"{what} on {click.style(self._address(listener), bold=True)} - press Ctrl-C to stop"
        )
        self._tell_of_secret()

    def waiting(self, listener: socket.socket) -> None:
        """Only the error is shown, until the next edit."""
        self._say("waiting", "yellow", f"for an edit; until then the error is shown on {self._address(listener)}")
        self._tell_of_secret()

    def _address(self, listener: socket.socket) -> str:
        return url(listener) + (f"{OPEN}?{self.secret}" if self.secret else "")

    def _tell_of_secret(self) -> None:
        if self.secret:
            self._say("secret", "", "open that address once in each browser that is to see errors and to reload pages")

    def restarting(self, reasons: dict[str, str]) -> None:
        """A new process is being started."""
        self._say("restarting", "yellow", self._reasons(reasons))

    def restarted(self, process: int, took: float, reasons: dict[str, str]) -> None:
        """The new process answers now."""
        why = f": {self._reasons(reasons)}" if reasons else ""
        self._say("restarted", "green", f"process {process}, started in {_time(took)}{why}")

    @staticmethod
    def _reasons(reasons: dict[str, str]) -> str:
        return some([f"{name} ({why})" if why else name for name, why in reasons.items()], _SHOWN, "; ")

    def not_started(self, failure: Failure, *, serving_on: bool) -> None:
        """The program, or its successor, could not be started."""
        rest = "; the previous process is still running" if serving_on else ""
        self._say("start failed:", "red", f"{failure.headline(self.directory)}{rest}")
        # Without a frame of the user's it has but the line that stands there already.
        if "\n" in failure.trace.strip():
            click.echo(failure.trace, err=True)

    def died(self, how: str) -> None:
        """The process that serves ended, and nobody had told it to."""
        self._say("ended", "red", f"the process that serves {how}")

    def error(self, reason: str) -> None:
        """There is nothing to be done."""
        self._say("error", "red", reason)

    def stopped(self) -> None:
        """The end."""
        self._say("stopped", "", "")

    # Of the process that serves

    def reload(self, result: ReloadResult, anew: str | None = None) -> None:
        """One line about one reload that needs no new process: what runs is what a new one would run.

        Args:
            result: of the reload.
            anew: why another application is in use now, if there is one.
        """
        took = _time(result.duration)
        if result.errors:
            failures = "; ".join(self._failure(error) for error in result.errors)
            self._say("reload failed", "red", f"in {took}: {failures}; still running the previous code")
            return
        left = [f"left as it was: {self._failure(error)}" for error in result.still_failing]
        parts = what_was_done(result, _SHOWN) or ["no code changes"]
        why: dict[str, str] = getattr(result, "why", {})
        text = "; ".join([*parts, *left, *result.notes, *([anew] if anew else []), *why.values()])
        if left:
            self._say("partly", "yellow", f"in {took}: {text}")
        else:
            self._say("anew" if anew else "exact", "green", f"in {took}: {text}")

    def not_made(self, error: BaseException) -> None:
        """The application could not be recreated."""
        failure = Failure.of(error, self.directory)
        text = (
            f"the application could not be created: {failure.headline(self.directory)}; still running the previous one"
        )
        self._say("reload failed", "red", text)

    def refresh(self, paths: list[str]) -> None:
        """Open pages are loaded again, as these files were saved."""
        self._say("saved", "green", f"{some(paths, _SHOWN)}; open pages load again")

    def _failure(self, error: ReloadError) -> str:
        text = described(error.__cause__ or error)
        if error.file is None:
            return f"{error.module}: {text}"
        file = error.file.removeprefix(self.directory.rstrip(os.sep) + os.sep)
        return f"{file}:{error.line}: {text}" if error.line else f"{file}: {text}"

    def crashed(self, error: BaseException) -> None:
        """A request failed in the program."""
        failure = Failure.of(error, self.directory)
        self._say("error:", "red", failure.headline(self.directory))
        click.echo(failure.trace, err=True)

    def request(self, method: str, path: str, status: int, took: float) -> None:
        """One line about one request, if it is the user's."""
        if path.startswith(OURS):
            return
        colour = "red" if status >= 500 else "yellow" if status >= 400 else "cyan" if status >= 300 else ""
        method, shown = (
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in (method, path)
        )
        self._say(str(status), colour, f"{method} {shown} {_time(took)}")

    def _say(self, word: str, colour: str, text: str) -> None:
        stamp = click.style(datetime.now(self._zone).strftime("%H:%M:%S"), dim=True)
        with self._lock:
            click.echo(
                f"{stamp} {click.style(word, fg=colour or None, bold=True)} {text}".rstrip(),
                err=True,
                color=wanted_colour(),
            )


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
