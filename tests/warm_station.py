"""``pyautoload warm`` in a directory, and programs run beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from running import PATIENCE, Running, environment

__all__ = ["Station"]


class Station(Running):
    """Holds a template, and is ended at the end of a ``with`` statement.

    Args:
        directory: which it serves.
        more: variables of its environment.
    """

    def __init__(self, directory: Path, **more: str) -> None:
        super().__init__(directory, "-m", "pyautoload", "warm", **more)
        self.variables = environment(**more)

    def ready(self) -> Station:
        """Wait until there is a template."""
        self.printed("a template with")
        return self

    def templates(self) -> int:
        """How many were made so far."""
        return self.log.count("a template with")

    def start(self, *arguments: str, python: Sequence[str] = (), **options: Any) -> subprocess.Popen[str]:
        """Begin to run a program in a warm process."""
        command = [sys.executable, *python, "-m", "pyautoload", "run", *arguments]
        settings: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": -1, "stderr": -1, "encoding": "utf-8"}
        settings |= {"cwd": self.directory, "env": self.variables, **options}
        return subprocess.Popen(command, **settings)

    def run(self, *arguments: str, text: str | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program in a warm process, if there is one."""
        if text is not None:
            options["stdin"] = subprocess.PIPE
        with self.start(*arguments, **options) as process:
            output, errors = process.communicate(text, PATIENCE)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def teach(self, *names: str) -> None:
        """Have a template made that has some libraries."""
        before = self.templates()
        self.run("-c", f"import {', '.join(names)}")
        self.until(lambda: self.templates() > before, f"made a template with {names}")
