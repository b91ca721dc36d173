"""A development server in a session of its own: started, looked at by ``/proc``, and ended with all that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from benchmarks.process import ContenderFailed

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_GRACE = 3.0  # seconds to end by itself


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Server:
    """A command that serves HTTP, used with ``with``: whatever happens inside, nothing of it is left.

    Args:
        command: what is run; ``{port}`` in it stands for the port.
        directory: the working directory.
        environment: all environment variables.
        log: the file for what it writes.
    """

    def __init__(self, command: list[str], directory: Path, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self._command = [part.format(port=self.port) for part in command]
        self._directory = directory
        self._environment = environment
        self._log = log

    def __enter__(self) -> Server:
        self.started = time.perf_counter()
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its children belong to it: they are found and ended by that
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            end = time.monotonic() + _GRACE
            while time.monotonic() < end:
                self._process.poll()  # an ended child that nobody asked for stays in the session
                if not self.processes():
                    return
                time.sleep(0.02)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # the group is empty: all have ended

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def failure(self, what: str) -> ContenderFailed:
        """The error that says ``what``, with the end of what the server wrote."""
        written = self._log.read_text(encoding="utf-8", errors="replace")
        return ContenderFailed(f"{' '.join(self._command[1:5])}: {what}:\n{written[-2000:]}")

    def processes(self) -> list[int]:
        """The processes of the session, those that ended and were not asked for left out."""
        if not PROC.exists():
            return [] if self.ended else [self._process.pid]
        found = []
        for entry in PROC.iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                state, _, _, session = fields[:4]
                if session == str(self._process.pid) and state != "Z":
                    found.append(int(entry.name))
        return found

    def memory(self) -> dict[str, float]:
        """Resident and proportional memory of all processes together, in MB; nothing where ``/proc`` is missing."""
        sums = {"Rss": 0, "Pss": 0}
        for pid in self.processes():
            try:
                lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
            except OSError:
                continue  # ended meanwhile, or another system
            for line in lines:
                field, _, amount = line.partition(":")
                if field in sums:
                    sums[field] += int(amount.split()[0])
        return {f"{field.lower()}_mb": amount / 1000 for field, amount in sums.items() if amount}

    def processor_seconds(self) -> float | None:
        """What all processes, and those of them that have ended, have used so far."""
        if not PROC.exists():
            return None
        ticks = [fields[11:15] for pid in self.processes() if (fields := _stat(pid))]
        return sum(int(count) for four in ticks for count in four) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name: state, parent, group, session..."""
    try:
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
