"""An ASGI application on uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from email.utils import formatdate
from typing import Any

import uvicorn

from pyautoload.errors import ServeError
from pyautoload.serving.page.visitor import Visitor
from pyautoload.serving.server.crash_page import crash_page, response
from pyautoload.serving.server.graceful_server import QUIT_GRACE, Handover, Server, Service

__all__ = ["UvicornServer"]

# How long (seconds) connections that were accepted may take to say what they want, when the process is replaced.
_SAY = 1.0


class UvicornServer(Server):
    """Uvicorn, told by us when to begin and when to end.

    Args:
        service: an ASGI application.
    """

    name = "uvicorn"

    def __init__(self, service: Service) -> None:
        self._listener = service.listener
        self._front = _Front(service)
        config = uvicorn.Config(self._front, log_config=None, access_log=False, date_header=False)
        self._server = _Uvicorn(config, self._front, int(service.drain))

    def run(self, turn: Handover) -> None:
        """Serve until told otherwise.

        Raises:
            ServeError: the application's own start failed.
        """
        self._server.turn = turn
        try:
            _run(self._server.serve(sockets=[self._listener]))
        except SystemExit:
            # What uvicorn does when the application does not start; it has shown why.
            raise ServeError(self._front.failure or "the application did not start: see the error above") from None

    def retire(self) -> None:
        """Accept no more, and return when all requests are answered, or time is up."""
        self._server.tell("retire")

    def quit(self) -> None:
        """Return soon."""
        self._server.tell("quit")


class _Uvicorn(uvicorn.Server):
    """Begins when it is its turn, ends when it is told to, and does not wake up ten times a second between."""

    turn: Handover

    def __init__(self, config: uvicorn.Config, front: _Front, drain: int) -> None:
        super().__init__(config)
        self._front = front
        self._drain = drain
        # "retire" or "quit", once told.
        self._told = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def tell(self, what: str) -> None:
        """From any thread, or a signal handler."""
        if self._told != "quit":
            self._told = what
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(wake.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As ever, but between the application's own start and the first connection it waits for its turn."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        begin = self.lifespan.startup

        async def begin_and_wait() -> None:
            await begin()
            if not self.lifespan.should_exit:
                assert self._loop is not None
                await self._loop.run_in_executor(None, self.turn.ready)

        setattr(self.lifespan, "startup", begin_and_wait)
        await super().startup(sockets)

    async def main_loop(self) -> None:
        """Wait to be told. What else uvicorn does here, ten times a second, is to keep the date: see ``_Front``."""
        assert self._wake is not None
        await self.on_tick(0)
        while not self._told:
            await self._wake.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more; let those finish who were accepted."""
        await self._stop_accepting()
        self.turn.retired()
        if self._told == "retire":
            # Who was accepted a moment ago has not said what he wants yet: uvicorn would hang up on him.
            await self._until(_SAY, lambda: not self.server_state.connections)
            self.config.timeout_graceful_shutdown = self._drain
        else:
            await self._until(QUIT_GRACE, lambda: self._front.busy == 0)
            # What goes on now is cut off on purpose, which is nothing to print tracebacks about.
            logging.getLogger("uvicorn.error").disabled = True
            self.config.timeout_graceful_shutdown = 0.2  # type: ignore[assignment]
        await super().shutdown(sockets)

    async def _stop_accepting(self) -> None:
        """Take the socket out of the loop first: a connection accepted in the same round must not find a closed server.

        The round that is under way may have accepted already; two more let it make its transports.
        """
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listener in server.sockets:
                loop.remove_reader(listener.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    async def _until(self, seconds: float, done: Callable[[], bool]) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            await asyncio.sleep(0.01)


class _Front:
    """Stands before the application: counts and reports what goes on, and has each connection end with its response.

    A connection that is kept open leads to the process that accepted it. When that is replaced, it has to be closed,
    and a request that is just on its way would be lost.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._application = service.application
        # How many requests and websockets go on, without those streams that end when the client goes.
        self.busy = 0
        # What the application said when it did not start.
        self.failure = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, self._noting_failure(send))
        elif scope.get("method") == "CONNECT":
            # Meant for a proxy. To say yes to it turns the connection into another one, which breaks in uvicorn.
            for message in _NO_PROXY:
                await send(message)
        else:
            await self._answered(scope, receive, send)

    def _noting_failure(self, send: Any) -> Any:
        async def noting(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.failure = message.get("message", "")
            await send(message)

        return noting

    async def _answered(self, scope: Any, receive: Any, send: Any) -> None:
        began, status = time.perf_counter(), 0
        # A plain answer that tells only that there is an error: frameworks send it, and then raise the error itself.
        held: list[Any] = []

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _with_ours(message.get("headers", ()))}
                if status == 500 and _is_plain(message["headers"]):
                    held.append(message)
                    return
            elif message["type"] == "websocket.accept":
                status = 101
            if held:
                held.append(message)
            else:
                await send(message)

        counts = scope["path"] != self._service.endless
        self.busy += counts
        try:
            await self._application(scope, receive, noting)
            for message in held:
                await send(message)
        except Exception as error:
            if scope["type"] != "http":
                raise
            self._service.reporter.crashed(error)
            if status and not held:
                return  # something has been sent: uvicorn closes the connection in the midst of it
            page = self._page(scope, error)
            status = 500
            # Where the connection has been given up meanwhile, nobody is left to be told.
            with contextlib.suppress(Exception):
                for message in held if page is None and held else _as_messages(page):
                    await send(message)
        finally:
            self.busy -= counts
            self._service.answered(scope.get("method", "WebSocket"), scope["path"], status, began)

    def _page(self, scope: Any, error: BaseException) -> bytes | None:
        visitor = Visitor.of_scope(scope)
        return crash_page(self._application, scope["method"], scope.get("root_path", ""), visitor, error)


_NO_PROXY: list[dict[str, Any]] = [
    {"type": "http.response.start", "status": 405, "headers": [(b"content-length", b"0"), (b"connection", b"close")]},
    {"type": "http.response.body", "body": b""},
]


def _is_plain(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/plain") for name, value in headers)


def _as_messages(page: bytes | None) -> list[dict[str, Any]]:
    given, page = response(page)
    headers = [(name.lower().encode(), value.encode()) for name, value in given]
    return [
        {"type": "http.response.start", "status": 500, "headers": _with_ours(headers)},
        {"type": "http.response.body", "body": page},
    ]


def _with_ours(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = [each for each in headers if each[0].lower() != b"connection"]
    if not any(name.lower() == b"date" for name, _ in kept):
        kept.append((b"date", formatdate(usegmt=True).encode()))
    return [*kept, (b"connection", b"close")]


def _run(serving: Coroutine[Any, Any, None]) -> None:
    """As ``asyncio.run``; on Windows with the loop that can share a listening socket with another process."""
    if sys.platform != "win32":
        asyncio.run(serving)
    elif sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(serving)
    else:
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
        asyncio.run(serving)
