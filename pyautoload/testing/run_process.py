"""The process that pytest runs in: forked from a template that has the libraries, or started as any other."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

from pyautoload.warm import wire
from pyautoload.warm.files import is_of_the_project
from pyautoload.warm.orders import order
from pyautoload.warm.owner import Owner, Refused, interpreter_flags, libraries, why_unsupported
from pyautoload.warm.process import WarmProcess

__all__ = ["Processes"]

_MODULE = "pyautoload.testing.pytest_child"
# How often (seconds) it is looked whether a process has ended that something else still writes for.
_LOOK = 0.2
# How long (seconds) pytest may take to end after it was interrupted.
_PATIENCE = 10.0
_Process = subprocess.Popen[bytes] | WarmProcess


class Processes:
    """Runs jobs in processes of their own.

    Args:
        directory: of the project.
        is_warm: whether to keep a template.
    """

    def __init__(self, directory: str, *, is_warm: bool) -> None:
        self.directory = directory
        self._owner = Owner(directory, gently=False) if is_warm and why_unsupported() is None else None
        # Whether the last run was forked, else why not.
        self.why = "a template is kept only while tests are watched"

    def prepare(self, loaded: Iterable[tuple[str, str | None]]) -> None:
        """Have a template made with these modules, those of the project left out."""
        if self._owner is None:
            return
        modules = list(loaded)
        own = {name for name, path in modules if path is not None and is_of_the_project(path, self.directory)}
        self._owner.want(libraries(modules, self.directory), {name.partition(".")[0] for name in own})

    def refresh(self) -> None:
        """Have a new template made if an installed library has changed."""
        if self._owner is not None:
            self._owner.refresh()

    def close(self) -> None:
        """End the template."""
        if self._owner is not None:
            self._owner.close()

    def run(self, job: dict[str, Any], told: Callable[[dict[str, Any]], None], output: int | None) -> int:
        """Run a job to its end.

        Args:
            job: for ``child``.
            told: called with each message.
            output: a descriptor for what pytest prints; ours by default.

        Returns:
            The exit code, negative where a signal ended it.
        """
        with tempfile.TemporaryDirectory(prefix="pyautoload-test-") as place:
            if os.name == "nt":
                return self._run_simply(job, told, output, place)
            reading, writing = os.pipe()
            cord, held = os.pipe()
            try:
                process = self._start(job, place, writing, cord, output)
            except BaseException:
                os.close(reading)
                raise
            finally:
                os.close(writing)
                os.close(cord)
            try:
                return _follow(process, reading, told)
            finally:
                os.close(reading)
                os.close(held)

    def _start(self, job: dict[str, Any], place: str, writing: int, cord: int, output: int | None) -> _Process:
        path = os.path.join(place, "job.json")
        arguments = ["-m", _MODULE, path]
        out = 1 if output is None else output
        error = 2 if output is None else output
        if self._owner is not None:
            _write(path, {**job, "descriptor": writing, "file": None, "cord": None})
            try:
                process = self._fork(self._owner, arguments, [0, out, error, writing], writing)
                self.why = "forked"
                return process
            except Refused as refused:
                self.why = str(refused)
        _write(path, {**job, "descriptor": writing, "file": None, "cord": cord})
        command = [sys.executable, *interpreter_flags(), *arguments]
        return subprocess.Popen(command, stdout=out, stderr=error, pass_fds=(writing, cord))

    def _fork(self, owner: Owner, arguments: list[str], given: list[int], writing: int) -> WarmProcess:
        wanted = order(arguments, os.environ, os.getcwd(), [0, 1, 2, writing], options=interpreter_flags())
        mine, its = socket.socketpair()
        try:
            owner.ask(wanted, [its.fileno(), *given])
        except BaseException:
            mine.close()
            raise
        finally:
            its.close()
        received = wire.receive(mine)
        if received is None:
            mine.close()
            raise Refused("the template has ended")
        return WarmProcess(mine, received[0]["pid"])

    def _run_simply(
        self, job: dict[str, Any], told: Callable[[dict[str, Any]], None], output: int | None, place: str
    ) -> int:
        """Where no descriptors are handed on: messages are read when all is over."""
        path, messages = os.path.join(place, "job.json"), os.path.join(place, "messages.jsonl")
        _write(path, {**job, "descriptor": None, "file": messages, "cord": None})
        code = subprocess.call(
            [sys.executable, *interpreter_flags(), "-m", _MODULE, path], stdout=output, stderr=output
        )
        with contextlib.suppress(FileNotFoundError), open(messages, encoding="utf-8") as opened:
            for line in opened:
                if line.endswith("\n"):
                    told(json.loads(line))
        return code


def _write(path: str, job: dict[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as opened:
        json.dump(job, opened)


def _follow(process: _Process, reading: int, told: Callable[[dict[str, Any]], None]) -> int:
    """Pass messages on until the process has ended."""
    try:
        _read(process, reading, told)
        return process.wait()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            # A key in the terminal has reached pytest, too; a second interrupt does no harm.
            with contextlib.suppress(BaseException):
                _interrupt(process)
                _read(process, reading, told, _PATIENCE)
                process.wait(_PATIENCE)
        process.kill()
        process.wait()
        raise


def _interrupt(process: _Process) -> None:
    if process.poll() is None and process.pid > 0:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)


def _read(
    process: _Process, reading: int, told: Callable[[dict[str, Any]], None], patience: float = float("inf")
) -> None:
    rest = bytearray()
    end = time.monotonic() + patience
    while time.monotonic() < end:
        ready, _, _ = select.select([reading], [], [], _LOOK)
        if not ready:
            if process.poll() is not None:
                return  # somebody that it has left behind still has the other end
            continue
        part = os.read(reading, 1 << 16)
        if not part:
            return
        rest += part
        *lines, last = rest.split(b"\n")
        rest = bytearray(last)
        for line in lines:
            told(json.loads(line))
