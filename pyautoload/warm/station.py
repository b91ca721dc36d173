"""``pyautoload warm``: holds a template for the project in a directory, and gives processes to ``pyautoload run``.

It learns what is to be in the template: at its end, a process tells what it has imported besides.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from pyautoload.errors import ServeError
from pyautoload.warm import address, inherited, wire
from pyautoload.warm.files import is_of_the_project
from pyautoload.warm.owner import Owner, Refused, libraries

__all__ = ["Station"]

# How often (seconds) the files are looked at, so that a new template is ready before somebody asks.
_LOOK = 1.0
# How long (seconds) a client may take to say what it wants.
_PATIENCE = 10.0

# What makes a program live, and is not to be waited for.
_LIVE = (
    "pyautoload.programs.live_program",
    "pyautoload.reloading.applying.engine",
    "pyautoload.reloading.main_thread",
    "pyautoload.reloading.reloader",
    "pyautoload.reloading.watching.watching",
)


class Station:
    """Serves one directory.

    Args:
        directory: of the project.
        told: called with a line for each thing that happens.

    Raises:
        ServeError: somebody does it already.
    """

    def __init__(self, directory: str, told: Callable[[str], object]) -> None:
        self.directory = os.path.realpath(directory)
        self.told = told
        try:
            self._listener = socket.socket(fileno=address.listen(self.directory).detach())
        except OSError as error:
            raise ServeError(
                f"{self.directory} cannot be served, as another `pyautoload warm` does that: end it first ({error})"
            ) from error
        self.owner = Owner(self.directory, gently=False, session=True, told=told)
        self._inherited = inherited.state()

    def run(self) -> None:
        """Serve until a signal ends this process."""
        bell, ringing = socket.socketpair()
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        before = {number: signal.signal(number, lambda number, frame: ringing.send(b"\0")) for number in numbers}
        self._listener.settimeout(None)
        threading.Thread(target=self._accept, name="pyautoload-warm-accept", daemon=True).start()
        self.owner.want(_LIVE)
        bell.settimeout(_LOOK)
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    bell.recv(1)
                    break
                self.owner.refresh()
        finally:
            self._listener.close()
            self.owner.close()
            for number, handler in before.items():
                signal.signal(number, handler)
            bell.close()
            ringing.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            if not address.is_same_user(connection):
                return
            connection.settimeout(_PATIENCE)
            received = wire.receive(connection)
            if received is None:
                return
            message, descriptors = received
            connection.settimeout(None)
            try:
                self._give(message, connection, descriptors)
            finally:
                for number in descriptors:
                    os.close(number)

    def _give(self, message: dict[str, Any], connection: socket.socket, descriptors: list[int]) -> None:
        ordered = message["order"]
        shown = shlex.join(ordered["arguments"])
        mine, its = socket.socketpair()
        try:
            self._check(message)
            self.owner.ask(ordered, [connection.fileno(), its.fileno(), *descriptors])
        except Refused as refused:
            mine.close()
            wire.send(connection, {"cold": str(refused)})
            self.told(f"{shown}: cold: {refused}")
            return
        finally:
            its.close()
        self.told(f"{shown}: warm")
        threading.Thread(target=self._learn, args=(mine, shown, time.monotonic()), daemon=True).start()

    def _check(self, message: dict[str, Any]) -> None:
        if message["who"] != address.who(self.directory):
            raise Refused("`pyautoload warm` runs with another Python, or in another directory")
        for what, value in message["inherited"].items():
            if self._inherited.get(what) != value:
                raise Refused(f"the {what} are others than those of `pyautoload warm`")

    def _learn(self, report: socket.socket, shown: str, began: float) -> None:
        with report:
            received = wire.receive(report)
        self.told(f"{shown}: ended after {time.monotonic() - began:.2f} s")
        if received is None:
            return
        modules = [(name, path) for name, path in received[0]["modules"]]
        own = {name for name, path in modules if path is not None and is_of_the_project(path, self.directory)}
        self.owner.want(libraries(modules, self.directory), {name.partition(".")[0] for name in own})
