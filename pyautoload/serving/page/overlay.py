"""PageEvents: what open pages are told: that there is something new, and what the overlay prints."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from pyautoload.errors import ReloadError
from pyautoload.serving.page.editor import editor_link
from pyautoload.serving.page.failure import Failure
from pyautoload.serving.page.traceback_frames import Part, source_around

__all__ = ["OverlayMessage", "PageEvents"]


class OverlayMessage(NamedTuple):
    """What is wrong at the moment.

    Attributes:
        title: ``"Your last edit was not applied"``.
        summary: ``"SyntaxError: invalid syntax"``.
        file: where, relative to the working directory if it lies there.
        line: the line there.
        source: lines with their numbers.
        hint: what to do.
        link: opens the file in an editor.
        parts: the errors with their frames, where there is more to tell than that place.
    """

    title: str
    summary: str
    file: str | None
    line: int | None
    source: list[tuple[int, str]]
    hint: str
    link: str = ""
    parts: list[Part] = []

    @classmethod
    def of_reload(cls, error: ReloadError) -> OverlayMessage:
        """A reload failed."""
        failure = Failure.of(error.__cause__ or error, os.getcwd())
        file, line = (error.file, error.line) if error.file else (failure.file, failure.line)
        return cls._at(
            "Your last edit was not applied",
            replace(failure, file=file, line=line),
            "Still running the previous code.",
        )

    @classmethod
    def of_application(cls, error: BaseException) -> OverlayMessage:
        """The application could not be recreated."""
        failure = Failure.of(error, os.getcwd())
        hint = "Still serving the previous version."
        return cls._at("The application could not be recreated", failure, hint)

    @classmethod
    def of_restart(cls, reasons: dict[str, str]) -> OverlayMessage:
        """A change needs a new process."""
        summary = "; ".join(f"{name}: {why}" for name, why in reasons.items())
        return cls("Your last edit needs a restart", summary, None, None, [], "Still running the previous code.")

    @classmethod
    def of_successor(cls, failure: Failure, *, trial: bool = False) -> OverlayMessage:
        """A restart failed; with ``trial`` one that was to show whether an edit is right."""
        title = "Your last edit fails" if trial else "The restart failed"
        hint = "A new process fails with it too. " if trial else ""
        hint += "Still serving the previous version."
        return cls._at(title, failure, hint)

    @classmethod
    def _at(cls, title: str, failure: Failure, hint: str) -> OverlayMessage:
        file, line = failure.file, failure.line
        shown = file.removeprefix(os.getcwd() + os.sep) if file else None
        link = editor_link(file, line) if file else ""
        return cls(title, failure.summary, shown, line, source_around(file, line), hint, link, _more(failure))


class PageEvents:
    """What is new, and everybody who wants to know.

    Thread 1 (the watcher) reloads and publishes, threads 2 to 9 (event streams of WSGI) wait for that, and the event
    loop is woken for those of ASGI.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        # Which process this is, and how often something changed in it: a page reloads when that is not what it knows.
        self._process = secrets.token_hex(4)
        self._version = 0
        # What is wrong, by what it concerns. Example: {"reload": OverlayMessage(...)}
        self._troubles: dict[str, OverlayMessage] = {}
        # Counts everything that is told.
        self._number = 0
        self._is_over = False
        self._wakers: set[Callable[[], object]] = set()

    def tell(self, *, changed: bool, troubles: dict[str, OverlayMessage | None]) -> None:
        """Publish.

        Args:
            changed: whether pages may look different now.
            troubles: what is wrong, or ``None`` for what is right again.
        """
        with self._condition:
            before = dict(self._troubles)
            for about, trouble in troubles.items():
                if trouble is None:
                    self._troubles.pop(about, None)
                else:
                    self._troubles[about] = trouble
            if not changed and before == self._troubles:
                return
            self._version += changed
            self._number += 1
        self._wake()

    def has_trouble(self, about: str) -> bool:
        """Whether something is wrong with what is named so."""
        with self._condition:
            return about in self._troubles

    def end(self) -> None:
        """All streams end: the server stops."""
        with self._condition:
            self._is_over = True
        self._wake()

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()
            wakers = list(self._wakers)
        for waker in wakers:
            waker()

    @property
    def is_over(self) -> bool:
        """Whether all streams are to end."""
        return self._is_over

    @property
    def version(self) -> str:
        """What pages are made with now: it changes with each reload, and with each process."""
        return f"{self._process}-{self._version}"

    @property
    def number(self) -> int:
        """How much has been told: another number, other news."""
        return self._number

    def wait(self, number: int, seconds: float) -> int:
        """Wait until there is more than ``number``; the number then."""
        with self._condition:
            self._condition.wait_for(lambda: self._number != number or self._is_over, seconds)
            return self._number

    @contextmanager
    def waking(self, waker: Callable[[], object]) -> Iterator[None]:
        """Call ``waker`` whenever there is something new, in whatever thread."""
        with self._condition:
            self._wakers.add(waker)
        try:
            yield
        finally:
            with self._condition:
                self._wakers.discard(waker)

    def event(self) -> bytes:
        """What is so now, as an event of a stream."""
        with self._condition:
            version, troubles = self.version, list(self._troubles.values())
        told = {"version": version, "troubles": [trouble._asdict() for trouble in troubles]}
        return b"data: " + json.dumps(told).encode("ascii") + b"\n\n"


def _more(failure: Failure) -> list[Part]:
    """The frames, unless they are but the one place that is shown anyway."""
    places = {(frame["file"], frame["line"]) for part in failure.parts for frame in part["frames"]}
    return failure.parts if places - {(failure.file, failure.line)} else []
