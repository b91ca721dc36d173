"""Failure: an error in the user's program, as it is told to people and to another process."""

from __future__ import annotations

import json
import os
import traceback
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pyautoload.serving.page.traceback_frames import Part, is_library, is_machinery, parts_of

__all__ = ["Failure", "described"]


@dataclass(frozen=True)
class Failure:
    """Why a program does not start.

    Attributes:
        summary: ``"SyntaxError: invalid syntax"``.
        file: where, if that is known.
        line: the line there.
        trace: the traceback, without the frames of the import system and of this library.
        parts: the same for a panel: each error of the chain with its frames, the user's first.
    """

    summary: str
    file: str | None = None
    line: int | None = None
    trace: str = ""
    parts: list[Part] = field(default_factory=list)

    @classmethod
    def of(cls, error: BaseException, directory: str = "") -> Failure:
        """What is told of an exception; the place is the last one in ``directory``, where there is one."""
        shown = traceback.TracebackException.from_exception(error)
        _without_machinery(shown)
        file, line = _place(error, shown, directory)
        return cls(described(error), file, line, "".join(shown.format()).rstrip(), parts_of(shown, directory))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def within(self, size: int) -> Failure:
        """The same in so many bytes of JSON at most: the frames of libraries go first, then the user's outer ones."""
        short, most = self, 16
        while len(json.dumps(short.as_dict())) > size and most:
            most //= 2
            short = replace(short, trace=short.trace[-size // 4 :], parts=[_inner(part, most) for part in self.parts])
        return short if most else Failure(self.summary[: size // 8], self.file, self.line)

    def headline(self, directory: str) -> str:
        """``"myapp/web.py:3: SyntaxError: invalid syntax"``, the path relative to ``directory``."""
        if self.file is None:
            return self.summary
        file = self.file.removeprefix(directory.rstrip(os.sep) + os.sep)
        return f"{file}:{self.line}: {self.summary}" if self.line else f"{file}: {self.summary}"


def described(error: BaseException) -> str:
    """``"SyntaxError: invalid syntax"``: the type and the first line of what it says."""
    try:
        says = str(error.msg if isinstance(error, SyntaxError) else error).strip()
    except Exception as other:  # noqa: BLE001 - the user's __str__ may raise whatever it likes
        says = f"(its text cannot be had: {type(other).__name__})"
    return f"{type(error).__name__}: {says}".splitlines()[0] if says else type(error).__name__


def _inner(part: Part, most: int) -> Part:
    frames = [frame for frame in part["frames"] if not frame["library"]][:most]
    return Part(summary=part["summary"][:2000], relation=part["relation"], frames=frames)


def _without_machinery(shown: traceback.TracebackException) -> None:
    """Leave out what stands between one file of the user's and the next."""
    seen: set[int] = set()
    todo: list[traceback.TracebackException | None] = [shown]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        kept = [frame for frame in each.stack if not is_machinery(frame.filename)]
        each.stack = traceback.StackSummary.from_list(kept)
        todo += [each.__cause__, each.__context__]


def _place(error: BaseException, shown: traceback.TracebackException, directory: str) -> tuple[str | None, int | None]:
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    frames = list(reversed(shown.stack))
    mine = [frame for frame in frames if frame.filename.startswith(directory) and not is_library(frame.filename)]
    for frame in mine or frames:
        return frame.filename, frame.lineno
    return None, None
