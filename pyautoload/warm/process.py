"""A warm process, as who asked for it sees it: with the methods of ``subprocess.Popen`` that are needed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable

from pyautoload.warm import wire

__all__ = ["WarmProcess"]


class WarmProcess:
    """A child of a template that has been started.

    Args:
        connection: to its keeper.
        pid: of the child.
        on_end: called in another thread when it has ended.
    """

    def __init__(self, connection: socket.socket, pid: int, on_end: Callable[[], object] = lambda: None) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection
        self._on_end = on_end
        self._ended = threading.Event()
        threading.Thread(target=self._wait, name="pyautoload-warm-wait", daemon=True).start()

    def _wait(self) -> None:
        received = wire.receive(self._connection)
        # Without a word the keeper was killed, and its child with it.
        status = received[0]["status"] if received is not None else signal.SIGKILL
        self.returncode = os.waitstatus_to_exitcode(status)
        self._connection.close()
        self._ended.set()
        self._on_end()

    def poll(self) -> int | None:
        """The exit code, ``None`` while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it has not ended by then.
        """
        if not self._ended.wait(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """End it now."""
        if self.returncode is None:
            wire.send(self._connection, {"signal": int(signal.SIGKILL), "group": False})
