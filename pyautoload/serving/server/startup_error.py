"""What is served while the program does not start: a page with the error, which reloads itself once it does."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any

from pyautoload.serving.page.access import LOCAL, is_allowed, is_loopback
from pyautoload.serving.page.error_page import error_page
from pyautoload.serving.page.failure import Failure
from pyautoload.serving.server.graceful_server import ThreadedServer

__all__ = ["WaitingServer"]

_TITLE = "The program does not start"
# This page marks itself with a header: when an answer lacks it, the program is there.
_MARK = "X-PyAutoload-Waiting"
_SCRIPT = """<script>
setInterval(async () => {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    if (answer.headers.get("X-PyAutoload-Waiting") !== "SEEN") location.reload();
  } catch { /* between two processes */ }
}, 500);
</script>"""


class WaitingServer(ThreadedServer):
    """Answers every request with the error.

    Args:
        listener: shared with other processes.
        failure: the error.
        directory: what paths are shown relative to.
        hosts: names, besides this machine's own, under which the page may be asked for.
        refresh: whether the page reloads itself.
    """

    name = "waiting"

    def __init__(
        self, listener: socket.socket, failure: Failure, directory: str, hosts: Iterable[str], *, refresh: bool
    ) -> None:
        super().__init__(listener, self._handle, drain=1.0)
        self.failure = failure
        self.directory = directory
        self.hosts = (*LOCAL, *hosts)
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

    def page(self, *, in_full: bool) -> tuple[bytes, str]:
        """The page, and the mark of the error that it shows.

        Args:
            in_full: with the traceback, which shows source: for somebody at this machine only.
        """
        mark = str(self._number)
        if not in_full:
            return error_page(_TITLE, _TITLE, "", "", ""), mark
        hint = "Save the file again when it is mended" + (", and this page reloads by itself." if self.refresh else ".")
        script = _SCRIPT.replace("SEEN", mark) if self.refresh else ""
        return error_page(_TITLE, self.failure.headline(self.directory), self.failure.trace, hint, script), mark


class _Handler(BaseHTTPRequestHandler):
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
        server: WaitingServer = self.server
        is_here = is_loopback(self.client_address[0], {name.lower() for name in self.headers})
        body, mark = server.page(in_full=is_here and is_allowed(self.headers.get("Host", ""), server.hosts))
        self.send_response(503, _TITLE)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header(_MARK, mark)
        self.send_header("Connection", "close")
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
