"""Lifeline: runs a command that must not outlive the process which wanted it, not even one that is killed.

It is run as a program of its own, from its text, and uses the standard library alone. Its standard input is a pipe of
which the other end is held by who started it, and nothing is ever written to that: the system closes it, however he
ends. Then the command is killed with all that it has started, and its directory is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

__all__ = ["main"]


def main(directory: str, command: list[str]) -> None:
    """Run a command, and end with its exit code.

    Args:
        directory: removed if this has to be ended.
        command: as a list of words.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    gone = threading.Event()
    watching = threading.Thread(target=_watch, args=(child, directory, gone), daemon=True)
    watching.start()
    code = child.wait()
    if gone.is_set():
        watching.join()
    # Not the ordinary end: that would wait for the thread that reads.
    os._exit(code if code >= 0 else 128 - code)


def _watch(child: subprocess.Popen[bytes], directory: str, gone: threading.Event) -> None:
    while os.read(0, 1):
        continue
    gone.set()
    if sys.platform == "win32":
        child.kill()
    else:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            child.kill()
    child.wait()
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
