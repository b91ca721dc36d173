"""Standing for another process: passing signals on to it, and ending as it ends."""

from __future__ import annotations

# What `signal` wraps, without enumerations, which who runs a command would wait for.
import _signal as signal  # type: ignore[import-not-found]
import os
import select

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
        # Readable when a signal has come, and its other end.
        self._bell: tuple[int, int] | None = None

    def pass_on(self) -> None:
        """From now on."""
        self._bell = os.pipe()
        for end in self._bell:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._bell[1], warn_on_full_buffer=False)
        own = {getattr(signal, name) for name in _OWN if hasattr(signal, name)}
        for number in signal.valid_signals() - own:
            if signal.getsignal(number) == signal.SIG_IGN:
                continue
            try:
                before = signal.signal(number, self._pause if number == signal.SIGTSTP else self._forward)
            except (OSError, ValueError):
                continue  # the C library keeps it for itself
            self._before[number] = before

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """What ``wire.receive`` gives, while signals are passed on.

        Python calls a handler between two steps of the program. A signal that comes after the last step before the
        wait would be passed on after it, when the process has ended: so it is the wait that a signal ends.
        """
        bell = self._bell[0] if self._bell is not None else -1
        number = self._connection.fileno()
        ready: list[int] = []
        while number not in ready:
            ready, _, _ = select.select([number, bell] if bell >= 0 else [number], [], [])
            if bell in ready:
                try:
                    os.read(bell, 512)
                except BlockingIOError:
                    continue
        return wire.receive(self._connection)

    def dropped(self, reason: str) -> str:
        """No more, as there is nobody; those that have come are ours. Returns the reason."""
        if self._bell is not None:
            signal.set_wakeup_fd(-1)
            for end in self._bell:
                os.close(end)
            self._bell = None
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


def stand_for(signals: Signals) -> NoReturn:
    """End as the process ends, to which signals are passed on meanwhile."""
    received = signals.receive()
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
