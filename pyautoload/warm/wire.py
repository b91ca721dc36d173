"""Messages between processes over a Unix socket: data with its length before it, and file descriptors beside it.

Both ends are processes of one user on one Python, so ``marshal`` will do. Who runs a command waits for the import of
this module: it takes nothing that is slow to import.
"""

from __future__ import annotations

import _socket
import array
import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterable
    from typing import Any

__all__ = ["MOST_DESCRIPTORS", "receive", "send"]

# Windows passes none; nothing is sent there.
_BESIDE = (_socket.SOL_SOCKET, getattr(_socket, "SCM_RIGHTS", 1))
# As many as the kernel passes in one message.
MOST_DESCRIPTORS = 250
# Bytes of the length.
_HEAD = 4


def send(connection: socket, message: dict[str, Any], descriptors: Iterable[int] = ()) -> bool:
    """Send a message.

    Returns:
        Whether there was anybody to get it.
    """
    content = marshal.dumps(message)
    head = len(content).to_bytes(_HEAD, "big")
    numbers = array.array("i", descriptors)
    try:
        if numbers:
            connection.sendmsg([head], [(*_BESIDE, numbers)])
            connection.sendall(content)
        else:
            connection.sendall(head + content)
    except OSError:
        return False
    return True


def receive(connection: socket) -> tuple[dict[str, Any], list[int]] | None:
    """Wait for a message.

    Returns:
        The message, and the descriptors that came with it, which are the receiver's to close; ``None`` when the other
        end has gone, or what comes is not a message.
    """
    numbers = array.array("i")
    message: Any = None
    try:
        room = MOST_DESCRIPTORS * numbers.itemsize
        head, beside, _flags, _address = connection.recvmsg(_HEAD, room + 64)
        for level, kind, data in beside:
            if (level, kind) == _BESIDE:
                numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
        head += _exactly(connection, _HEAD - len(head)) if head else b""
        if len(head) == _HEAD:
            message = marshal.loads(_exactly(connection, int.from_bytes(head, "big")))
    except (OSError, ValueError, EOFError, TypeError):
        message = None
    if not isinstance(message, dict):
        for number in numbers:
            os.close(number)
        return None
    for number in numbers:
        os.set_inheritable(number, False)
    return message, list(numbers)


def _exactly(connection: socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            break
        parts += part
    return bytes(parts)
