"""Fresh processes: how a contender is started and its figures are read."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROJECT = HERE.parent

Figures = dict[str, Any]
Start = Callable[[], Figures]


class ContenderFailed(RuntimeError):
    """A contender ended with an error; the message holds the end of what it wrote."""


class Missing(RuntimeError):
    """What a contender needs is not installed; the message says how to get it."""


def environment(**extra: str) -> dict[str, str]:
    """The environment of a contender: bytecode is written, nothing of PyAutoload is configured from outside."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYAUTOLOAD"))}
    return {**kept, "PYTHONPATH": str(PROJECT), **extra}


def run(command: list[str], *, timeout: float = 1800, **extra: str) -> Figures:
    """Run ``command`` and read the JSON object on its last line of output."""
    done = subprocess.run(command, env=environment(**extra), capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise ContenderFailed(f"{' '.join(command[1:3])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    figures: Figures = json.loads(done.stdout.strip().rpartition("\n")[2])
    return figures


def python(function: str, *, needs: str = "", interpreter: str = "", limit: float = 1800, **arguments: Any) -> Start:
    """A contender in Python.

    Args:
        function: ``'stock.eager'`` for that function of ``opponents/stock.py``.
        needs: a package that it cannot do without.
        interpreter: another one than this.
        limit: seconds after which it is given up.
        arguments: what the function is called with.
    """

    def start() -> Figures:
        if needs and importlib.util.find_spec(needs) is None:
            raise Missing(f"{needs} is not installed: pip install 'pyautoload[bench]'")
        pairs = [f"{key}={value}" for key, value in arguments.items()]
        return run([interpreter or sys.executable, str(HERE / "child.py"), function, *pairs], timeout=limit)

    return start


def ruby(action: str, **arguments: Any) -> Start:
    """A contender in Ruby: ``zeitwerk.rb ACTION key=value...``."""

    def start() -> Figures:
        found = shutil.which("ruby")
        if found is None:
            raise Missing("Ruby is not installed: apt-get install ruby ruby-zeitwerk")
        if subprocess.run([found, "-e", "require 'zeitwerk'"], capture_output=True).returncode != 0:
            raise Missing("Zeitwerk is not installed: gem install zeitwerk, or apt-get install ruby-zeitwerk")
        pairs = [f"{key}={value}" for key, value in arguments.items()]
        return run([found, str(HERE / "opponents" / "zeitwerk.rb"), action, *pairs])

    return start
