"""What the supervisor and the process that serves tell each other: one JSON object a line, over a pair of sockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["Channel"]


class Channel:
    """One end.

    Args:
        connection: of a ``socket.socketpair()``.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        # The beginning of a line whose end has not come yet. Example: b'{"what": "rea'
        self._rest = b""
        # Thread 1 (a reload) and thread 2 (the main one) may both have something to say: a line is never torn.
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """For a selector."""
        return self.connection.fileno()

    def send(self, what: str, **details: Any) -> bool:
        """Say something.

        Returns:
            Whether there was anybody to hear it.
        """
        line = json.dumps({"what": what, **details}).encode() + b"\n"
        try:
            with self._lock:
                self.connection.sendall(line)
        except OSError:
            return False
        return True

    def receive(self) -> list[dict[str, Any]] | None:
        """Wait for something, and give all that has come; ``None`` when the other end has gone."""
        try:
            received = self.connection.recv(65536)
        except OSError:
            received = b""
        if not received:
            return None
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (messages := self.receive()) is not None:
            yield from messages

    def close(self) -> None:
        """No more."""
        self.connection.close()
