"""Fresh states: has a process load what this one has loaded, and tells what that is like."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from pyautoload.warm import wire
from pyautoload.warm.files import is_of_the_project
from pyautoload.warm.orders import order
from pyautoload.warm.owner import Owner, Refused, interpreter_flags, libraries, why_unsupported
from pyautoload.warm.process import WarmProcess

__all__ = ["Described", "FreshState", "FreshStates"]

_MODULE = "pyautoload.checking.fresh_process"
# How long (seconds) a fresh process may take.
_PATIENCE = 120.0

# Tuples that are made from sets are the same in all fresh processes then.
_SAME = {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Described:
    """How a loader is made, for another process."""

    config: Any
    inflector: Any
    sources: Mapping[str, Any]


class FreshState(NamedTuple):
    """What a fresh process is like.

    Attributes:
        parts: managed module that could be loaded there → its paths and texts, packed.
        texts: file → what was in it, where that was asked for.
    """

    parts: dict[str, bytes]
    texts: dict[str, bytes]

    @property
    def modules(self) -> Set[str]:
        """Those that could be loaded."""
        return self.parts.keys()


class FreshStates:
    """Makes fresh processes, one at a time, from a template where there is one.

    Args:
        described: the loader.
        texts: whether the texts of the files are wanted, too.
    """

    def __init__(self, described: Described, *, texts: bool = False) -> None:
        self._described = described
        self._texts = texts
        self._owner = (
            Owner(os.getcwd(), variables=_SAME) if why_unsupported() is None and sys.platform == "linux" else None
        )
        self._process: subprocess.Popen[bytes] | WarmProcess | None = None
        # The writing end of a pipe: a cold process ends when it is closed.
        self._cord = -1

    def look(self, managed: Sequence[str]) -> FreshState | None:
        """Load modules in a fresh process.

        Args:
            managed: their names, in order.

        Returns:
            What they are like there; ``None`` where there was no such process, or it did not come to an end.
        """
        if os.name == "nt":
            return None  # open files are not handed on by number there
        files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
        texts = [(name, path if isinstance(path, str) else None) for name, path in files.items()]
        here = os.getcwd()
        known = frozenset(managed)
        own = [name for name, path in texts if name in known or (path is not None and is_of_the_project(path, here))]
        own = [name for name in own if name.partition(".")[0] not in ("__main__", "__mp_main__")]
        if self._owner is not None:
            ours = frozenset(own)
            others = [(name, path) for name, path in texts if name not in ours]
            self._owner.want(libraries(others, here), {name.partition(".")[0] for name in own})
            self._owner.rested.wait(_PATIENCE)
        work = {"path": list(sys.path), "own": own, "managed": list(managed), **vars(self._described)}
        work["texts"] = self._texts
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
            pickle.dump(work, given)
            given.flush()
            given.seek(0)
            return self._run(given, told)

    def _run(self, given: IO[bytes], told: IO[bytes]) -> FreshState | None:
        process = self._process = self._start(given.fileno(), told.fileno())
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        finally:
            self._process = None
            if self._cord >= 0:
                os.close(self._cord)
                self._cord = -1
        told.seek(0)
        try:
            outcome = pickle.load(told)
        except (EOFError, pickle.UnpicklingError):
            return None
        return FreshState(outcome["parts"], outcome["texts"])

    def _start(self, given: int, told: int) -> subprocess.Popen[bytes] | WarmProcess:
        if self._owner is not None:
            try:
                return self._warm(self._owner, given, told)
            except Refused:
                pass  # a cold one, then
        return self._cold(given, told)

    def _cold(self, given: int, told: int) -> subprocess.Popen[bytes]:
        """A process that ends when this one does, whatever it is doing."""
        reading, self._cord = os.pipe()
        nowhere = subprocess.DEVNULL
        command = [sys.executable, *interpreter_flags(), "-m", _MODULE, str(told), str(reading)]
        try:
            return subprocess.Popen(
                command,
                stdin=given,
                stdout=nowhere,
                stderr=nowhere,
                pass_fds=(told, reading),
                env={**os.environ, **_SAME},
                start_new_session=True,
            )
        finally:
            os.close(reading)

    def _warm(self, owner: Owner, given: int, told: int) -> WarmProcess:
        numbers = [0, 1, 2, told]
        wanted = order(
            ["-m", _MODULE, str(told), "-1"],
            {**os.environ, **_SAME},
            os.getcwd(),
            numbers,
            options=interpreter_flags(),
            session=True,
        )
        mine, its = socket.socketpair()
        nowhere = os.open(os.devnull, os.O_RDWR)
        try:
            owner.ask(wanted, [its.fileno(), given, nowhere, nowhere, told])
        except Refused:
            mine.close()
            raise
        finally:
            its.close()
            os.close(nowhere)
        received = wire.receive(mine)
        if received is None:
            mine.close()
            raise Refused("the template has ended")
        return WarmProcess(mine, received[0]["pid"])

    def close(self) -> None:
        """End what goes on."""
        process = self._process
        if process is not None:
            process.kill()
        if self._owner is not None:
            self._owner.close()
