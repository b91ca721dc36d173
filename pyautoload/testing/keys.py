"""The keys of a terminal, each as it is pressed."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Keys", "is_possible"]

# How often (seconds) it is looked whether the terminal has another size.
_LOOK = 0.5


def is_possible() -> bool:
    """Whether there is a terminal for a screen and for keys."""
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


class Keys:
    """Reads them in a thread of its own.

    Args:
        pressed: called with each.
        resized: called when the terminal has another size.
    """

    def __init__(self, pressed: Callable[[str], object], resized: Callable[[], object]) -> None:
        self._pressed = pressed
        self._resized = resized
        self._before: Any = None
        self._bell: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read from now on; Ctrl-C stays what it is."""
        import termios
        import tty

        number = sys.stdin.fileno()
        self._before = termios.tcgetattr(number)
        tty.setcbreak(number, termios.TCSANOW)
        self._bell = os.pipe()
        self._thread = threading.Thread(target=self._read, args=(number, self._bell[0]), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        if self._bell is None or self._thread is None:
            return
        import termios

        os.close(self._bell[1])
        self._thread.join()
        os.close(self._bell[0])
        self._bell = None
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def interrupt(self) -> None:
        """End what is going on, as Ctrl-C does."""
        os.kill(os.getpid(), signal.SIGINT)

    def _read(self, number: int, bell: int) -> None:
        size = shutil.get_terminal_size()
        while True:
            ready, _, _ = select.select([number, bell], [], [], _LOOK)
            if bell in ready:
                return
            if number in ready:
                try:
                    pressed = os.read(number, 64)
                except OSError:
                    pressed = b""
                if not pressed:
                    self.interrupt()  # the terminal has gone
                    return
                for key in pressed.decode(errors="ignore"):
                    self._pressed(key)
            if (now := shutil.get_terminal_size()) != size:
                size = now
                self._resized()
