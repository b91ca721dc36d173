"""``pyautoload serve``: restarts that fork from a template, and what happens when any of these processes is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
if sys.platform != "linux":
    pytest.skip("warm processes are for Linux, and where they are asked for", allow_module_level=True)

from conftest import write_tree
from running import PATIENCE
from served import Served

WSGI = """
import os
import sqlite3
import sys

from shop import greeting

EDITION = 1
LIBRARY = "wave" in sys.modules
import wave


def app(environ, start_response):
    body = f"{greeting.text()} {EDITION} {LIBRARY} {os.getpid()} {os.getppid()} {sys.argv} {__name__}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
FILES = {
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\n',
    "wsgi.py": WSGI,
    "shop/greeting.py": "def text(): return 'hello'\n",
}


class Warm(Served):
    """A server, and the processes below it."""

    edition = 1

    def restart(self) -> list[str]:
        """Edit a file that only a restart brings in; the words of the first answer of the new process."""
        self.edition += 1
        self.edit("wsgi.py", f"EDITION = {self.edition - 1}", f"EDITION = {self.edition}")
        return self.shows(f"hello {self.edition} ").text.split()

    def become_warm(self) -> list[str]:
        """Restart until that is warm; the words of the answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            words = self.restart()
            if words[2] == "True":
                return words
            assert time.monotonic() < deadline, self.log
            time.sleep(0.3)

    def session(self) -> dict[int, str]:
        """The living processes that belong to it → their command lines."""
        found = {}
        for place in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                state, _parent, _group, session = (place / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.process.pid and state not in "ZX":
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def gone(self, before: dict[int, str]) -> None:
        """Wait until none of these processes lives any more."""
        deadline = time.monotonic() + PATIENCE
        while left := {pid: line for pid, line in self.session().items() if pid in before}:
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.02)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Warm]:
    write_tree(tmp_path, FILES)
    with Warm(tmp_path, "wsgi:app") as server:
        server.ready()
        yield server


def test_a_restart_forks_and_the_program_sees_a_fresh_process(server: Warm) -> None:
    first = server.get("/").text.split()
    assert first[:3] == ["hello", "1", "False"]
    words = server.become_warm()
    assert words[3] != first[3], "another process"
    assert words[5:] == first[5:]
    server.edit("shop/greeting.py", "hello", "good day")
    assert server.shows("good day").text.split()[3 + 1] == words[3], "the new process reloads as ever"


def test_nobody_is_refused_meanwhile(server: Warm) -> None:
    server.become_warm()
    failures: list[object] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                answer = server.get("/")
            except OSError as error:
                failures.append(error)
            else:
                if answer.status != 200:
                    failures.append(answer)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(5):
            server.restart()
    finally:
        over.set()
        for thread in asking:
            thread.join()
    assert not failures


def test_a_program_that_does_not_start_changes_nothing(server: Warm) -> None:
    words = server.become_warm()
    server.edit("wsgi.py", "import wave", "import wave, no_such_module")
    server.printed("start failed.*no_such_module")
    assert server.get("/").text.split()[3] == words[3]
    server.edit("wsgi.py", "import wave, no_such_module", "import wave")
    server.until(lambda: server.get("/").text.split()[3] != words[3], "restarted")


def test_a_process_that_is_killed_is_told_of(server: Warm) -> None:
    words = server.become_warm()
    os.kill(int(words[3]), signal.SIGKILL)
    server.printed("SIGKILL")
    server.restart()


def test_its_keeper_does_not_matter(server: Warm) -> None:
    words = server.become_warm()
    os.kill(int(words[4]), signal.SIGKILL)
    server.printed("SIGKILL")
    server.restart()


def test_without_its_template_a_restart_is_cold_and_then_warm_again(server: Warm) -> None:
    server.become_warm()
    (template,) = (
        pid for pid, line in server.session().items() if "warm.template" in line and parent(pid) == server.process.pid
    )
    os.kill(template, signal.SIGKILL)
    server.restart()
    server.become_warm()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_supervisor_leaves_nothing(server: Warm) -> None:
    server.become_warm()
    before = server.session()
    assert len(before) >= 4
    server.process.kill()
    server.ended()
    server.gone(before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_ends_all(server: Warm, number: int) -> None:
    server.become_warm()
    before = server.session()
    os.killpg(server.process.pid, number)
    server.ended()
    server.gone(before)


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    write_tree(tmp_path, FILES)
    with Warm(tmp_path, "wsgi:app", "--no-warm") as server:
        server.ready()
        time.sleep(1)
        assert server.restart()[2] == "False"
        assert not any("warm.template" in line for line in server.session().values())


def test_reloads_are_verified_and_nothing_is_left(tmp_path: Path) -> None:
    spoiling = WSGI.replace("EDITION = 1", "EDITION = 1\nfrom shop import spoiler")
    write_tree(tmp_path, {**FILES, "wsgi.py": spoiling, "shop/spoiler.py": "LIMIT = 1\n"})
    with Warm(tmp_path, "wsgi:app", "--verify") as server:
        server.ready()
        before = server.get("/").text.split()[3]
        server.until(lambda: any("warm.template" in line for line in server.session().values()), "has a template")
        time.sleep(3)
        for text in ("good", "better", "best"):
            server.write("shop/greeting.py", f"def text(): return {text!r}\n")
            server.shows(text)
            time.sleep(2)
        assert "runs again" not in server.log
        assert server.get("/").text.split()[3] == before, "and no restart was needed"
        processes = server.session()
        server.process.kill()
        server.ended()
        server.gone(processes)


@pytest.mark.timeout(3600)
@pytest.mark.skipif("PYAUTOLOAD_RESTARTS" not in os.environ, reason="takes long: PYAUTOLOAD_RESTARTS=1000 asks for it")
def test_descriptors_and_processes_stay_as_they_were(server: Warm) -> None:
    def look() -> tuple[int, int]:
        time.sleep(2)
        pids = [server.process.pid, *(p for p, line in server.session().items() if "warm.template" in line)]
        counts = [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids if Path(f"/proc/{pid}").exists()]
        return len(server.session()), max(counts)

    server.become_warm()
    before = look()
    for _ in range(int(os.environ["PYAUTOLOAD_RESTARTS"])):
        server.restart()
    assert look() == before
