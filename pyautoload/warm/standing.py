"""Standing for another process: passing signals on to it, and ending as it ends."""

from __future__ import annotations

# What `signal` wraps, without enumerations, which who runs a command would wait for.
import _signal as signal  # type: ignore[import-not-found]
import os

from pyautoload.warm import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import Any, NoReturn

__all__ = ["Signals", "stand_for"]

# What is not passed on: what cannot be caught, what comes from this process's own faults, and from its own timers.
_OWN = (
    "SIGKILL", "SIGSTOP", "SIGCHLD", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS", "SIGPIPE",
    "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGXFSZ", "SIGTTIN", "SIGTTOU",
)  # fmt: skip


class Signals:
    """Passes signals on.

    Args:
        connection: to who keeps the process.
    """

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._has_terminal = any(os.isatty(number) for number in range(3))
        # Those that are passed on, with their handlers of before; those that have come so far.
        self._before: dict[int, Any] = {}
        self._come: list[int] = []

    def pass_on(self) -> None:
        """From now on."""
        own = {getattr(signal, name) for name in _OWN if hasattr(signal, name)}
        for number in signal.valid_signals() - own:
            if signal.getsignal(number) == signal.SIG_IGN:
                continue
            try:
                before = signal.signal(number, self._pause if number == signal.SIGTSTP else self._forward)
            except (OSError, ValueError):
                continue  # the C library keeps it for itself
            self._before[number] = before

    def dropped(self, reason: str) -> str:
        """No more, as there is nobody; those that have come are ours. Returns the reason."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for number in self._come:
            os.kill(os.getpid(), number)
        return reason

    def _forward(self, number: int, frame: Any) -> None:
        self._come.append(number)
        # A key reaches all processes of the terminal, a signal by number one.
        by_key = self._has_terminal and number in (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH)
        wire.send(self._connection, {"signal": int(number), "group": by_key})

    def _pause(self, number: int, frame: Any) -> None:
        wire.send(self._connection, {"signal": int(signal.SIGSTOP), "group": True})
        os.kill(os.getpid(), signal.SIGSTOP)
        wire.send(self._connection, {"signal": int(signal.SIGCONT), "group": True})


def stand_for(connection: socket) -> NoReturn:
    """End as the process ends."""
    received = wire.receive(connection)
    # Without a word its keeper was killed, and it with that.
    status = received[0]["status"] if received is not None else int(signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [-code])
        os.kill(os.getpid(), -code)
    os._exit(code)
