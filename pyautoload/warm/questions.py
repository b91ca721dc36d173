"""Questions to a running ``pyautoload serve`` or ``pyautoload test``, from other processes of the same user.

Who answers has a ``Desk``: each question comes to it from a thread of its own, and waits there for the answer.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from pyautoload.warm import wire

__all__ = ["Desk", "Question", "ask"]

# How long (seconds) somebody may take to say what they want.
_PATIENCE = 10.0


class Question:
    """What somebody wants to know.

    Args:
        kind: what is asked for. Example: ``"sync"``
        arguments: what belongs to it.
    """

    def __init__(self, kind: str, arguments: dict[str, Any]) -> None:
        self.kind = kind
        self.arguments = arguments
        self._is_answered = threading.Event()
        self._reply: dict[str, Any] = {}

    def answer(self, content: dict[str, Any]) -> None:
        """Answer it; only the first answer counts."""
        if not self._is_answered.is_set():
            self._reply = content
            self._is_answered.set()

    def wait(self) -> dict[str, Any]:
        """Wait for the answer."""
        self._is_answered.wait()
        return self._reply


class Desk:
    """Where one command of a directory is asked.

    Args:
        directory: of the project.
        kind: which command it is.
        put: called with each question, in a thread of its own; it is to be answered sometime.
    """

    def __init__(self, directory: str, kind: str, put: Callable[[Question], object]) -> None:
        self._put = put
        # Those that have not been answered; over them the lock.
        self._open: set[Question] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.why = ""
        if os.name == "nt":
            self.why = "Windows has no sockets that only one user can reach"
            return
        from pyautoload.warm import address

        try:
            self._listener = socket.socket(fileno=address.listen(directory, kind).detach())
        except OSError as error:
            self.why = f"another `pyautoload {kind}` of {directory} is asked in place of this one ({error})"
            return
        threading.Thread(target=self._accept, args=(self._listener,), name="pyautoload-desk", daemon=True).start()

    def close(self) -> None:
        """No more; who waits is told so."""
        if self._listener is not None:
            # A close alone would not wake the thread that accepts.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            for question in self._open:
                question.answer({"error": "it has ended"})

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        from pyautoload.warm import address

        with connection:
            if not address.is_same_user(connection):
                return
            connection.settimeout(_PATIENCE)
            received = wire.receive(connection)
            if received is None:
                return
            message, descriptors = received
            for number in descriptors:
                os.close(number)
            connection.settimeout(None)
            question = Question(message["kind"], message["arguments"])
            with self._lock:
                self._open.add(question)
            try:
                self._put(question)
                wire.send(connection, question.wait())
            finally:
                with self._lock:
                    self._open.discard(question)


def ask(directory: str, kind: str, question: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Ask a running command, and wait for the answer.

    Args:
        directory: of the project.
        kind: which command.
        question: what is asked for.
        arguments: what belongs to it.

    Returns:
        The answer; ``None`` where no such command runs in that directory.
    """
    if os.name == "nt":
        return None
    from pyautoload.warm import address

    connected = address.connect(directory, kind)
    if connected is None:
        return None
    with socket.socket(fileno=connected.detach()) as connection:
        wire.send(connection, {"kind": question, "arguments": arguments})
        received = wire.receive(connection)
    return {"error": "it ended before it answered"} if received is None else received[0]
