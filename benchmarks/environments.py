"""The benchmark's own environments for other reloaders and servers, so that they disturb nobody's project."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.process import Missing

RELOADERS = ("ipython", "jurigged", "hmr", "superreload", "watchdog", "inflection")
# As one gets the servers without asking for more: all of them look at the files at intervals.
SERVERS = ("flask", "fastapi", "uvicorn", "django")
# With what their manuals advise to install for reloading. werkzeug 3.1 sees no edit at all with watchdog 7, whose
# patterns match otherwise. "inflection", "click" and "rich" are for PyAutoload.
WATCHING = ("flask", "fastapi", "uvicorn[standard]", "django", "django-watchfiles", "watchdog<7")
OURS = ("inflection", "click", "rich", "tomli; python_version < '3.11'")
HMR = ("uvicorn-hmr; python_version >= '3.12'",)


@cache
def reloaders(work: Path) -> str:
    """The interpreter of an environment with all of ``RELOADERS``, made once.

    Raises:
        Missing: they could not be installed.
    """
    return _made(work / f"reloaders-{sys.implementation.cache_tag}", RELOADERS)


@cache
def servers(work: Path, *, watching: bool) -> str:
    """The interpreter of an environment with development servers, made once.

    Args:
        watching: with what makes them look for changes in a better way than at intervals, and with what
            ``pyautoload serve`` needs.

    Raises:
        Missing: they could not be installed.
    """
    if watching:
        return _made(work / f"servers-watching-{sys.implementation.cache_tag}", WATCHING + OURS + HMR)
    return _made(work / f"servers-{sys.implementation.cache_tag}", SERVERS)


@cache
def program(work: Path, requirement: str) -> str:
    """The interpreter of an environment with one program and what PyAutoload needs, made once.

    Raises:
        Missing: it could not be installed.
    """
    return _made(work / f"program-{requirement}-{sys.implementation.cache_tag}", (requirement, "inflection"))


def _made(folder: Path, packages: tuple[str, ...]) -> str:
    interpreter = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = folder / ".complete"
    if not done.exists():
        commands = (
            [sys.executable, "-m", "venv", str(folder)],
            [str(interpreter), "-m", "pip", "install", "--quiet", *packages],
        )
        for command in commands:
            ended = subprocess.run(command, capture_output=True, text=True)
            if ended.returncode != 0:
                raise Missing(f"{packages[0]} and others could not be installed: {ended.stderr[-300:]}")
        done.touch()
    return str(interpreter)
