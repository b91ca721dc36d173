"""Trial: import every module in a child process, so that a crash in one of them is a finding and not the end."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from pyautoload.checking.child import Work
from pyautoload.config import Config
from pyautoload.errors import SetupError

__all__ = ["Trial"]

_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); work = sys.argv.pop(); " + (
    "from pyautoload.checking.child import main; main(work)"
)
# How often (s) the parent looks how far the child is.
_INTERVAL = 0.02
# How many lines of what a crashed module printed are shown.
_TAIL = 6


class Trial:
    """Imports modules in child processes, one after the other in one process for as long as that lives.

    Args:
        config: roots and patterns.
        inflector: stems to names; it goes to the child by pickle.
        timeout: after how many seconds without any progress a module counts as one that never ends.
        progress: called with ``(done, total, name)``.
        loader: ``"module:name"`` of a loader that the program makes itself.
    """

    def __init__(
        self,
        config: Config,
        inflector: Any,
        *,
        timeout: float = 60,
        progress: Callable[[int, int, str], object] | None = None,
        loader: str | None = None,
    ) -> None:
        self.config = config
        self.inflector = inflector
        self.timeout = timeout
        self.progress = progress
        self.loader = loader
        # Module → how its import went, as the child tells it.
        self.outcomes: dict[str, dict[str, Any]] = {}
        # Module that ended the process → how, and those that could not be imported because of it.
        self.crashes: dict[str, tuple[str, list[str], list[str]]] = {}
        self._total = 0
        self._files: dict[str, str] = {}

    def run(self, modules: list[str], files: dict[str, str]) -> Trial:
        """Import modules.

        Args:
            modules: their names, in order.
            files: module name → file, of everything managed.

        Raises:
            SetupError: the loader could not be made in the child.
        """
        self._total = len(modules)
        self._files = files
        waiting = list(modules)
        with tempfile.TemporaryDirectory(prefix="pyautoload-", ignore_cleanup_errors=True) as directory:
            while waiting:
                waiting = self._round(waiting, directory)
        return self

    def _round(self, waiting: list[str], directory: str) -> list[str]:
        """One child; returns what is left to do after it."""
        results, output = os.path.join(directory, "results"), os.path.join(directory, "output")
        for leftover in (results, output):
            if os.path.exists(leftover):
                os.unlink(leftover)
        how = self._run_child(
            Work(self.config, self.inflector, waiting, self._files, results, self.loader), directory, output
        )
        records = _records(results)
        asked = culprit = None
        for record in records:
            if "setup" in record:
                raise SetupError(f"the loader could not be made: {record['setup']}")
            if "ends" in record:
                self.outcomes[record["ends"]] = record
                asked = culprit = None
            elif "begins" in record:
                culprit = record["begins"]
                asked = culprit if record.get("asked") else asked
        if records and records[-1].get("finished"):
            return []
        if asked is None or culprit is None:
            raise SetupError(f"the process that imports the modules {how} before it began:\n{_tail(output, 20)}")
        known = self.crashes.setdefault(culprit, (how, _tail(output, _TAIL).splitlines(), []))
        if asked != culprit:
            known[2].append(asked)
        left = waiting[waiting.index(asked) + 1 :]
        return [module for module in left if module not in self.crashes]

    def _run_child(self, work: Work, directory: str, output: str) -> str:
        """Run one child to its end; returns how it ended, in words."""
        work_file = os.path.join(directory, "work")
        try:
            with open(work_file, "wb") as opened:
                pickle.dump(work, opened)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise SetupError(
                f"the inflector {self.inflector!r} cannot be sent to a child process ({error}): "
                f"define its class in a module of its own, name the loader with --loader, or check with --static"
            ) from error
        path = json.dumps([os.path.abspath(entry) for entry in sys.path])
        command = [sys.executable, "-c", _START, work_file, path]
        with open(output, "wb") as sink:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            return self._follow(child, work)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()

    def _follow(self, child: subprocess.Popen[bytes], work: Work) -> str:
        size, since = 0, time.monotonic()
        while child.poll() is None:
            time.sleep(_INTERVAL)
            grown = os.path.getsize(work.results) if os.path.exists(work.results) else 0
            if grown != size:
                size, since = grown, time.monotonic()
                self._tell(work.results)
            elif time.monotonic() - since > self.timeout:
                return f"did not end within {self.timeout:g} s"
        self._tell(work.results)
        return _ending(child.returncode)

    def _tell(self, results: str) -> None:
        if self.progress is None:
            return
        ended = [record["ends"] for record in _records(results) if "ends" in record]
        if ended:
            done = len(set(self.outcomes) | set(ended)) + len(self.crashes)
            self.progress(min(done, self._total), self._total, ended[-1])


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended the process with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _records(path: str) -> list[dict[str, Any]]:
    try:
        with open(path, "rb") as opened:
            lines = opened.read().split(b"\n")
    except FileNotFoundError:
        return []
    # What follows the last line end is not written completely yet.
    return [json.loads(line) for line in lines[:-1]]


def _tail(path: str, lines: int) -> str:
    with open(path, encoding="utf-8", errors="replace") as opened:
        return "\n".join(opened.read().splitlines()[-lines:])
