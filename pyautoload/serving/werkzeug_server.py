"""A WSGI application on werkzeug."""

from __future__ import annotations

import socket
import time
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from pyautoload.serving.report import Reporter
from pyautoload.serving.servers import ThreadedServer

__all__ = ["WerkzeugServer"]


class WerkzeugServer(ThreadedServer):
    """Werkzeug's way of answering a request, on our accept loop.

    Args:
        application: WSGI.
        listener: shared with other processes.
        drain: how long (seconds) requests may go on after ``retire()``.
        reporter: told of each request; ``None`` for silence.
        endless: path of responses that go on for ever.
    """

    name = "werkzeug"

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        drain: float,
        reporter: Reporter | None,
        endless: str,
    ) -> None:
        host, port = listener.getsockname()[:2]
        server = self

        class Handler(WSGIRequestHandler):
            def run_wsgi(self) -> None:
                self.began = time.perf_counter()
                stays = self.path.partition("?")[0] == endless
                server.endless(stays)
                try:
                    super().run_wsgi()
                finally:
                    server.endless(-stays)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                if reporter is not None and str(code) != "100":
                    path, method = getattr(self, "path", "-"), getattr(self, "command", None) or "-"
                    began = getattr(self, "began", None) or time.perf_counter()
                    reporter.request(method, path, int(code), time.perf_counter() - began)

        self._werkzeug = ThreadedWSGIServer(host, port, application, Handler, fd=listener.fileno())
        super().__init__(listener, self._handle, drain)

    def _handle(self, connection: socket.socket, address: Any) -> None:
        try:
            self._werkzeug.finish_request(connection, address)
        except Exception:  # noqa: BLE001 - werkzeug's own way to say that something was wrong with a connection
            self._werkzeug.handle_error(connection, address)
        finally:
            self._werkzeug.shutdown_request(connection)
