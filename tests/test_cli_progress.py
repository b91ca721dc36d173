"""Commands that take long show how far they have got, on a terminal only."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CONFIG, run_apart

import pyautoload

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")

FILES = {"pyproject.toml": CONFIG, **{f"app/part_{number}.py": f"class Part{number}: ..." for number in range(3)}}


def _shown(cwd: Path, *arguments: str) -> str:
    """What a terminal shows that the errors of a command go to."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(pyautoload.__file__).parent.parent), "TERM": "xterm"}
    command = [sys.executable, "-m", "pyautoload", *arguments]
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # what Linux reports when the last writer has gone
    finally:
        os.close(ours)
    assert process.wait(timeout=120) == 0, shown.decode(errors="replace")
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode("utf-8"))


@pytest.mark.parametrize("arguments", [("check",), ("build", "-o", "app.bundle"), ("profile",)])
def test_a_terminal_shows_a_bar(tree, tmp_path, arguments):
    tree(FILES)
    assert re.search(r"━ +(3/3|4/4)", _shown(tmp_path, *arguments))


@pytest.mark.parametrize("arguments", [("check",), ("build", "-o", "app.bundle"), ("profile",)])
def test_a_pipe_and_json_get_none(tree, tmp_path, arguments):
    tree(FILES)
    assert run_apart(*arguments, cwd=tmp_path).stderr == ""
    assert _shown(tmp_path, *arguments, "--json") == ""
