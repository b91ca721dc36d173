"""The listening socket: opened once, and handed from one process to the next, so that no connection is ever refused."""

from __future__ import annotations

import errno
import os
import socket

from pyautoload.errors import ServeError

__all__ = ["listen", "url"]

# Connections that wait while one process hands over to the next; the system cuts it down to its own limit.
_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Open the socket, which accepts connections from now on, even before anybody answers them.

    Args:
        host: a name or an address; IPv6 with or without brackets.
        port: 0 for any that is free.

    Raises:
        ServeError: the host is unknown, the port is taken, or not allowed.
    """
    host = host.strip("[]")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError) as error:
        raise ServeError(f"--host {host}: there is no such address ({error})") from error
    # "localhost" may be both: browsers try both, and 127.0.0.1 is what people type.
    family, kind, protocol, _name, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "nt":
            # Without it Windows lets two programs listen on one port.
            listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ServeError(_why(host, port, error)) from error
    return without_blocking(listener)


def _why(host: str, port: int, error: OSError) -> str:
    # Windows has numbers of its own for these.
    if error.errno in (errno.EADDRINUSE, 10048, 10013 if os.name == "nt" else errno.EADDRINUSE):
        return (
            f"port {port} of {host} is in use by another program: end that one, or give another port with --port "
            f"(--port 0 takes any that is free)"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} of {host} is not allowed to this user: give one above 1023 with --port"
    if error.errno in (errno.EADDRNOTAVAIL, 10049):
        return f"--host {host}: this machine has no such address"
    return f"{host}:{port} cannot be listened on: {error.strerror or error}"


def without_blocking(listener: socket.socket) -> socket.socket:
    """The same socket: an accept that another process was quicker with returns in place of waiting for the next."""
    listener.setblocking(False)
    return listener


def url(listener: socket.socket) -> str:
    """Where a browser finds it: ``http://127.0.0.1:8000``."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
