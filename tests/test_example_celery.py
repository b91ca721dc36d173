"""The Celery example: a worker that runs goes on, and its tasks are those on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Running, copied, environment

pytest.importorskip("celery", reason="Celery is not installed")

# Servers are started and files are edited, and waited for on machines that do much else.
pytestmark = pytest.mark.timeout(300)

ADD = """
from celery import shared_task


@shared_task(name="add")
def add(a: int, b: int) -> int:
    return a + b
"""
# Takes its time after the task has been made, and before the reload is through.
SLOW = """
import time

from celery import shared_task
from jobs import Greeting


@shared_task(bind=True)
def greet(self, name: str) -> str:
    return Greeting(name).text().upper()


time.sleep(1)
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


class Worker(Running):
    """A worker, and a process that sends tasks to it."""

    def __init__(self, directory: Path, pool: str) -> None:
        options = ["--pool", pool, "-c", "1", "-l", "INFO", "--without-mingle", "--without-gossip"]
        there = {"JOBS_ENV": "development"}
        super().__init__(directory, "-m", "celery", "-A", "worker", "worker", *options, **there)
        self.sender = subprocess.Popen(
            [sys.executable, "-c", SEND],
            cwd=directory,
            env=environment(**there),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __exit__(self, *error: Any) -> None:
        with self.sender:  # its end of standard input is its end
            if os.name == "posix" and self.process.poll() is None:
                # The whole group, with the processes of a pool: left to itself it takes five seconds to end.
                os.killpg(self.process.pid, signal.SIGKILL)
            super().__exit__(*error)

    def send(self, task: str, *arguments: str) -> str:
        """Send a task and wait a while for what comes of it."""
        assert self.process.poll() is None, self.log
        assert self.sender.stdin is not None
        assert self.sender.stdout is not None
        self.sender.stdin.write(" ".join([task, *arguments]) + "\n")
        self.sender.stdin.flush()
        return self.sender.stdout.readline().strip()

    def gives(self, expected: str, task: str, *arguments: str) -> None:
        """Send it until the outcome is what it should be: an edit takes some milliseconds."""
        outcomes: list[str] = []

        def look() -> bool:
            outcomes[:] = [self.send(task, *arguments)]
            return outcomes == [expected]

        try:
            self.until(look, f"{expected!r} from {task}")
        except AssertionError as error:
            raise AssertionError(f"{outcomes}\n{error}") from None


def worker(tmp_path: Path, pool: str) -> Iterator[Worker]:
    with Worker(copied("celery_worker", tmp_path), pool) as running:
        running.printed("ready")
        yield running


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


def test_messages_may_come_while_a_task_is_made_anew(any_pool: Worker) -> None:
    any_pool.gives("Hello Ann", GREET, "Ann")
    any_pool.write("jobs/tasks/greet.py", SLOW)
    outcomes = {any_pool.send(GREET, "Ann") for _ in range(3)}
    any_pool.gives("HELLO ANN", GREET, "Ann")
    assert outcomes <= {"Hello Ann", "HELLO ANN"}


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
    threads.printed(r"removed jobs.tasks.add[\s\S]*unregistered task")
    threads.gives("Hello Ann", GREET, "Ann")


def test_the_old_task_runs_until_a_mistake_is_mended(threads: Worker) -> None:
    threads.gives("Hello Ann", GREET, "Ann")
    threads.edit("jobs/tasks/greet.py", "@shared_task", "@shared_task(name=NAME)")
    threads.printed("NameError")
    threads.gives("Hello Ann", GREET, "Ann")
    threads.edit("jobs/tasks/greet.py", "@shared_task(name=NAME)", "@shared_task(name='greet')")
    threads.gives("Hello Ann", "greet", "Ann")
