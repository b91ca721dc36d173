"""A lifeline: a pipe that ends a process when the one that holds the other end has ended, in whatever way.

No thread is needed for that, and no look at the parent from time to time, for which a process that is busy with an
import has no time: the kernel sends SIGKILL when the last writing end is closed. Where it does not know how (macOS),
the process notices when it waits for messages the next time.
"""

from __future__ import annotations

import os
import select

__all__ = ["depend_on"]


def depend_on(reading_end: int) -> None:
    """End this process when nobody has the writing end of a pipe any more.

    Args:
        reading_end: has to stay open as long as that is to hold.
    """
    import fcntl

    set_signal = getattr(fcntl, "F_SETSIG", None)
    if set_signal is None:
        return
    import signal

    fcntl.fcntl(reading_end, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(reading_end, set_signal, signal.SIGKILL)
    fcntl.fcntl(reading_end, fcntl.F_SETFL, fcntl.fcntl(reading_end, fcntl.F_GETFL) | os.O_ASYNC)
    ready, _, _ = select.select([reading_end], [], [], 0)
    if ready:
        os._exit(1)  # it was closed before all that
