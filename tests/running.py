"""A program in a process of its own, its files edited under it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pyautoload

__all__ = ["EXAMPLES", "PATIENCE", "Running", "copied", "environment", "ran"]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
# Seconds after which something that has not happened will not; a loaded machine may take long.
PATIENCE = 60
Self = TypeVar("Self", bound="Running")


class Running:
    """A Python process, which is ended at the end of a ``with`` statement.

    Args:
        directory: where it runs.
        arguments: of Python.
        more: variables of its environment.
    """

    def __init__(self, directory: Path, *arguments: str, **more: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=directory,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        # The lines that it has printed so far.
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))

    @property
    def log(self) -> str:
        """All that it has printed."""
        return "\n".join(self.lines)

    def printed(self, pattern: str) -> str:
        """Wait until it prints something; the last line where it did, or all lines of a longer pattern."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [match[0] for match in re.finditer(rf".*(?:{pattern}).*", self.log)]
            return bool(found)

        self.until(look, f"printed {pattern!r}")
        return found[-1]

    def until(self, check: Callable[[], object], what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            if self.process.poll() is not None:
                self._reader.join(PATIENCE)
                assert check(), f"not {what}; it has ended:\n{self.log}"
                return
            assert time.monotonic() < deadline, f"not {what}; it has printed\n" + "\n".join(self.lines[-40:])
            time.sleep(0.02)

    # Its files

    def write(self, file: str, text: str) -> None:
        """Write a file."""
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Put something in the place of something else."""
        text = (self.directory / file).read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        self.write(file, text.replace(old, new))

    # Its end

    def ended(self) -> int:
        """Wait until it has ended; the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)  # ends when nobody has the other end of the pipe any more: no process is left
        assert not self._reader.is_alive(), "a process was left behind"
        return code

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end, and wait until it has; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not SIGINT: processes that a shell starts in the background ignore that, and so do their children.
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end when it was told to:\n{self.log}") from error
        finally:
            self._reader.join(PATIENCE)


def ran(directory: Path, *arguments: str, expect: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """A Python process that has ended, with the exit code that is expected.

    Args:
        directory: where it runs.
        arguments: of Python.
        expect: the exit code.
        more: variables of its environment.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=environment(**more),
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def copied(example: str, to: Path) -> Path:
    """A copy of an example, to be edited."""
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3", ".pyautoload*")
    return Path(shutil.copytree(EXAMPLES / example, to / example, ignore=ignored))


def environment(**more: str) -> dict[str, str]:
    """The environment for a process that finds this package."""
    left_out = ("PYTEST", "COV_", "FLASK", "DJANGO", "PYAUTOLOAD")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    source = str(Path(pyautoload.__file__).parent.parent)
    return {**kept, "PYTHONPATH": source, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **more}
