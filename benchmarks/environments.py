"""The benchmark's own environment for the other reloaders, so that they disturb nobody's project."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.process import Missing

RELOADERS = ("ipython", "jurigged", "hmr", "superreload", "watchdog", "inflection")


@cache
def reloaders(work: Path) -> str:
    """The interpreter of an environment with all of ``RELOADERS``, made once.

    Raises:
        Missing: they could not be installed.
    """
    folder = work / f"reloaders-{sys.implementation.cache_tag}"
    interpreter = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = folder / ".complete"
    if not done.exists():
        commands = (
            [sys.executable, "-m", "venv", str(folder)],
            [str(interpreter), "-m", "pip", "install", "--quiet", *RELOADERS],
        )
        for command in commands:
            ended = subprocess.run(command, capture_output=True, text=True)
            if ended.returncode != 0:
                raise Missing(f"the other reloaders could not be installed: {ended.stderr[-300:]}")
        done.touch()
    return str(interpreter)
