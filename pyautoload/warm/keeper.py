"""The keeper: the parent of one child. It passes signals on to it, and tells how it ended.

A process of its own, so that a template can come and go while children of it work, and so that somebody notices when
nobody waits for the child any more: then a program that was started in a terminal ends, as it would have been ended.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket

from pyautoload.warm import wire

__all__ = ["keep"]

# What ends a group of processes must not end the one that tells of their end.
_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE", "SIGUSR1", "SIGUSR2")


def prepare() -> int:
    """Before the child is forked: the end of it must be noticed. Returns what is readable then."""
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    bell, ringing = os.pipe()
    for end in (bell, ringing):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(ringing, warn_on_full_buffer=False)
    return bell


def keep(pid: int, connection: socket.socket, bell: int, *, bound: bool, why: str) -> None:
    """Wait until the child has ended.

    Args:
        pid: of the child.
        connection: to who waits for it.
        bell: from ``prepare``.
        bound: whether the child ends when nobody waits for it any more.
        why: told to who waits.
    """
    wire.send(connection, {"pid": pid, "why": why})
    listens = True
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            wire.send(connection, {"status": status})
            return
        ready, _, _ = select.select([bell, connection.fileno()] if listens else [bell], [], [])
        if bell in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(bell, 512)
        if connection.fileno() in ready:
            received = wire.receive(connection)
            if received is not None:
                _signal(pid, received[0]["signal"], group=received[0]["group"])
                continue
            listens = False
            if not bound:
                return
            _signal(pid, signal.SIGKILL, group=True)


def _signal(pid: int, number: int, *, group: bool) -> None:
    """Send a signal to the child, which has not been waited for, so that its number is still its own."""
    try:
        if group and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except OSError:
        return  # it has ended meanwhile
