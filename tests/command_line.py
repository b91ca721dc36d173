"""Runs the command line for the tests: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

import pyautoload
from pyautoload.cli import command

CONFIG = '[tool.pyautoload]\nroots = ["app"]\n'


def run(*arguments: str, expect: int = 0, **options: Any) -> Result:
    """``run("tree", "--depth", "1")`` in this process; the exit code has to be the expected one."""
    result = CliRunner().invoke(command, list(arguments), prog_name="pyautoload", **options)
    assert result.exit_code == expect, f"exit code {result.exit_code}\n{result.output}\n{result.exception!r}"
    return result


def run_json(*arguments: str, expect: int = 0) -> Any:
    """The same with ``--json``, parsed."""
    return json.loads(run(*arguments, "--json", expect=expect).stdout)


def run_apart(*arguments: str, cwd: Path, expect: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    """``python -m pyautoload`` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(pyautoload.__file__).parent.parent), "PYTHONUTF8": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "pyautoload", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        **options,
    )
    assert result.returncode == expect, f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result
