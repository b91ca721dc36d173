"""Where a system has no fork, and passes no open files: all can be imported, commands are cold or say why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import environment

pytest.importorskip("click")

# Takes away what Windows does not have, before anything of ours is imported.
BARE = """
import os, runpy, signal, socket, sys, _signal, _socket
for name in ("fork", "register_at_fork", "environb", "getuid", "sched_getaffinity"):
    if hasattr(os, name):
        delattr(os, name)
for module in (socket, _socket):
    for name in ("AF_UNIX", "SCM_RIGHTS", "SO_PEERCRED", "send_fds", "recv_fds"):
        if hasattr(module, name):
            delattr(module, name)
for module in (signal, _signal):
    for name in ("pthread_sigmask", "SIGKILL", "SIGSTOP", "SIGXFSZ", "SIGCHLD"):
        if hasattr(module, name):
            delattr(module, name)
for name in ("fcntl", "resource", "pty", "termios"):
    sys.modules[name] = None
"""


def bare(directory: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE + code], cwd=directory, env=environment(), capture_output=True, encoding="utf-8"
    )


@pytest.mark.parametrize(
    "name",
    [
        "pyautoload.serving.server.supervisor",
        "pyautoload.serving.server.worker",
        "pyautoload.cli.serve",
        "pyautoload.cli.run",
        "pyautoload.warm.client",
        "pyautoload.warm.owner",
        "pyautoload.warm.verifier",
        "pyautoload.warm.fresh_state",
        "pyautoload.checking.fresh_process",
    ],
)
def test_modules_that_every_system_needs_can_be_imported(tmp_path: Path, name: str) -> None:
    done = bare(tmp_path, f"import {name}")
    assert done.returncode == 0, done.stderr


def test_a_program_runs_cold(tmp_path: Path) -> None:
    code = "sys.orig_argv[:] = [sys.executable, '-m', 'pyautoload', 'run']; sys.argv[:] = ['pyautoload', 'run']\n"
    code += "from pyautoload.programs.run_program import main; main(['--why', '-c', 'print(5)'])"
    done = bare(tmp_path, code)
    assert done.stdout == "5\n", done.stderr
    assert "cold: this system has no warm processes" in done.stderr


def test_warm_says_that_it_cannot(tmp_path: Path) -> None:
    done = bare(tmp_path, "from pyautoload.cli.warm import command; command([])")
    assert done.returncode == 1
    assert "there are no warm processes here" in done.stderr
