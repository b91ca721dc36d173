"""How a process that serves is started: from a template that has its libraries, where there is one, else cold.

The first one is cold. When it serves, it tells which libraries it has loaded; a template with these is made in the
background, and every later process is forked from that.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence

from pyautoload.warm import wire
from pyautoload.warm.orders import order
from pyautoload.warm.owner import Owner, Refused, interpreter_flags
from pyautoload.warm.process import WarmProcess

__all__ = ["Starter"]

_MODULE = "pyautoload.serving.server.worker"


class Starter:
    """Starts processes that serve.

    Args:
        warm: whether there are warm ones.
        ended: called in another thread when a warm one has ended, which no signal tells of.
    """

    def __init__(self, ended: Callable[[], object], *, warm: bool) -> None:
        # A fork elsewhere may harm what the system's own libraries do.
        self._is_warm = warm and sys.platform == "linux"
        self._ended = ended
        self._owner = Owner(os.getcwd())
        # Whether the process that was started last is a warm one, and if not, why.
        self.why_cold: str | None = "it is the first"

    def start(self, variables: dict[str, str], passed: Sequence[int]) -> subprocess.Popen[bytes] | WarmProcess:
        """Start one.

        Args:
            variables: of its environment, besides those of this process.
            passed: descriptors that it has, too.
        """
        environment = {**os.environ, **variables}
        if self._is_warm:
            try:
                process = self._warm(environment, passed)
            except Refused as refused:
                self.why_cold = str(refused)
            else:
                self.why_cold = None
                return process
        return _cold(environment, passed)

    def _warm(self, environment: dict[str, str], passed: Sequence[int]) -> WarmProcess:
        numbers = [number for number in (0, 1, 2) if _is_open(number)] + list(passed)
        wanted = order(["-m", _MODULE], environment, os.getcwd(), numbers, options=interpreter_flags(), bound=False)
        mine, its = socket.socketpair()
        try:
            self._owner.ask(wanted, [its.fileno(), *numbers])
        except Refused:
            mine.close()
            raise
        finally:
            its.close()
        received = wire.receive(mine)
        if received is None:
            mine.close()
            raise Refused("the template has ended")
        return WarmProcess(mine, received[0]["pid"], self._ended)

    def learn(self, libraries: Sequence[str], own: Sequence[str]) -> None:
        """Have a template made for what a process has loaded.

        Args:
            libraries: the names of modules.
            own: those of the program, which must not be in it.
        """
        if self._is_warm:
            self._owner.want(libraries, own)

    def close(self) -> None:
        """No more."""
        self._owner.close()


def _cold(environment: dict[str, str], passed: Sequence[int]) -> subprocess.Popen[bytes]:
    command = [sys.executable, *interpreter_flags(), "-m", _MODULE]
    if sys.platform == "win32":
        return subprocess.Popen(command, env=environment, close_fds=False, executable=_itself(environment))
    return subprocess.Popen(command, env=environment, pass_fds=tuple(passed))


def _itself(environment: dict[str, str]) -> str:
    """The program that becomes the process: in a virtual environment on Windows ``python.exe`` only starts another."""
    base: str = getattr(sys, "_base_executable", sys.executable)
    if base != sys.executable:
        environment["__PYVENV_LAUNCHER__"] = sys.executable  # as `multiprocessing` has it
    return base


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
