"""Kills at random moments, and very many edits, under ``pyautoload serve`` with verification: nothing hangs or is left.

A few of each by default; PYAUTOLOAD_KILLS=200 PYAUTOLOAD_EDITS=1000 asks for what is promised.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
import uuid
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
if sys.platform != "linux":
    pytest.skip("warm processes are for Linux, and where they are asked for", allow_module_level=True)

from conftest import write_tree
from running import PATIENCE
from served import Served

FILES = {
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\n',
    "wsgi.py": """
import sqlite3
from shop import greeting


def app(environ, start_response):
    body = f"{greeting.text()} ".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
""",
    "shop/limit.py": "LIMIT = 0\n",
    "shop/greeting.py": "from shop import limit\ndef text(): return f'edition {limit.LIMIT}'\n",
}
KILLS = int(os.environ.get("PYAUTOLOAD_KILLS", "3"))
EDITS = int(os.environ.get("PYAUTOLOAD_EDITS", "30"))
pytestmark = [pytest.mark.once, pytest.mark.timeout(3600 if KILLS > 3 or EDITS > 30 else 120)]


class Marked(Served):
    """A server whose processes are found by a variable, in whatever sessions they are."""

    def __init__(self, directory: Path) -> None:
        self.mark = f"PYAUTOLOAD_MARK={uuid.uuid4().hex}"
        self.edition = 0
        name, _, value = self.mark.partition("=")
        super().__init__(directory, "wsgi:app", "--verify", **{name: value})

    def processes(self) -> dict[int, str]:
        """The living ones → their command lines."""
        found = {}
        for place in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                pid = int(place.name)
                if self.mark.encode() not in (place / "environ").read_bytes():
                    continue
                if (place / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found[pid] = (place / "cmdline").read_text().replace("\0", " ")
        return found

    def next_edition(self) -> None:
        """An edit, and nothing else."""
        self.edition += 1
        self.write("shop/limit.py", f"LIMIT = {self.edition}\n")

    def lives(self) -> None:
        """Wait until an edit can be seen, also where one starts the program again."""
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            self.next_edition()
            # Another edit while the program starts would have it start again.
            another = time.monotonic() + PATIENCE / 6
            while time.monotonic() < another:
                with contextlib.suppress(OSError):
                    if f"edition {self.edition} " in self.get("/").text:
                        return
                time.sleep(0.05)
            assert time.monotonic() < deadline, self.log

    def all_gone(self) -> None:
        """Wait until nothing is there any more."""
        deadline = time.monotonic() + PATIENCE
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.05)

    def resources(self) -> tuple[int, int, int]:
        """How many processes and descriptors there are, and how much memory (KiB), when all is quiet."""
        time.sleep(4)
        descriptors = memory = 0
        processes = self.processes()
        for pid in processes:
            descriptors += len(os.listdir(f"/proc/{pid}/fd"))
            status = Path(f"/proc/{pid}/status").read_text()
            memory += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        return len(processes), descriptors, memory


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_tree(tmp_path, FILES)
    return tmp_path


def test_kills_at_random_moments_leave_nothing_and_stop_nothing(directory: Path) -> None:
    chance = random.Random(15)
    left = KILLS
    while left:
        (directory / "shop/limit.py").write_text("LIMIT = 0\n")
        with Marked(directory) as server:
            server.ready()
            while left:
                left -= 1
                server.lives()
                time.sleep(chance.random() * 1.5)
                processes = sorted(server.processes())
                killed = chance.choice(processes)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(killed, signal.SIGKILL)
                if killed == server.process.pid:
                    break
            else:
                server.lives()
                server.process.kill()
            server.ended()
            server.all_gone()


def test_many_edits_leave_processes_descriptors_and_memory_as_they_were(directory: Path) -> None:
    with Marked(directory) as server:
        server.ready()
        for number in range(EDITS):
            if number == EDITS // 3:
                before = server.resources()
            server.lives()
            if number % 10 == 0:
                time.sleep(1)  # it is quiet: this one is verified
        after = server.resources()
        assert "runs again" not in server.log
        assert after[:2] == before[:2], (before, after, server.processes())
        # A reload leaves some 8 KiB that wait for the next full collection, with and without verification.
        assert after[2] - before[2] < 4096 + EDITS * 12, (before, after)
        server.process.kill()
        server.ended()
        server.all_gone()
