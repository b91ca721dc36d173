"""Which exceptions are the user's at the keyboard, and which ones are raised by the code that is being reloaded."""

from __future__ import annotations

import threading

__all__ = ["is_interrupt"]


def is_interrupt(error: BaseException) -> bool:
    """Whether an exception may come from Ctrl-C, which Python raises in the main thread alone.

    Any other one that a module or a callback raises, be it ``asyncio.CancelledError``, ``GeneratorExit``, or a
    ``KeyboardInterrupt`` in the watching thread, says that this code failed: it ends neither a thread nor a reload.
    """
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
