"""The suite on every Python, against the package as it is installed, and real packages under the loader."""

from __future__ import annotations

import nox

nox.needs_version = ">=2024.4"
nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All that may differ between them; not through ``python -m``, so that it is the installed wheel that is tested.

    The rest is for one Python: ``make test``, or ``nox -s tests-3.12 -- -m once``.
    """
    session.install("--quiet", ".[test-each]")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", "-m", "not once", *session.posargs)


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
