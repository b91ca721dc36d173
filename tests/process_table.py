"""The processes that run: from ``/proc`` where there is one, as not every system has ``ps``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["running_processes"]


def running_processes() -> dict[int, tuple[int, str, str]]:
    """Process → its parent, the letter of its state (``Z``: it has ended, and nobody asked how) and its command."""
    if os.path.exists("/proc/self/stat"):
        return dict(found for name in os.listdir("/proc") if name.isdecimal() and (found := _of(int(name))) is not None)
    shown = subprocess.run(["ps", "-Aww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = (line.split(maxsplit=3) for line in shown.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[2][0], row[3] if len(row) > 3 else "") for row in rows}


def _of(process: int) -> tuple[int, tuple[int, str, str]] | None:
    try:
        # The name of the program, in brackets, may hold spaces and brackets.
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
        arguments = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None  # it has ended meanwhile
    return process, (int(fields[1]), fields[0], arguments)
