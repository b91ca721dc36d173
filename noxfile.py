"""The suite on every Python, against the package as it is installed, and real packages under the loader."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4"
nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]

CORE_TESTS = ["pytest", "pytest-timeout", "pytest-xdist", "hypothesis"]
# What loads, and what uses watchdog and inflection.
OLDEST = [
    f"tests/test_{name}.py"
    for name in ("smoke", "traps", "inflection", "reload_files", "reload_functions", "load_file", "cli")
]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All that may differ between them; not through ``python -m``, so that it is the installed wheel that is tested.

    The rest is for one Python: ``make test``, or ``nox -s tests-3.12 -- -m once``.
    """
    session.install("--quiet", ".[test-each]")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", "-m", "not once", *session.posargs)


@nox.session(python=False)
def platforms(session: nox.Session) -> None:
    """The core of the suite on every Python here, and on those named as ``-- NAME=COMMAND``: docs/platforms.md."""
    given = list(session.posargs)
    for version in PYTHONS if not given else ():
        python = shutil.which(f"python{version}")
        if python is None:
            session.warn(f"Python {version} is not installed here: it gets no row")
            continue
        place = Path(session.create_tmp()) / version
        session.run(python, "-m", "venv", str(place), external=True)
        executable = str(place / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        session.run(executable, "-m", "pip", "install", "--quiet", "-e", ".[cli,wsgi]", *CORE_TESTS, external=True)
        given.append(f"{platform.system()}, CPython {version}={executable}")
    session.run(sys.executable, ".ci/platforms.py", *given, external=True)


@nox.session
def oldest(session: nox.Session) -> None:
    """The core of the suite with the oldest versions of the dependencies that are allowed."""
    session.install("--quiet", "uv", *CORE_TESTS)
    session.run("uv", "pip", "install", "--quiet", "--resolution", "lowest-direct", ".[cli,wsgi]")
    session.run("pytest", "-q", *OLDEST, *session.posargs)


@nox.session
def packages(session: nox.Session) -> None:
    """Third-party packages as roots: every submodule, and the tests that they ship."""
    session.install("--quiet", ".[test,packages]")
    # One at a time: the table that it prints tells how long each package took.
    environment = {"PYAUTOLOAD_REAL_PACKAGES": "1"}
    session.run("pytest", "-q", "tests/test_real_packages.py", *session.posargs, env=environment)


@nox.session
def frozen(session: nox.Session) -> None:
    """Programs in one file or directory: zipapp, shiv, pex, PyInstaller (some minutes)."""
    session.install("--quiet", ".[test,frozen]")
    session.run("pytest", "-q", "tests/test_frozen.py", *session.posargs, env={"PYAUTOLOAD_FROZEN": "1"})
