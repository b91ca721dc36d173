"""The two servers, werkzeug for WSGI and uvicorn for ASGI, made to run on a socket that other processes share.

Both are run by ``run()`` in the main thread and told from other threads, or a signal handler, what to do: ``retire()``
(accept no more, finish the requests, return) or ``quit()`` (return soon).
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyautoload.serving.server.report import Reporter

__all__ = ["Handover", "Server", "Service", "ThreadedServer"]

# How long (seconds) requests may go on when the server is told to quit.
QUIT_GRACE = 1.0


class Handover:
    """When a server may accept, and what it says of itself.

    Args:
        ready: called when it is prepared; returns when it may begin, ``False`` when it need not any more.
        retired: called when it has accepted its last connection.
    """

    def __init__(self, ready: Callable[[], bool], retired: Callable[[], None]) -> None:
        self.ready = ready
        self.retired = retired


@dataclass(frozen=True)
class Service:
    """What a server serves.

    Attributes:
        application: our middleware, around the program.
        listener: shared with other processes.
        drain: how long (seconds) requests may go on after ``retire()``.
        endless: path of responses that go on for ever.
        reporter: told of each request that fails in the program.
        tells_requests: whether it is told of all others, too.
        after: called after each request, in its thread.
    """

    application: Any
    listener: socket.socket
    drain: float
    endless: str
    reporter: Reporter
    tells_requests: bool
    after: Callable[[], object] = lambda: None

    def answered(self, method: str, path: str, status: int, began: float) -> None:
        """A request has been answered, which began then (``time.perf_counter()``)."""
        if self.tells_requests:
            self.reporter.request(method, path, status, time.perf_counter() - began)
        self.after()


class Server(ABC):
    """What the process that serves needs of a server.

    Attributes:
        name: of the library.
    """

    name = ""

    @abstractmethod
    def run(self, turn: Handover) -> None:
        """Serve until told otherwise."""

    @abstractmethod
    def retire(self) -> None:
        """Accept no more, and return when all requests are answered, or time is up."""

    @abstractmethod
    def quit(self) -> None:
        """Return soon."""


class ThreadedServer(Server):
    """Accepts connections, and has a thread for each.

    The accept loop is our own: the one of ``socketserver`` wakes up twice a second, also to learn that it has to end.

    Args:
        listener: shared with other processes, so an accept may find that there is nothing any more.
        handle: answers one connection, and closes it.
        drain: how long (seconds) requests may go on after ``retire()``.
    """

    def __init__(self, listener: socket.socket, handle: Callable[[socket.socket, Any], None], drain: float) -> None:
        self.listener = listener
        self.handle = handle
        self.drain = drain
        # How many connections are being answered, and how many of these nobody waits for at the end.
        self._active = 0
        self._endless = 0
        self._changed = threading.Condition()
        # "retire" or "quit", once told.
        self._told = ""
        self._bell, self._ringer = socket.socketpair()
        self._ringer.setblocking(False)

    def run(self, turn: Handover) -> None:
        """Serve until told otherwise."""
        if turn.ready():
            with selectors.DefaultSelector() as selector:
                selector.register(self.listener, selectors.EVENT_READ)
                selector.register(self._bell, selectors.EVENT_READ)
                while not self._told:
                    selector.select()
                    if not self._told:
                        self._accept()
        turn.retired()
        self._finish()

    def _accept(self) -> None:
        try:
            connection, address = self.listener.accept()
        except OSError:
            return  # another process was quicker, or the client has gone
        connection.setblocking(True)  # macOS and BSD hand on what the listener is
        with self._changed:
            self._active += 1
        threading.Thread(target=self._answer, args=(connection, address), daemon=True).start()

    def _answer(self, connection: socket.socket, address: Any) -> None:
        try:
            self.handle(connection, address)
        finally:
            connection.close()
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def endless(self, more: int) -> None:
        """A connection turns out to be a stream that ends when the client goes: at the end it is not waited for."""
        with self._changed:
            self._endless += more
            self._changed.notify_all()

    def _finish(self) -> None:
        start = time.monotonic()
        with self._changed:
            while self._active > self._endless:
                allowed = self.drain if self._told == "retire" else QUIT_GRACE
                left = start + allowed - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(min(left, 0.1))  # told to quit meanwhile: that is not announced under this lock

    def retire(self) -> None:
        """Accept no more, and return when all requests are answered, or time is up."""
        self._told = self._told or "retire"
        self._ring()

    def quit(self) -> None:
        """Return soon. No lock is taken: a signal handler calls this."""
        self._told = "quit"
        self._ring()

    def _ring(self) -> None:
        try:
            self._ringer.send(b"\0")
        except OSError:
            return  # it rings already
