"""A program served by ``pyautoload serve``, and asked for pages."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from running import PATIENCE, Running

__all__ = ["Answer", "Served", "served"]

# Whatever the environment says of proxies: the server is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer(NamedTuple):
    """What the server says."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


class Served(Running):
    """A server on a free port.

    Args:
        directory: where it runs.
        arguments: of ``pyautoload serve``.
        more: variables of its environment.
    """

    def __init__(self, directory: Path, *arguments: str, **more: str) -> None:
        # A fresh process for each reload is what the tests of that are about; others would wait for it.
        verify = [] if {"--verify", "--no-verify"} & {*arguments} else ["--no-verify"]
        super().__init__(directory, "-m", "pyautoload", "serve", "--port", "0", *arguments, *verify, **more)
        self.address = ""

    def ready(self) -> Served:
        """Wait until it answers, if only with an error."""
        found = re.search(r"http://[\w.:\[\]]+", self.printed(r"on http://"))
        assert found
        self.address = found[0]
        return self

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    @property
    def started(self) -> int:
        """How often the program was started: once, and again for each restart."""
        return len(re.findall(r"\bstarted in\b", self.log))

    def get(self, path: str = "/", data: dict[str, Any] | str | None = None, **headers: str) -> Answer:
        """Ask for a page; with ``data`` it posts JSON, or a form."""
        body = json.dumps(data) if isinstance(data, dict) else data
        if isinstance(data, dict):
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.address + path, body.encode() if body is not None else None, headers)
        try:
            with _OPENER.open(request, timeout=PATIENCE) as response:
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())

    def cookie(self, path: str, name: str) -> str:
        """A cookie that comes with a page."""
        with _OPENER.open(self.address + path, timeout=PATIENCE) as response:
            found = re.search(rf"{name}=([^;]+)", "; ".join(response.headers.get_all("Set-Cookie", [])))
        assert found
        return found[1]

    def shows(self, text: str, path: str = "/", data: dict[str, Any] | str | None = None) -> Answer:
        """Wait until a page has a text."""
        answers: list[Answer] = []

        def look() -> bool:
            answers[:] = [self.get(path, data)]
            return text in answers[0].text

        try:
            self.until(look, f"{text!r} in {path}")
        except AssertionError as error:
            raise AssertionError(f"{answers}\n{error}") from None
        return answers[0]


@contextmanager
def served(directory: Path, *arguments: str, **more: str) -> Iterator[Served]:
    """Serve what lies in a directory, and wait until it answers."""
    with Served(directory, *arguments, **more) as server:
        yield server.ready()
