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

from pyautoload.checking.child_process import Work
from pyautoload.errors import SetupError
from pyautoload.sources import own_source
from pyautoload.tree.managed_paths import Config

__all__ = ["Trial"]

_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); work = sys.argv.pop(); " + (
    "from pyautoload.checking.child_process import main; main(work)"
)
# How often (s) the parent looks how far the child is.
_INTERVAL = 0.02
# How long (s) the child may take to begin, where the time for a module is shorter.
_START_TIME = 30
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
        effects: import eagerly, and find out what the run of each module changes outside of itself.
    """

    def __init__(
        self,
        config: Config,
        inflector: Any,
        *,
        timeout: float = 60,
        progress: Callable[[int, int, str], object] | None = None,
        loader: str | None = None,
        effects: bool = False,
    ) -> None:
        self.config = config
        self.inflector = inflector
        self.timeout = timeout
        self.progress = progress
        self.loader = loader
        # Whether effects are wanted; module → what its run changes, in words.
        self._effects = effects
        self.effects: dict[str, list[str]] = {}
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
        sources = (
            {}
            if self.loader
            else {path: source for path in self.config.roots if (source := own_source(path)) is not None}
        )
        work = Work(self.config, self.inflector, waiting, self._files, results, sources, self.loader, self._effects)
        told = _Told(results)
        how = self._run_child(work, directory, output, told)
        # The module that was asked for, and those that it was importing when the process ended, the innermost last.
        under_way: list[str] = []
        for record in told.records:
            if "setup" in record:
                raise SetupError(f"the loader could not be made: {record['setup']}")
            if "ends" in record:
                self.outcomes[record["ends"]] = record
                under_way = []
            elif "begins" in record:
                under_way.append(record["begins"])
            elif "left" in record:
                del under_way[_last_index(under_way, record["left"]) :]
        if told.records and told.records[-1].get("finished"):
            self.effects.update(told.records[-1]["effects"])
            return []
        if not under_way:
            raise SetupError(f"the process that imports the modules {how} before it began:\n{_tail(output, 20)}")
        asked, culprit = under_way[0], under_way[-1]
        known = self.crashes.setdefault(culprit, (how, _tail(output, _TAIL).splitlines(), []))
        if asked != culprit:
            known[2].append(asked)
        left = waiting[waiting.index(asked) + 1 :]
        return [module for module in left if module not in self.crashes]

    def _run_child(self, work: Work, directory: str, output: str, told: _Told) -> str:
        """Run one child to its end; returns how it ended, in words."""
        work_file = os.path.join(directory, "work")
        try:
            with open(work_file, "wb") as opened:
                pickle.dump(work, opened)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise SetupError(
                f"{_own_objects(work)} cannot be sent to a child process ({error}): "
                f"define its class in a module of its own, name the loader with --loader, or check with --static"
            ) from error
        path = json.dumps([os.path.abspath(entry) for entry in sys.path])
        command = [sys.executable, "-c", _START, work_file, path]
        with open(output, "wb") as sink:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            return self._follow(child, told)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()

    def _follow(self, child: subprocess.Popen[bytes], told: _Told) -> str:
        since = time.monotonic()
        while child.poll() is None:
            time.sleep(_INTERVAL)
            if told.read_on():
                since = time.monotonic()
                self._report(told)
            elif time.monotonic() - since > (self.timeout if told.records else max(self.timeout, _START_TIME)):
                return f"did not end within {self.timeout:g} s"
        told.read_on()
        self._report(told)
        return _ending(child.returncode)

    def _report(self, told: _Told) -> None:
        """Tell the caller how far it is."""
        if self.progress is not None and told.ended:
            done = len(self.outcomes) + len(self.crashes) + len(told.ended)
            self.progress(min(done, self._total), self._total, told.ended[-1])


class _Told:
    """What a child has written so far.

    Args:
        path: the file that it writes to.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.records: list[dict[str, Any]] = []
        # The modules that have been imported, well or not.
        self.ended: list[str] = []
        self._at = 0

    def read_on(self) -> bool:
        """Read what has come; whether there was anything."""
        try:
            with open(self.path, "rb") as opened:
                opened.seek(self._at)
                data = opened.read()
        except FileNotFoundError:
            return False
        # What follows the last line end is not written completely yet.
        complete = data[: data.rfind(b"\n") + 1]
        self._at += len(complete)
        fresh = [json.loads(line) for line in complete.splitlines()]
        self.records += fresh
        self.ended += [record["ends"] for record in fresh if "ends" in record]
        return bool(fresh)


def _own_objects(work: Work) -> str:
    """The objects of the user's own that go to the child, for a message."""
    return " or ".join([f"the inflector {work.inflector!r}", *(f"the source {one!r}" for one in work.sources.values())])


def _last_index(names: list[str], name: str) -> int:
    """Where a name stands last; behind the end if it does not."""
    return max((index for index, each in enumerate(names) if each == name), default=len(names))


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended the process with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _tail(path: str, lines: int) -> str:
    with open(path, encoding="utf-8", errors="replace") as opened:
        return "\n".join(opened.read().splitlines()[-lines:])
