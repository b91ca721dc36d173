"""The end of a child: what the interpreter does when a program has ended, without taking the libraries apart.

To free all objects, the interpreter writes to all memory that the child shares with its template, and that takes
longer than many a program. Python does not promise that objects which still exist then are finalized. Two kinds would
be missed all the same, and where there is one of them the interpreter does its work as ever: what was written to a file
that is open still, and classes of the program with a ``__del__``.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["end", "load"]

# The C library, for its own end: what it has buffered, and what libraries have it call.
_library: Any = None


def load() -> None:
    """Load what is needed later, in the template."""
    global _library
    try:
        import ctypes

        _library = ctypes.CDLL(None)
    except (ImportError, OSError, TypeError):
        _library = None


def end(code: int, known: frozenset[str], own: Iterable[int], finish: Callable[[], object]) -> None:
    """End the process, if that can be done quickly; returns where the interpreter has to do it.

    Args:
        code: the exit code, or the number of a signal below zero.
        known: the modules that were in the template.
        own: descriptors that are ours.
        finish: called when the program's threads and ``atexit`` functions have ended.
    """
    shutdown: Any = threading
    shutdown._shutdown()
    atexit._run_exitfuncs()
    finish()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:  # noqa: BLE001 - the interpreter meets it again, and tells
            return
    if _library is None or _has_open_files(frozenset(own)) or _has_finalizers(known):
        return
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    _library.exit(code)


def _has_open_files(own: frozenset[int]) -> bool:
    directory = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for number in map(int, os.listdir(directory)):
        if number > 2 and number not in own:
            try:
                os.fstat(number)
            except OSError:
                continue  # that of the listing
            return True
    return False


def _has_finalizers(known: frozenset[str]) -> bool:
    for name, module in list(sys.modules.items()):
        if name in known and name != "__main__":
            continue
        for value in list(getattr(module, "__dict__", {}).values()):
            if isinstance(value, type) and "__del__" in vars(value):
                return True
    return False
