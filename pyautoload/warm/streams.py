"""The standard streams of a template, and of the processes that are forked from it.

Libraries keep ``sys.stdout`` and ``sys.stderr`` as they found them, so the objects stay; what is below them is made
anew, in the way in which the interpreter does it. In a template they note when somebody asks whether there is a
terminal: a library that decides that at import must do it in the process that has one.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

__all__ = ["note_questions", "questions", "renew"]

_NAMES = ("stdin", "stdout", "stderr")
# How often somebody has asked for what is below a stream.
_asked = 0
# The text streams as the interpreter made them, with their encoding: what is None was closed.
_streams: dict[str, tuple[Any, str, str]] = {}


class _Noting(io.FileIO):
    """A file that notes questions."""

    def isatty(self) -> bool:
        """Nobody is there."""
        global _asked
        _asked += 1
        return False

    def fileno(self) -> int:
        """Asked by those who then look at the file themselves."""
        global _asked
        _asked += 1
        return super().fileno()


def note_questions() -> None:
    """From now on questions are noted."""
    for number, name in enumerate(_NAMES):
        stream = getattr(sys, f"__{name}__")
        if stream is not None:
            _streams[name] = stream, stream.encoding, stream.errors
            _make(name, number, _Noting, unbuffered=False)


def questions() -> int:
    """How many there were."""
    return _asked


def renew(*, unbuffered: bool) -> None:
    """Make the streams as the interpreter makes them at its start, on the descriptors 0, 1 and 2 as they are now.

    Args:
        unbuffered: as with ``-u``.
    """
    for number, name in enumerate(_NAMES):
        if name not in _streams or not _is_open(number):
            setattr(sys, name, None)
            setattr(sys, f"__{name}__", None)
            continue
        _make(name, number, io.FileIO, unbuffered=unbuffered)
        setattr(sys, name, _streams[name][0])
        setattr(sys, f"__{name}__", _streams[name][0])


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _make(name: str, number: int, kind: type[io.FileIO], *, unbuffered: bool) -> None:
    """As ``create_stdio`` in CPython's ``pylifecycle.c``."""
    stream, encoding, errors = _streams[name]
    writes = name != "stdin"
    raw = kind(number, "wb" if writes else "rb", closefd=False)
    raw.name = f"<{name}>"
    is_terminal = io.FileIO.isatty(raw)
    size = io.DEFAULT_BUFFER_SIZE
    block = getattr(os.fstat(number), "st_blksize", 0)
    if block > 1:
        size = block if sys.version_info < (3, 14) else max(min(block, 8192 * 1024), size)
    buffer: Any = raw
    if not unbuffered or not writes:
        buffer = io.BufferedWriter(raw, size) if writes else io.BufferedReader(raw, size)
    io.TextIOWrapper.__init__(
        stream,
        buffer,
        encoding,
        errors,
        newline="\n",
        line_buffering=not unbuffered and (is_terminal or name == "stderr"),
        write_through=unbuffered,
    )
    stream.mode = "w" if writes else "r"
