"""An example served by ``pyautoload serve`` in a process of its own, its files edited under it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyautoload

__all__ = ["EXAMPLES", "Answer", "Served", "copied", "environment", "served"]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
# Seconds after which something that has not happened will not; a loaded machine may take long.
PATIENCE = 40


class Answer(NamedTuple):
    """What the server says."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


class Served:
    """A server that runs."""

    def __init__(self, directory: Path, process: subprocess.Popen[str]) -> None:
        self.directory = directory
        self.process = process
        # The lines that it has printed so far.
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        found = self.printed(r"on (http://[\w.:\[\]]+)")
        self.address = found[1]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def log(self) -> str:
        """All that it has printed."""
        return "".join(self.lines)

    def printed(self, pattern: str) -> re.Match[str]:
        """Wait until it prints something."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, self.log)
            found.extend([match] if match else [])
            return bool(found)

        self.until(look, f"printed {pattern!r}")
        return found[0]

    def until(self, check: Callable[[], object], what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert self.process.poll() is None, f"the server has ended:\n{self.log}"
            assert time.monotonic() < deadline, f"not {what}; it has printed\n{''.join(self.lines[-40:])}"
            time.sleep(0.02)

    def get(self, path: str = "/", data: dict[str, Any] | str | None = None, **headers: str) -> Answer:
        """A request; with ``data`` it posts JSON, or a form."""
        body = json.dumps(data) if isinstance(data, dict) else data
        if isinstance(data, dict):
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.address + path, body.encode() if body is not None else None, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())

    def cookie(self, path: str, name: str) -> str:
        """A cookie that comes with a page."""
        with urllib.request.urlopen(self.address + path, timeout=PATIENCE) as response:
            found = re.search(rf"{name}=([^;]+)", "; ".join(response.headers.get_all("Set-Cookie", [])))
        assert found
        return found[1]

    def shows(self, text: str, path: str = "/", data: dict[str, Any] | str | None = None) -> Answer:
        """Wait until a page has a text."""
        answers: list[Answer] = []

        def look() -> bool:
            answers[:] = [self.get(path, data)]
            return text in answers[0].text

        try:
            self.until(look, f"{text!r} in {path}")
        except AssertionError as error:
            raise AssertionError(f"{answers}\n{error}") from None
        return answers[0]

    def write(self, file: str, text: str) -> None:
        """Write a file."""
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Put something in the place of something else."""
        text = (self.directory / file).read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{file} has no {old!r}"
        self.write(file, text.replace(old, new))

    @property
    def started(self) -> int:
        """How often the program was started: once, and again for each restart."""
        return len(re.findall(r"\bstarted in\b", self.log))


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


@contextmanager
def served(directory: Path, target: str, *options: str, **more: str) -> Iterator[Served]:
    """Serve what lies in a directory."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pyautoload", "serve", target, "--port", "0", *options],
        cwd=directory,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        yield Served(directory, process)
    finally:
        # Not SIGINT: processes that a shell starts in the background ignore that, and so do their children.
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server did not end when it was told to") from None
