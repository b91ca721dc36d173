"""What a fresh process is like: loads what a program has loaded, in its order, and writes down what came of it.

Started by ``pyautoload.warm.fresh_state`` as ``python -m pyautoload.checking.fresh_process NUMBER CORD``, with the
work on its standard input, at low priority; the numbers are those of the descriptor that the outcome is written to, and
of a pipe that is closed when nobody waits for it any more (-1 for none).
"""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import sys
from collections.abc import Iterable
from typing import Any

from pyautoload.checking.loader_lookup import configured
from pyautoload.warm import lifeline
from pyautoload.warm.comparison import pack
from pyautoload.warm.fingerprint import Fingerprint

__all__ = ["main"]

# How much further back (as ``nice`` says it) than the program.
_BEHIND = 10


def main(number: int, cord: int) -> None:
    """Load, describe, and end, whatever threads and processes the program has started."""
    if hasattr(os, "nice"):
        os.nice(_BEHIND)
    if cord >= 0:
        lifeline.depend_on(cord)
    with open(0, "rb", closefd=False) as opened:
        work: dict[str, Any] = pickle.load(opened)
    sys.path[:] = work["path"]
    configured(work["config"], work["inflector"], sources=work["sources"])
    failed = _import(work["own"])
    described = [name for name in work["managed"] if name not in failed]
    told = {
        "parts": {name: _described(name, described) for name in described},
        "failed": failed,
        "texts": _texts(described) if work["texts"] else {},
    }
    with open(number, "wb", closefd=False) as output:
        pickle.dump(told, output)
    _end()


def _described(name: str, names: Iterable[str]) -> bytes:
    """A module in words, packed; the same bytes where it is the same."""
    fingerprint = Fingerprint(names)
    fingerprint.module(name)
    return pack(fingerprint.found)


def _texts(names: Iterable[str]) -> dict[str, bytes]:
    """File → what is in it, for the files of modules."""
    found = {}
    for name in names:
        path = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(path, str) and os.path.isfile(path):
            with open(path, "rb") as opened:
                found[path] = opened.read()
    return found


def _end() -> None:
    """End with all that the program has started, which is in this session, as nobody needs it."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
    os._exit(0)


def _import(names: list[str]) -> dict[str, str]:
    """Import modules; what fails is tried once more when others are there, as their order is that of their ends."""
    left = list(names)
    while True:
        failed: dict[str, str] = {}
        for name in left:
            try:
                importlib.import_module(name)
            except BaseException as error:  # noqa: BLE001 - told: it is the program's error in any process
                failed[name] = f"{type(error).__name__}: {error}"
        if len(failed) in (0, len(left)):
            return failed
        left = list(failed)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
