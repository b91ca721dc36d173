"""What a fresh process is like: loads what a program has loaded, in its order, and writes down what came of it.

Started by ``pyautoload.warm.fresh_state`` as ``python -m pyautoload.checking.fresh_process NUMBER``, with the work on
its standard input, at low priority; the number is that of the descriptor that the outcome is written to.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from typing import Any

from pyautoload.checking.loader_lookup import configured
from pyautoload.warm.fingerprint import Fingerprint

__all__ = ["main"]

# How much further back (as ``nice`` says it) than the program.
_BEHIND = 10


def main(number: int) -> None:
    """Load, describe, and end, whatever threads the program has started."""
    if hasattr(os, "nice"):
        os.nice(_BEHIND)
    with open(0, "rb", closefd=False) as opened:
        work: dict[str, Any] = pickle.load(opened)
    sys.path[:] = work["path"]
    configured(work["config"], work["inflector"], sources=work["sources"])
    failed = _import(work["own"])
    described = [name for name in work["managed"] if name not in failed]
    fingerprint = Fingerprint(described)
    for name in described:
        for _ in fingerprint.module(name):
            pass
    with open(number, "wb", closefd=False) as output:
        pickle.dump({"state": fingerprint.found, "modules": described, "failed": failed}, output)
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
    main(int(sys.argv[1]))
