"""Real servers with our middleware in this process, on free ports, and a client that knows nothing of them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from running import PATIENCE

__all__ = ["Answer", "Events", "asgi_server", "get", "until", "wsgi_server"]


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@contextmanager
def wsgi_server(middleware: Any, **options: Any) -> Iterator[int]:
    """Werkzeug, one thread a request; gives the port."""
    serving = pytest.importorskip("werkzeug.serving", reason="werkzeug is not installed")

    class Silent(serving.WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *args: Any) -> None:
            return

    server = serving.make_server("127.0.0.1", 0, middleware, **{"threaded": True, "request_handler": Silent, **options})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.port
    finally:
        middleware.close()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def asgi_server(middleware: Any, **options: Any) -> Iterator[int]:
    """Uvicorn; gives the port."""
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(middleware, log_level="error", ws="wsproto", **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        assert server.started
        yield listener.getsockname()[1]
    finally:
        middleware.close()
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
        assert not thread.is_alive()


def get(port: int, path: str = "/", headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    """One request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def until(check: Callable[[], object]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


class Events:
    """A client of the event stream."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._connection.request("GET", "/__pyautoload__/events", headers=dict(headers or {}))
        self.answer = self._connection.getresponse()

    def next(self) -> Any:
        """Wait for the next event."""
        while line := self.answer.readline():
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        return None

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *args: object) -> None:
        # The response alone holds the socket: closing it is what the server sees.
        self.answer.close()
        self._connection.close()
