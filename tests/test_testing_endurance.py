"""``pyautoload test``: killed at any moment it leaves nothing behind, and over many edits it does not grow."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="processes are looked at in /proc"),
]

KILLS = int(os.environ.get("PYAUTOLOAD_KILLS", "3"))
EDITS = int(os.environ.get("PYAUTOLOAD_TEST_EDITS", "12"))
SEED = int(os.environ.get("PYAUTOLOAD_RANDOM_SEED", "0"))
# So long (seconds) something may take.
PATIENCE = 60
FILES = {
    "app/__init__.py": "",
    "app/calc.py": "def total(x):\n    return x + 3\n",
    "tests/test_calc.py": (
        "import time\nfrom app.calc import total\n\ndef test_total():\n    time.sleep(0.05)\n    assert total(1) == 4\n"
    ),
}
# In the environment of all processes of one run, so that they are found whoever their parent is.
MARK = "PYAUTOLOAD_TEST_MARK"


def write(directory: Path, name: str, text: str) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def processes(mark: str) -> list[int]:
    """All living processes with a mark."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for each in os.listdir("/proc"):
        if not each.isdigit():
            continue
        try:
            variables = Path("/proc", each, "environ").read_bytes().split(b"\0")
            state = Path("/proc", each, "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if wanted in variables and state != "Z":
            found.append(int(each))
    return found


def until(condition: object, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def running(directory: Path, mark: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    process = subprocess.Popen(
        [sys.executable, "-m", "pyautoload", "test", "--json"],
        cwd=directory,
        env={**environment, MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for each in processes(mark):
            os.kill(each, signal.SIGKILL)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def next_run(output: IO[str]) -> dict[str, object]:
    """The end of the next run."""
    for line in output:
        event: dict[str, object] = json.loads(line)
        if event["event"] == "run":
            return event
    raise AssertionError("it has ended")


@pytest.mark.timeout(max(120, KILLS * 30))
def test_whichever_process_is_killed_nothing_hangs_and_nothing_is_left(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    for name, text in FILES.items():
        write(tmp_path, name, text)
    for number in range(KILLS):
        mark = f"{os.getpid()}-{number}"
        with running(tmp_path, mark) as process:
            assert process.stdout is not None
            write(tmp_path, "app/calc.py", FILES["app/calc.py"] + f"\nX = {number}\n")
            if chance.random() < 0.7:
                next_run(process.stdout)
                write(tmp_path, "app/calc.py", FILES["app/calc.py"] + f"\nX = {number}, 1\n")
            time.sleep(chance.random() * 0.8)
            there = processes(mark)
            victim = chance.choice(there)
            how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself meanwhile
                os.kill(victim, how)
            if victim == process.pid:
                until(lambda: process.poll() is not None, f"{how!r} does not end it")
            elif process.poll() is None:
                # It goes on: the next edit is answered, whoever has gone.
                write(tmp_path, "app/calc.py", FILES["app/calc.py"] + f"\nX = {number}, 2\n")
                answered = [next_run(process.stdout)]
                while answered[-1]["passed"] != 1:
                    write(tmp_path, "app/calc.py", FILES["app/calc.py"] + f"\nX = {number}, {len(answered) + 2}\n")
                    answered.append(next_run(process.stdout))
                    assert len(answered) < 5, answered
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, chance.choice([signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
            until(lambda: not processes(mark), f"{how!r} to {victim}: something is left")  # noqa: B023


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid: int) -> int:
    """Kilobytes that belong to a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@pytest.mark.timeout(max(120, EDITS * 5))
def test_over_many_edits_descriptors_and_processes_stay_as_many(tmp_path: Path) -> None:
    for name, text in FILES.items():
        write(tmp_path, name, text)
    mark = f"{os.getpid()}-edits"
    with running(tmp_path, mark) as process:
        assert process.stdout is not None
        next_run(process.stdout)
        seen = []
        for number in range(EDITS):
            write(tmp_path, "app/calc.py", FILES["app/calc.py"] + f"\nX = {number}\n")
            assert next_run(process.stdout)["passed"] == 1
            if number in (EDITS // 2, EDITS - 1):
                # A template, and nobody else, once the run has ended.
                until(lambda: len(processes(mark)) <= 2, "there are more and more processes")
                seen.append((descriptors(process.pid), memory(process.pid)))
        (few, small), (many, large) = seen
        print(f"descriptors {few} -> {many}, memory {small} -> {large} kB, processes {len(processes(mark))}")
        assert many <= few + 1
        assert large < small * 1.25 + 4096
