"""The main thread: reloads of a program that knows nothing of them run there, between two steps of its own code.

While modules run again, their names are not all there. A program that is served waits at the gate; any other one goes
on in the midst of a function, and would meet a name that is missing. So its main thread is interrupted by a signal, as
by Ctrl-C, and the handler does the reload: what the main thread does next, it does with the new version. Python wakes
sleeping and waiting calls for that and goes on with them afterwards.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from enum import Enum
from types import FrameType
from typing import Any

__all__ = ["MainThread", "Moment", "is_in_the_midst"]

# Ignored where nobody handles it, and used by nearly nobody: for urgent data of a socket.
_SIGNAL: Any = getattr(signal, "SIGURG", None)
# How often the main thread is woken, and how long (seconds) it may be held up by C code.
_EVERY, _PATIENCE = 0.05, 1.0
# What runs while a module is imported.
_IMPORTING = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
# The parts of reloading itself, which hold locks.
_HERE = os.path.dirname(__file__) + os.sep


class Moment(Enum):
    """Whether a thread can be interrupted for a reload just now."""

    NOW = "now"
    LATER = "later"
    # It goes through a gate, at which the reload waits in a thread of its own.
    ELSEWHERE = "elsewhere"


class _Job:
    """Something to be done once, by the thread that takes it first."""

    def __init__(self, work: Callable[[], object], moment: Callable[[], Moment]) -> None:
        self.work = work
        self.moment = moment
        self.done = threading.Event()
        # Whoever gets it does the work: the main thread in the handler, else the thread that waits for that.
        self._claim = threading.Lock()
        self.is_claimed = False
        # What the main thread has answered.
        self.answer: Moment | None = None

    def claim(self) -> bool:
        """Take the job; ``False`` where somebody has it."""
        if not self._claim.acquire(blocking=False):
            return False
        self.is_claimed = True
        return True

    def do(self) -> None:
        """Do it, and tell."""
        try:
            self.work()
        finally:
            self.done.set()


class MainThread:
    """Has work done in the main thread."""

    def __init__(self) -> None:
        self._job: _Job | None = None
        self._before: Any = signal.signal(_SIGNAL, self.handle)

    @classmethod
    def if_possible(cls) -> MainThread | None:
        """One for this process; ``None`` where the system has no such signal, or this is another thread."""
        if _SIGNAL is None or not hasattr(signal, "pthread_kill"):
            return None
        if threading.current_thread() is not threading.main_thread():
            return None
        return cls()

    def close(self) -> None:
        """Let the signal be what it was; in another thread than the main one it stays, and does nothing."""
        if threading.current_thread() is threading.main_thread() and signal.getsignal(_SIGNAL) == self.handle:
            signal.signal(_SIGNAL, self._before if self._before is not None else signal.SIG_DFL)

    def run(self, work: Callable[[], object], moment: Callable[[], Moment]) -> None:
        """Have work done, and wait for its end.

        Where the main thread does not come to it, it is done here. If it wakes meanwhile, it waits for the end.

        Args:
            work: what is to be done.
            moment: asked in the main thread: whether that can be interrupted.
        """
        main = threading.main_thread()
        job = self._job = _Job(work, moment)
        waited = 0.0
        try:
            while main.is_alive() and main.ident is not None and signal.getsignal(_SIGNAL) == self.handle:
                signal.pthread_kill(main.ident, _SIGNAL)
                if job.done.wait(_EVERY) or job.is_claimed or job.answer is Moment.ELSEWHERE:
                    break
                waited = 0.0 if job.answer is not None else waited + _EVERY
                job.answer = None
                if waited >= _PATIENCE:
                    break
            if job.claim():
                job.do()
            else:
                job.done.wait()
        finally:
            self._job = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """What the signal calls."""
        job = self._job
        if job is not None and not job.done.is_set():
            self._take(job)
        if callable(self._before):
            self._before(number, frame)

    def _take(self, job: _Job) -> None:
        job.answer = job.moment()
        if job.answer is not Moment.NOW:
            return
        if job.claim():
            job.do()
        else:
            job.done.wait()  # the other thread has begun: what runs here would meet it half-way


_HANDLER = MainThread.handle.__code__


def is_in_the_midst() -> bool:
    """Whether the calling thread is in the midst of an import, whose modules are not complete, or of a reload."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not _HANDLER:
        frame = frame.f_back  # what the handler has called
    frame = frame.f_back if frame is not None else None
    while frame is not None:
        file = frame.f_code.co_filename
        if file in _IMPORTING or file.startswith(_HERE):
            return True
        frame = frame.f_back
    return False
