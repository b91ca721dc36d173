"""The live screen of ``pyautoload test``: failures first, each with what failed and where; keys ask for more."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.style import Style
from rich.text import Text

from pyautoload.testing.keys import Keys
from pyautoload.testing.run_report import Report
from pyautoload.testing.run_session import Session

__all__ = ["Screen"]

_PLACE = re.compile(r"^(?P<path>\S.*?):(?P<line>\d+):")
_STYLES = {"failed": "bold red", "error": "bold red", "skipped": "yellow", "passed": "green"}
_BAD = ("failed", "error")
_ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_HELP = "w why   a run all   f run failed   p filter   q quit"
# So many lines of what failed are shown of each test, and of what pytest printed where it did not come to its end.
_DETAIL = 12
# How often (seconds) a running test is shown.
_PACE = 0.1


class _Outcome(NamedTuple):
    outcome: str
    longrepr: str | None


class Screen(Report):
    """Shows the last outcome of each test.

    Args:
        directory: what places are relative to.
        console: where it is shown; the terminal by default.
        shows_why: whether the reasons are shown from the beginning.
    """

    def __init__(self, directory: str, console: Console | None = None, *, shows_why: bool = False) -> None:
        super().__init__()
        self.directory = directory
        self.console = console or Console()
        self.is_over = False
        self._session: Session | None = None
        self._outcomes: dict[str, _Outcome] = {}
        self._reasons: Mapping[str, list[str]] = {}
        self._everything: str | None = None
        self._broken: Mapping[str, str] = {}
        # What there is to say besides, the last few lines; what pytest printed when it did not come to its end.
        self._notes: list[str] = []
        self._trouble = ""
        self._state = "starting"
        self._ran = 0
        self._seconds = 0.0
        self._shows_why = shows_why
        # What is shown and run; what is being typed, if it is.
        self._filter = ""
        self._typed: str | None = None
        self._shown_at = 0.0
        self._lock = threading.RLock()  # keys come in a thread of their own
        self._put: Callable[[Callable[[], object]], object] = lambda command: None
        self._live = Live(console=self.console, screen=True, auto_refresh=False, get_renderable=self._render)
        self._keys = Keys(self._press, self._refresh)
        # Signal → what it did before.
        self._handlers: dict[int, Any] = {}

    # Begin and end

    def begin(self, session: Session, put: Callable[[Callable[[], object]], object]) -> None:
        """Show the screen.

        Args:
            session: of the tests.
            put: has something done in the thread that runs the tests.
        """
        self._session, self._put = session, put
        self._take_known()
        for number in _ENDS:
            self._handlers[number] = signal.signal(number, self._signalled)
        self._live.start()
        self._keys.start()

    def end(self) -> None:
        """Leave the terminal as it was, with a line on how the tests are."""
        with contextlib.suppress(OSError):  # the terminal may have gone
            self._keys.stop()
            if self._live.is_started:
                self._live.stop()
                self.console.print(self._summary())
                for name in self._failing():
                    self.console.print(Text(f"{self._outcomes[name].outcome.upper()} {name}", style="red"))
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    @staticmethod
    def _signalled(number: int, frame: FrameType | None) -> None:
        """End as a signal ends a program, but leave the terminal as it was."""
        sys.exit(128 + number)

    # Keys

    def _press(self, key: str) -> None:
        with self._lock:
            if self._typed is not None:
                self._type(key)
            elif key == "w":
                self._shows_why = not self._shows_why
            elif key == "p":
                self._typed = ""
            elif key == "q":
                self.is_over = True
                self._keys.interrupt()
            elif key in "af" and self._session is not None:
                self._put(self._run_all if key == "a" else self._run_failed)
        self._refresh()

    def _type(self, key: str) -> None:
        assert self._typed is not None
        if key in "\r\n":
            self._filter, self._typed = self._typed, None
            if self._filter:
                self._put(self._run_filtered)
        elif key == "\x1b":
            self._typed = None
        elif key in "\x7f\b":
            self._typed = self._typed[:-1]
        elif key.isprintable():
            self._typed += key

    def _run_all(self) -> None:
        assert self._session is not None
        self._session.want_all("it was asked for")

    def _run_failed(self) -> None:
        assert self._session is not None
        self._session.want(filter(self._is_shown, self._session.failing()), "it failed")

    def _run_filtered(self) -> None:
        assert self._session is not None
        self._session.want(filter(self._is_shown, list(self._outcomes)), f"the filter {self._filter}")

    def _is_shown(self, name: str) -> bool:
        return self._filter in name

    # What is told

    def note(self, line: str) -> None:
        """Something to know."""
        self._notes = [*self._notes[-2:], line]
        self._refresh()

    def broken(self, files: Mapping[str, str]) -> None:
        """Files cannot be compiled."""
        self._broken = dict(files)
        self._refresh()

    def reloaded(self, files: Sequence[str]) -> None:
        """Files have changed, and can be compiled."""
        self._broken = {}

    def selected(self, reasons: Mapping[str, list[str]], of: int, everything: str | None) -> None:
        """What runs now."""
        self._reasons, self._everything = reasons, everything
        self._state, self._ran, self._trouble, self._broken = "running", 0, "", {}
        self._refresh()

    def tested(self, name: str, outcome: str, seconds: float, longrepr: str | None) -> None:
        """A test has run."""
        with self._lock:
            self._outcomes[name] = _Outcome(outcome, longrepr)
            self._ran += 1
        if outcome in _BAD or time.monotonic() - self._shown_at > _PACE:
            self._refresh()

    def trouble(self, output: str) -> None:
        """pytest did not come to its end."""
        self._trouble = output

    def ran(self, seconds: float, code: int) -> None:
        """A run is over."""
        self._seconds = seconds
        self._take_known()

    def waiting(self) -> None:
        """The next save is waited for."""
        self._state = "waiting"
        self._refresh()

    def idle(self, failing: Sequence[str], of: int) -> None:
        """Nothing is to run."""
        self._reasons, self._everything, self._broken = {}, None, {}
        self._take_known()

    def _take_known(self) -> None:
        """The tests that are gone are shown no more."""
        if self._session is None:
            return
        recording = self._session.recording
        found = {name: _Outcome(tested.outcome, tested.longrepr) for name, tested in recording.tests.items()}
        errors = {each.id: _Outcome("error", each.error) for each in recording.collected.values() if each.error}
        with self._lock:
            self._outcomes = {**found, **errors}

    # What is shown

    def _refresh(self) -> None:
        self._shown_at = time.monotonic()
        if self._live.is_started:
            self._live.refresh()

    def _render(self) -> RenderableType:
        with self._lock:
            width, height = self.console.size
            lines = [self._summary(), *self._troubles(), *(self._why() if self._shows_why else ())]
            room = max(height - 2, 1)
            failures = [line for name in self._failing() for line in self._failure(name)]
            lines += failures
            if len(lines) > room:
                lines = [*lines[: room - 1], Text(f"... {len(lines) - room + 1} more lines", style="dim")]
            lines += [Text()] * (room - len(lines))
            foot = f"filter: {self._typed}_" if self._typed is not None else _HELP
            if self._filter and self._typed is None:
                foot += f"   (filter: {self._filter})"
            lines = [*lines, Text(foot, style="dim")]
            for line in lines:
                line.truncate(width, overflow="ellipsis")
            return Group(*lines)

    def _failing(self) -> list[str]:
        return [name for name, each in self._outcomes.items() if each.outcome in _BAD and self._is_shown(name)]

    def _summary(self) -> Text:
        shown = [each.outcome for name, each in self._outcomes.items() if self._is_shown(name)]
        parts = [
            (f"{shown.count(outcome)} {told}", style)
            for outcome, told, style in (
                ("failed", "failed", "bold red"),
                ("error", "errors", "bold red"),
                ("passed", "passed", "green"),
                ("skipped", "skipped", "yellow"),
            )
            if shown.count(outcome)
        ]
        text = Text(no_wrap=True)
        for part, style in parts or [("no tests", "yellow")]:
            text.append(part, style=style).append("  ")
        if self._state == "running":
            text.append(f"running {self._ran} of {len(self._reasons) or '?'}", style="cyan")
        elif self._seconds:
            text.append(f"{self._ran} ran in {self._seconds:.2f} s; {self._state}", style="dim")
        return text

    def _troubles(self) -> Iterator[Text]:
        for error in self._broken.values():
            yield Text(f"{self._shown(error)}; the last outcomes stay", style="bold yellow", no_wrap=True)
        for line in self._notes:
            yield Text(line, style="dim", no_wrap=True)
        for line in self._trouble.splitlines()[-_DETAIL:]:
            yield Text(line, no_wrap=True)

    def _why(self) -> Iterator[Text]:
        if self._everything is not None:
            yield Text(f"all tests: {self._everything}", style="cyan", no_wrap=True)
            return
        if not self._reasons:
            yield Text("nothing had to run", style="cyan")
        for name, reasons in self._reasons.items():
            yield Text(f"{name}: {', '.join(reasons)}", style="cyan", no_wrap=True)

    def _failure(self, name: str) -> Iterator[Text]:
        outcome, longrepr = self._outcomes[name]
        lines = (longrepr or "").splitlines()
        place = next((found for line in reversed(lines) if (found := _PLACE.match(line))), None)
        yield Text()
        head = Text(no_wrap=True).append(outcome.upper(), style=_STYLES[outcome]).append(f" {name}", style="bold")
        if place is not None:
            path = os.path.join(self.directory, place["path"])
            link = f"{Path(path).as_uri()}#{place['line']}"
            head.append("  ").append(f"{self._shown(path)}:{place['line']}", style=Style(underline=True, link=link))
        yield head
        details = [line for line in lines if line.startswith(("E ", ">"))] or lines
        for line in details[:_DETAIL]:
            yield Text(f"  {line}", style="red" if line.startswith("E ") else "", no_wrap=True)

    def _shown(self, path: str) -> str:
        return path.removeprefix(self.directory.rstrip(os.sep) + os.sep)
