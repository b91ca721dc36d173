"""A WSGI application on werkzeug."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from pyautoload.serving.page.visitor import Visitor
from pyautoload.serving.server.bad_request import PlainRefusals
from pyautoload.serving.server.crash_page import crash_page, response
from pyautoload.serving.server.graceful_server import Service, ThreadedServer

__all__ = ["WerkzeugServer"]


class WerkzeugServer(ThreadedServer):
    """Werkzeug's way of answering a request, on our accept loop.

    Args:
        service: a WSGI application.
    """

    name = "werkzeug"

    def __init__(self, service: Service) -> None:
        host, port = service.listener.getsockname()[:2]
        server = self

        class Handler(PlainRefusals, WSGIRequestHandler):
            def run_wsgi(self) -> None:
                self.began = time.perf_counter()
                if not _is_url(self.path):
                    self.send_error(400)
                    return
                stays = self.path.partition("?")[0] == service.endless
                server.endless(stays)
                try:
                    super().run_wsgi()
                finally:
                    server.endless(-stays)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                if str(code) != "100":
                    path, method = getattr(self, "path", "-"), getattr(self, "command", None) or "-"
                    began = getattr(self, "began", None) or time.perf_counter()
                    service.answered(method, path, int(code), began)

        self._service = service
        self._werkzeug = ThreadedWSGIServer(host, port, self._guarded, Handler, fd=service.listener.fileno())
        super().__init__(service.listener, self._handle, service.drain)

    def _guarded(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        """The application; what it raises before its first part is shown on a page, where one was asked for."""
        body: Iterable[bytes] = ()
        is_sent = False
        try:
            body = self._service.application(environ, start_response)
            for part in body:
                is_sent = is_sent or bool(part)
                yield part
        except Exception as error:
            if is_sent:
                raise
            yield self._crashed(environ, start_response, error)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _crashed(self, environ: Any, start_response: Any, error: Exception) -> bytes:
        method, mount = environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "")
        page = crash_page(self._service.application, method, mount, Visitor.of_environ(environ), error)
        self._service.reporter.crashed(error)
        headers, body = response(page)
        start_response("500 Internal Server Error", headers, (type(error), error, error.__traceback__))
        return b"" if method == "HEAD" else body

    def _handle(self, connection: socket.socket, address: Any) -> None:
        try:
            self._werkzeug.finish_request(connection, address)
        except Exception:  # noqa: BLE001 - werkzeug's own way to say that something was wrong with a connection
            self._werkzeug.handle_error(connection, address)
        finally:
            self._werkzeug.shutdown_request(connection)


def _is_url(target: str) -> bool:
    """Whether what is asked for can be taken apart, which werkzeug expects of it."""
    try:
        urlsplit(target)
    except ValueError:
        return False
    return True
