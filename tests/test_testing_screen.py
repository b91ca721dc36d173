"""The live screen of ``pyautoload test``, in a real terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
pytest.importorskip("rich")

FILES = {
    "app/__init__.py": "",
    "app/calc.py": "def total(x):\n    return x + 3\n\ndef other():\n    return 1\n",
    "tests/test_calc.py": (
        "from app.calc import other, total\n\ndef test_total():\n    assert total(1) == 4\n\n"
        "def test_other():\n    assert other() == 1\n"
    ),
}
# So long (seconds) something may take to be shown.
PATIENCE = 60


class Terminal:
    """``pyautoload test`` in a terminal of its own."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        for name, text in FILES.items():
            self.write(name, text)
        import fcntl
        import struct
        import termios

        self.end, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.before = termios.tcgetattr(terminal)
        self.terminal = terminal
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pyautoload", "test", *arguments],
            cwd=directory,
            env={**environment, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "24"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        # Everything that was written, and how much of it was there when something was last done.
        self.written = ""
        self.mark = 0

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)

    def press(self, keys: str) -> None:
        """Press keys; what is shown from then on counts."""
        self.mark = len(self.written)
        os.write(self.end, keys.encode())

    def save(self, name: str, text: str) -> None:
        """Save a file; what is shown from then on counts."""
        self.mark = len(self.written)
        self.write(name, text)

    def shows(self, pattern: str) -> str:
        """Wait until there is something to see."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            text = plain(self.written[self.mark :])
            if re.search(pattern, text, re.DOTALL):
                return text
            if select.select([self.end], [], [], 0.2)[0]:
                try:
                    self.written += os.read(self.end, 65536).decode(errors="replace")
                except OSError:
                    break
        raise AssertionError(f"{pattern!r} is not in {plain(self.written[self.mark :])}")

    def wait(self) -> int:
        """Read on until it has ended."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self.end], [], [], 0.1)[0]:
                self.written += os.read(self.end, 65536).decode(errors="replace")
        return self.process.wait(1)


def plain(text: str) -> str:
    """Without what only moves the cursor or has a colour."""
    text = re.sub(r"\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)", "", text)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        os.close(made.end)
        os.close(made.terminal)


def test_failures_come_first_with_what_failed_and_a_link(terminal: Terminal) -> None:
    terminal.shows(r"2 passed.*2 ran in .* waiting")
    terminal.save("app/calc.py", FILES["app/calc.py"].replace("return 1", "return 2"))
    shown = terminal.shows(
        r"1 failed  1 passed.*1 ran in .* waiting.*FAILED tests/test_calc.py::test_other.*assert 2 == 1"
    )
    assert "tests/test_calc.py:7" in shown
    assert f"{(terminal.directory / 'tests/test_calc.py').as_uri()}#7" in terminal.written
    # A file that cannot be compiled is named, and the outcomes stay.
    terminal.save("app/calc.py", "def (")
    terminal.shows(r"1 failed  1 passed.*app/calc.py:1: invalid syntax; the last outcomes stay.*FAILED tests/test_calc")
    terminal.save("app/calc.py", FILES["app/calc.py"])
    terminal.shows(r"\b2 passed.*1 ran in .* waiting")
    terminal.press("q")
    assert terminal.wait() == 0


def test_keys_say_why_run_all_run_what_failed_and_filter(terminal: Terminal) -> None:
    terminal.shows("2 ran in .* waiting")
    terminal.save("app/calc.py", FILES["app/calc.py"].replace("return 1", "return 2"))
    terminal.shows("1 failed  1 passed.*1 ran in .* waiting")
    terminal.press("w")
    terminal.shows(r"test_other: app/calc.py: other\(\) has changed")
    terminal.press("a")
    terminal.shows("2 ran in .* waiting.*all tests: it was asked for")
    terminal.press("f")
    terminal.shows("1 ran in .* waiting.*test_other: it failed")
    terminal.press("w")
    terminal.press("ptotl\x7fal\r")
    assert "FAILED" in terminal.shows("FAILED")
    shown = terminal.shows(r"1 ran in .* waiting.*filter: total\)")
    assert "FAILED" not in shown[shown.rindex("ran in") :]
    terminal.press("p\r")
    terminal.shows("1 failed  1 passed")
    terminal.press("q")
    assert terminal.wait() == 1


@pytest.mark.parametrize("end", ["q", "\x03", "SIGTERM", "SIGHUP"])
def test_the_terminal_is_left_as_it_was(terminal: Terminal, end: str) -> None:
    import termios

    terminal.shows("waiting")
    if end.startswith("SIG"):
        terminal.process.send_signal(getattr(signal, end))
    elif end == "\x03":
        terminal.process.send_signal(signal.SIGINT)  # the terminal is nobody's, so the key would reach nobody
    else:
        terminal.press(end)
    code = terminal.wait()
    assert code == {"q": 0, "\x03": 130, "SIGTERM": 143, "SIGHUP": 129}[end]
    assert termios.tcgetattr(terminal.terminal) == terminal.before
    assert "\x1b[?1049l" in terminal.written


def test_there_are_lines_where_a_debugger_is_wanted(tmp_path: Path) -> None:
    made = Terminal(tmp_path, "--plain")
    try:
        made.shows(r"2 passed.*waiting for the next save")
        assert "\x1b[?1049h" not in made.written
    finally:
        made.process.kill()
        made.process.wait()
        os.close(made.end)
        os.close(made.terminal)
