"""The guard: what the import of a library must not change if the library is to be in a template.

A fork copies neither threads nor what a child process does, and shares open files. What a child gets anew (environment,
working directory, signal handlers, standard streams, ``sys.path``) would lose what a library did to it. Such a library
is left out, and so imported by each process itself.
"""

from __future__ import annotations

import builtins
import gc
import locale
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from pyautoload.warm import streams
from pyautoload.warm.environment import Reads

__all__ = ["Guard"]

_PROC = "/proc/self"
# Descriptors of these are the same in every process.
_HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random")


class Guard:
    """Compares this process with what it was.

    Args:
        reads: knows the environment.
    """

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._state = self._look()

    def changed(self) -> str | None:
        """What has changed since the last question, in words; ``None`` for nothing that matters."""
        now = self._look()
        if now["starts a thread"] != self._state["starts a thread"] and threading.active_count() == 1:
            # Libraries that compute in threads end them before a fork, and begin anew when they need them.
            _fork_for_nothing()
            now = self._look()
        before, self._state = self._state, now
        return next((what for what, value in now.items() if value != before[what]), None)

    def _look(self) -> dict[str, Any]:
        return {what: look() for what, look in _LOOKS.items()} | {"changes the environment": self._reads.content()}


def thread_count() -> int:
    """How many threads this process has, those that Python does not know of among them where that can be found out."""
    try:
        return len(os.listdir(f"{_PROC}/task"))
    except OSError:
        return threading.active_count()


def _fork_for_nothing() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _descriptors() -> frozenset[str]:
    directory = f"{_PROC}/fd" if os.path.isdir(f"{_PROC}/fd") else "/dev/fd"
    found = set()
    for number in os.listdir(directory):
        try:
            link = os.readlink(f"{directory}/{number}")
        except OSError:
            link = ""
            try:
                os.fstat(int(number))
            except OSError:
                continue  # of the listing itself
        if link not in _HARMLESS and not link.startswith("/proc/"):
            found.add(f"{number} {link}")
    return frozenset(found)


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _handlers() -> list[Any]:
    return [signal.getsignal(number) for number in sorted(signal.valid_signals())]


def _interpreter() -> tuple[Any, ...]:
    hooks = (sys.excepthook, sys.displayhook, sys.unraisablehook, sys.breakpointhook, threading.excepthook)
    limits = (sys.getrecursionlimit(), sys.getswitchinterval(), sys.gettrace(), sys.getprofile())
    return (*map(id, hooks), *limits, len(vars(builtins)), locale.setlocale(locale.LC_ALL))


def _logging() -> tuple[Any, ...]:
    root = logging.getLogger()
    return (*map(id, root.handlers), root.level, root.manager.disable, logging.getLoggerClass(), warnings.showwarning)


def _collector() -> tuple[Any, ...]:
    # The interpreter itself freezes some hundred objects, and these may go.
    return gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 2000, len(gc.callbacks)


_LOOKS: dict[str, Callable[[], Any]] = {
    "starts a thread": thread_count,
    "leaves a file or a socket open": _descriptors,
    "leaves a child process behind": _has_children,
    "sets a signal handler": _handlers,
    "replaces a standard stream": lambda: (id(sys.stdin), id(sys.stdout), id(sys.stderr)),
    "looks whether there is a terminal": streams.questions,
    "changes the working directory": os.getcwd,
    "changes the umask": _umask,
    "changes sys.path": lambda: list(sys.path),
    "changes the interpreter": _interpreter,
    "changes the garbage collector": _collector,
    "changes the root logger": _logging,
}
