"""The other end of a replay's processes: starts them, gives them orders, and reads what they answer."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import Any

from pyautoload.errors import SetupError

__all__ = ["Ended", "Handle", "Loaded", "without_git"]


class Ended(Exception):
    """A process has ended, or took too long."""


class Loaded(dict[str, str]):
    """What a process holds: path → text.

    Args:
        state: the paths.
        modules: that are loaded.
        failed: those that could not be.
    """

    def __init__(self, state: dict[str, str], modules: Iterable[str], failed: Iterable[str]) -> None:
        super().__init__(state)
        self.modules = frozenset(modules)
        self.failed = frozenset(failed)


class Handle:
    """One process.

    Args:
        directory: where it runs.
        task: what it is told first.
        scratch: a directory for what it writes.
        timeout: how long (seconds) it may take for one order.
    """

    def __init__(self, directory: str, task: dict[str, Any], scratch: str, timeout: float) -> None:
        self._timeout = timeout
        self._failed: list[str] = []
        self._described = os.path.join(scratch, "described")
        self._output = open(os.path.join(scratch, "output"), "w+b")  # noqa: SIM115 - closed with the process
        variables = {**without_git(), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-m", "pyautoload.checking.replay_process"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self._output, cwd=directory, env=variables, encoding="utf-8"
        )
        self._send(task)

    def load(self) -> None:
        """Load everything that is managed."""
        self._failed = list(self.ask("load")["failed"])

    def describe(self) -> Loaded:
        """What it holds."""
        self.ask("describe", file=self._described)
        with open(self._described, "rb") as opened:
            state, modules = pickle.load(opened)
        return Loaded(state, modules, self._failed)

    def ask(self, what: str, **more: str) -> dict[str, Any]:
        """Give an order and await the answer.

        Raises:
            Ended: it ended, or took too long.
            SetupError: it could not make the loader.
        """
        self._send({"do": what, **more})
        assert self._process.stdout is not None
        alarm = threading.Timer(self._timeout, self._process.kill)
        alarm.start()
        try:
            line = self._process.stdout.readline()
        finally:
            alarm.cancel()
        if not line:
            raise Ended(f"the process ended while it was told to {what} ({self._process.wait()}): {self._last()}")
        answer: dict[str, Any] = json.loads(line)
        if "setup" in answer:
            raise SetupError(f"the loader could not be made: {answer['setup']}")
        return answer

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: who reads its answer finds that
            print(json.dumps(message), file=self._process.stdin, flush=True)

    def _last(self) -> str:
        """The last line that it printed."""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def close(self) -> None:
        """End it."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()
        self._output.close()


def without_git() -> dict[str, str]:
    """The environment without what leads git to another repository than that of its directory: hooks set it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
