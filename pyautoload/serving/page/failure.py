"""Failure: an error in the user's program, as it is told to people and to another process."""

from __future__ import annotations

import os
import traceback
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Failure", "described"]

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


@dataclass(frozen=True)
class Failure:
    """Why a program does not start.

    Attributes:
        summary: ``"SyntaxError: invalid syntax"``.
        file: where, if that is known.
        line: the line there.
        trace: the traceback, without the frames of the import system and of this library.
    """

    summary: str
    file: str | None = None
    line: int | None = None
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException, directory: str = "") -> Failure:
        """What is told of an exception; the place is the last one in ``directory``, where there is one."""
        shown = traceback.TracebackException.from_exception(error)
        _without_machinery(shown)
        file, line = _place(error, shown, directory)
        return cls(described(error), file, line, "".join(shown.format()).rstrip())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def headline(self, directory: str) -> str:
        """``"myapp/web.py:3: SyntaxError: invalid syntax"``, the path relative to ``directory``."""
        if self.file is None:
            return self.summary
        file = self.file.removeprefix(directory.rstrip(os.sep) + os.sep)
        return f"{file}:{self.line}: {self.summary}" if self.line else f"{file}: {self.summary}"


def described(error: BaseException) -> str:
    """``"SyntaxError: invalid syntax"``: the type and the first line of what it says."""
    says = str(error.msg if isinstance(error, SyntaxError) else error).strip()
    return f"{type(error).__name__}: {says}".splitlines()[0] if says else type(error).__name__


def _without_machinery(shown: traceback.TracebackException) -> None:
    """Leave out what stands between one file of the user's and the next."""
    seen: set[int] = set()
    todo: list[traceback.TracebackException | None] = [shown]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        kept = [frame for frame in each.stack if not _is_machinery(frame.filename)]
        each.stack = traceback.StackSummary.from_list(kept)
        todo += [each.__cause__, each.__context__]


def _is_machinery(file: str) -> bool:
    return file.startswith((_OURS, "<frozen importlib", "<frozen runpy")) or f"{os.sep}importlib{os.sep}" in file


def _place(error: BaseException, shown: traceback.TracebackException, directory: str) -> tuple[str | None, int | None]:
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    frames = list(reversed(shown.stack))
    mine = [frame for frame in frames if frame.filename.startswith(directory) and "site-packages" not in frame.filename]
    for frame in mine or frames:
        return frame.filename, frame.lineno
    return None, None
