"""What is served while the program does not start: a page with the error, which reloads itself once it does."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterable
from typing import Any

from pyautoload.serving.page.access import LOCAL
from pyautoload.serving.page.endpoints import OPEN, opened
from pyautoload.serving.page.error_page import closed_page, error_page
from pyautoload.serving.page.failure import Failure
from pyautoload.serving.page.injection import Headers
from pyautoload.serving.page.response_headers import OF_ALL, policy
from pyautoload.serving.page.visitor import Visitor
from pyautoload.serving.page.visitor_guard import Guard
from pyautoload.serving.server.bad_request import PlainRefusals
from pyautoload.serving.server.graceful_server import ThreadedServer

__all__ = ["StartupErrorServer"]

_TITLE = "The program does not start"
# This page marks itself with a header: when an answer lacks it, the program is there.
_MARK = "X-PyAutoload-Waiting"
_SCRIPT = """<script nonce="NONCE">
setInterval(async () => {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (answer.headers.get("X-PyAutoload-Waiting") !== "SEEN") location.reload();
  } catch { /* between two processes */ }
}, 500);
</script>"""


class StartupErrorServer(ThreadedServer):
    """Answers every request with the error.

    Args:
        listener: shared with other processes.
        failure: the error.
        directory: what paths are shown relative to.
        hosts: names, besides this machine's own, under which the page may be asked for.
        refresh: whether the page reloads itself.
        secret: what a browser has to know to see the error; empty for nothing.
    """

    name = "waiting"

    def __init__(
        self,
        listener: socket.socket,
        failure: Failure,
        directory: str,
        hosts: Iterable[str],
        *,
        refresh: bool,
        secret: str = "",
    ) -> None:
        super().__init__(listener, self._handle, drain=1.0)
        self.failure = failure
        self.directory = directory
        self.guard = Guard((*LOCAL, *hosts), secret)
        self.refresh = refresh
        # Changes with each failure, so that open pages show the latest.
        self._number = 0

    def show(self, failure: Failure) -> None:
        """From now on another error."""
        self._number += 1
        self.failure = failure

    def _handle(self, connection: socket.socket, address: Any) -> None:
        connection.settimeout(10)
        _Handler(connection, address, self)  # type: ignore[arg-type]

    def page(self, *, in_full: bool, nonce: str = "") -> tuple[bytes, str]:
        """The page, and the mark of the error that it shows.

        Args:
            in_full: with the error, which shows source.
            nonce: of the script in it.
        """
        mark = str(self._number)
        if not in_full:
            return closed_page(_TITLE, self.guard.hint, ""), mark
        hint = "Fix the file and save it" + (", and this page reloads by itself." if self.refresh else ".")
        script = _SCRIPT.replace("SEEN", mark).replace("NONCE", nonce) if self.refresh else ""
        return error_page(_TITLE, self.failure.headline(self.directory), self.failure, hint, script), mark


class _Handler(PlainRefusals):
    server: Any
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        """Any method, known or not, gets the page."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self._answer()
        except OSError:
            self.close_connection = True

    def _answer(self) -> None:
        server: StartupErrorServer = self.server
        visitor = Visitor.of_pairs(self.client_address[0], self.headers.items())
        path, _, query = self.path.partition("?")
        if path == OPEN:
            answer = opened(server.guard, visitor, query, "")
            self._send(int(answer.status[:3]), answer.headers, answer.body or b"")
            return
        nonce = secrets.token_urlsafe(16)
        body, mark = server.page(in_full=server.guard.lets_in(visitor), nonce=nonce)
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))), (_MARK, mark)]
        self._send(503, [*headers, *OF_ALL, ("Content-Security-Policy", policy(nonce))], body)

    def _send(self, code: int, headers: Headers, body: bytes) -> None:
        self.send_response(code, _TITLE if code == 503 else None)
        for name, value in (*headers, ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self._take_in()

    def _take_in(self) -> None:
        """Read what else the client sends: closing with something unread would take the answer from him."""
        self.connection.settimeout(0.02)
        try:
            while self.rfile.read(65536):
                pass
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Silent: what has to be said was said when the program did not start."""
