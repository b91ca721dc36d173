"""Keys: what somebody types in the terminal of the server. ``r`` restarts.

One key is enough, no Enter, as the terminal is told not to wait for a whole line. It belongs to the program too, which
may ask for input or start a debugger: from then on keys are left to that.
"""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["Keys"]


class Keys:
    """The terminal, if there is one and it is ours.

    Nothing is read where another process group has it (the server runs in the background): the system would stop us.
    """

    def __init__(self) -> None:
        # What the terminal was set to, while it is set otherwise.
        self._before: Any = None
        self._number = _terminal()

    @property
    def is_there(self) -> bool:
        """Whether keys can be read."""
        return self._number is not None

    def fileno(self) -> int:
        """For a selector."""
        assert self._number is not None
        return self._number

    def take(self) -> None:
        """Read keys from now on."""
        import termios

        if self._before is None and self._is_ours():
            self._before = termios.tcgetattr(self.fileno())
            changed = termios.tcgetattr(self.fileno())
            changed[3] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self.fileno(), termios.TCSADRAIN, changed)

    def leave(self) -> None:
        """Give the terminal back as it was."""
        import termios

        before, self._before = self._before, None
        if before is not None and self._is_ours():
            termios.tcsetattr(self.fileno(), termios.TCSADRAIN, before)

    def read(self) -> str | None:
        """The keys that were pressed; ``None`` when there will be no more."""
        if not self._is_ours():
            return None
        try:
            return os.read(self.fileno(), 64).decode("utf-8", "replace") or None
        except OSError:
            return None

    def _is_ours(self) -> bool:
        try:
            return os.tcgetpgrp(self.fileno()) == os.getpgrp()
        except OSError:
            return False


def _terminal() -> int | None:
    """The number of standard input, if that is a terminal whose keys we can wait for."""
    if os.name == "nt" or sys.stdin is None:
        return None
    try:
        number = sys.stdin.fileno()
        return number if os.isatty(number) and os.tcgetpgrp(number) == os.getpgrp() else None
    except (OSError, ValueError):
        return None
