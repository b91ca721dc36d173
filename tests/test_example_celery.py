"""The Celery example: a worker that runs goes on, and its tasks are those on disk."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import PATIENCE, copied, environment

pytest.importorskip("celery", reason="Celery is not installed")

# Servers are started and files are edited, and waited for on machines that do much else.
pytestmark = pytest.mark.timeout(300)

ADD = """
from celery import shared_task


@shared_task(name="add")
def add(a: int, b: int) -> int:
    return a + b
"""
SEND = """
import sys
from celery_app import app

for line in sys.stdin:
    name, *arguments = line.split()
    result = app.send_task(name, arguments)
    try:
        print(result.get(timeout=3), flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
"""
GREET = "jobs.tasks.greet.greet"


class Worker:
    """A worker, and a process that sends tasks to it."""

    def __init__(self, directory: Path, pool: str) -> None:
        self.directory = directory
        there = environment(JOBS_ENV="development")
        options = ["--pool", pool, "-c", "1", "-l", "INFO", "--without-mingle", "--without-gossip"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "worker", "worker", *options],
            cwd=directory,
            env=there,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.sender = subprocess.Popen(
            [sys.executable, "-c", SEND],
            cwd=directory,
            env=there,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def send(self, task: str, *arguments: str) -> str:
        """Send a task and wait a while for what comes of it."""
        assert self.process.poll() is None, "".join(self.lines)
        assert self.sender.stdin is not None
        assert self.sender.stdout is not None
        self.sender.stdin.write(" ".join([task, *arguments]) + "\n")
        self.sender.stdin.flush()
        return self.sender.stdout.readline().strip()

    def gives(self, expected: str, task: str, *arguments: str) -> None:
        """Send it until the outcome is what it should be: an edit takes some milliseconds."""
        deadline = time.monotonic() + PATIENCE
        while (outcome := self.send(task, *arguments)) != expected:
            assert time.monotonic() < deadline, f"{outcome!r}; it has printed\n{''.join(self.lines[-40:])}"

    def printed(self, pattern: str) -> None:
        """Wait until it has printed something."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, "".join(self.lines)):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{''.join(self.lines[-40:])}"
            time.sleep(0.02)

    def edit(self, file: str, old: str, new: str) -> None:
        """Put something in the place of something else."""
        path = self.directory / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def end(self) -> None:
        """Stop both."""
        assert self.sender.stdin is not None
        self.sender.stdin.close()
        self.process.send_signal(signal.SIGTERM)
        for process in (self.sender, self.process):
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def worker(tmp_path: Path, pool: str) -> Iterator[Worker]:
    running = Worker(copied("celery_worker", tmp_path), pool)
    try:
        running.printed("ready")
        yield running
    finally:
        running.end()


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[Worker]:
    yield from worker(tmp_path, "threads")


@pytest.fixture(params=["threads", "solo", "prefork"])
def any_pool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Worker]:
    if request.param == "prefork" and sys.platform == "win32":
        pytest.skip("Celery has no prefork pool on Windows")
    yield from worker(tmp_path, request.param)


def test_a_task_and_what_it_uses_are_live(any_pool: Worker) -> None:
    any_pool.gives("Hello Ann", GREET, "Ann")
    any_pool.edit("jobs/greeting.py", "Hello", "Good day")
    any_pool.gives("Good day Ann", GREET, "Ann")
    any_pool.edit("jobs/tasks/greet.py", ".text()", ".text().upper()")
    any_pool.gives("GOOD DAY ANN", GREET, "Ann")
    any_pool.edit("jobs/tasks/greet.py", "@shared_task", "@shared_task(bind=True)")
    any_pool.edit("jobs/tasks/greet.py", "def greet(name", "def greet(self, name")
    any_pool.edit("jobs/tasks/greet.py", "Greeting(name)", "Greeting(self.name[:4] + name)")
    any_pool.gives("GOOD DAY JOBSANN", GREET, "Ann")


def test_a_task_is_made_renamed_and_deleted(threads: Worker) -> None:
    file = threads.directory / "jobs/tasks/add.py"
    file.write_text(ADD, encoding="utf-8")
    threads.gives("12", "add", "1", "2")
    threads.edit("jobs/tasks/add.py", "def add(", "def plus(")
    threads.edit("jobs/tasks/add.py", "return a + b", "return a + '+' + b")
    threads.gives("1+2", "add", "1", "2")
    file.unlink()
    threads.printed("removed jobs.tasks.add")
    threads.send("add", "1", "2")
    threads.printed("(?s)removed jobs.tasks.add.*unregistered task")
    threads.gives("Hello Ann", GREET, "Ann")


def test_the_old_task_runs_until_a_mistake_is_mended(threads: Worker) -> None:
    threads.gives("Hello Ann", GREET, "Ann")
    threads.edit("jobs/tasks/greet.py", "@shared_task", "@shared_task(name=NAME)")
    threads.printed("NameError")
    threads.gives("Hello Ann", GREET, "Ann")
    threads.edit("jobs/tasks/greet.py", "@shared_task(name=NAME)", "@shared_task(name='greet')")
    threads.gives("Hello Ann", "greet", "Ann")
