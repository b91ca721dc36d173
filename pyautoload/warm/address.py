"""Where commands find each other: ``pyautoload run`` the ``pyautoload warm`` of its directory, ``pyautoload mcp`` the
``serve`` and ``test``; and whether it is one of the same user.

On Linux it is a name that no file stands for, and that is gone with its process. Anybody may take it, so each side asks
the kernel who the other one is. Elsewhere it is a socket in a directory that nobody else may enter.
"""

from __future__ import annotations

import os
import sys
import zlib
from _socket import AF_UNIX, SOL_SOCKET, socket

__all__ = ["connect", "is_same_user", "listen", "who"]


def who(directory: str) -> list[str]:
    """What has to be the same on both sides."""
    return [os.path.realpath(directory), os.path.realpath(sys.executable), sys.prefix, sys.version]


def connect(directory: str, kind: str = "warm") -> socket | None:
    """A connection to the one that serves a directory; ``None`` where nobody does.

    Args:
        directory: of the project.
        kind: which command it is.
    """
    connection = socket(AF_UNIX)
    try:
        connection.connect(_address(directory, kind))
    except OSError:
        connection.close()
        return None
    if not is_same_user(connection):
        connection.close()
        return None
    return connection


def listen(directory: str, kind: str = "warm") -> socket:
    """Begin to serve a directory.

    Args:
        directory: of the project.
        kind: which command it is.

    Raises:
        OSError: somebody does already.
    """
    address = _address(directory, kind)
    listener = socket(AF_UNIX)
    try:
        if isinstance(address, str):
            _make_room(directory, kind, address)
        listener.bind(address)
        listener.listen(64)
    except BaseException:
        listener.close()
        raise
    return listener


def _make_room(directory: str, kind: str, address: str) -> None:
    place = os.path.dirname(address)
    os.makedirs(place, mode=0o700, exist_ok=True)
    status = os.lstat(place)
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{place} has to belong to this user, and to nobody else")
    living = connect(directory, kind)
    if living is not None:
        living.close()
        raise FileExistsError(address)
    if os.path.exists(address):
        os.unlink(address)  # of one that was killed


def is_same_user(connection: socket) -> bool:
    """Whether the other end of a connection is a process of this user."""
    if sys.platform != "linux":
        return True  # the directory of the socket lets nobody else in
    from _socket import SO_PEERCRED

    # struct ucred: pid, uid, gid
    _pid, user, _group = memoryview(connection.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)).cast("i")
    return bool(user == os.getuid())


def _address(directory: str, kind: str) -> str | bytes:
    number = zlib.crc32("\0".join(who(directory)).encode(errors="surrogateescape"))
    name = f"pyautoload-{kind}-{os.getuid()}-{number:08x}"
    if sys.platform == "linux":
        return f"\0{name}".encode()
    import tempfile

    return os.path.join(tempfile.gettempdir(), f"pyautoload-{os.getuid()}", name)
