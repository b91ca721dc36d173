"""Opening files that may have become something else: a named pipe or a device must never make anybody wait."""

from __future__ import annotations

import os
import stat

__all__ = ["open_regular", "read_regular"]

# Opening a named pipe waits for a writer unless told not to; a terminal must not become the one that controls us.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """Open a regular file, or a link to one, for reading.

    Returns:
        Its descriptor, to be closed by the caller, and its status.

    Raises:
        OSError: there is none, or it is a named pipe, a socket, a device or a directory.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            import errno

            raise OSError(errno.EINVAL, "not a regular file", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status


def read_regular(path: str) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    descriptor, _ = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
