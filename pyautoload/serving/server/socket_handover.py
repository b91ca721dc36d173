"""How sockets come from one process to the one that it starts.

Elsewhere a child inherits them by their numbers. On Windows a socket is not a file that a child could inherit: it is
shared with one process, known by its number, which exists only once it has been started. So the child waits at a pipe,
whose handle it does inherit, for what ``socket.share`` says.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

__all__ = ["Handing", "received"]

_SHARES = sys.platform == "win32"


class Handing:
    """Hands sockets over, in a ``with`` statement around the start of the process.

    Args:
        sockets: by names that the child asks for.
    """

    def __init__(self, sockets: Mapping[str, socket.socket]) -> None:
        self._sockets = dict(sockets)
        # The write end of the pipe, until all is written.
        self._pipe = -1
        self._read_end = -1
        # What the child is told, as JSON has it. Example: {"listener": 3, "channel": 7}; on Windows the pipe's handle.
        self.ticket: Any = None
        # Descriptors that the child has to inherit.
        self.descriptors: tuple[int, ...] = ()

    def __enter__(self) -> Handing:
        if _SHARES:
            self.ticket = self._open_pipe()
            return self
        for each in self._sockets.values():
            each.set_inheritable(True)
        self.ticket = {name: each.fileno() for name, each in self._sockets.items()}
        self.descriptors = tuple(self.ticket.values())
        return self

    def _open_pipe(self) -> int:
        import msvcrt

        self._read_end, self._pipe = os.pipe()
        os.set_inheritable(self._read_end, True)
        return msvcrt.get_osfhandle(self._read_end)  # type: ignore[attr-defined, no-any-return, unused-ignore]

    def over_to(self, process: int) -> None:
        """The process has been started.

        Args:
            process: its number.
        """
        if not _SHARES:
            return
        shared = {name: _shared(each, process) for name, each in self._sockets.items()}
        os.write(self._pipe, json.dumps(shared).encode())  # less than what a pipe takes at once

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number in (self._pipe, self._read_end):
            if number != -1:
                os.close(number)
        if not _SHARES:
            for each in self._sockets.values():
                each.set_inheritable(False)


def received(ticket: Any) -> dict[str, socket.socket]:
    """The sockets that the process which started this one hands over; not passed on any further.

    Args:
        ticket: as ``Handing`` gave it.
    """
    if not _SHARES:
        sockets = {name: socket.socket(fileno=number) for name, number in ticket.items()}
        for each in sockets.values():
            each.set_inheritable(False)
        return sockets
    import msvcrt

    with open(msvcrt.open_osfhandle(ticket, os.O_RDONLY), "rb") as pipe:  # type: ignore[attr-defined, unused-ignore]
        shared: dict[str, str] = json.loads(pipe.read())
    return {name: _from_share(text) for name, text in shared.items()}


def _shared(each: socket.socket, process: int) -> str:
    return base64.b64encode(each.share(process)).decode()  # type: ignore[attr-defined, unused-ignore]


def _from_share(text: str) -> socket.socket:
    shared: socket.socket = socket.fromshare(base64.b64decode(text))  # type: ignore[attr-defined, unused-ignore]
    return shared
