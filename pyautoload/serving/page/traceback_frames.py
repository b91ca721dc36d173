"""Frames: what a panel shows of a traceback. The user's first, the last one before the others; libraries apart."""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from collections.abc import Iterator
from functools import cache
from typing import TypedDict

from pyautoload.serving.page.editor import editor_link

__all__ = ["Frame", "Part", "is_library", "is_machinery", "parts_of", "source_around"]

# So many lines of source before and behind the one with the error, and so much of each.
_AROUND = 4
_WIDTH = 400
# So many frames are told of one error: an endless recursion has a thousand.
_MOST = 60
_LARGEST = 4 << 20

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


class Frame(TypedDict):
    """One frame; ``shown`` is the file as people know it, ``link`` opens it, ``library``: it is not the user's.

    ``mark`` stands below its line, ``"       ^^^^"``, where the columns are known and do not fill it.
    """

    file: str
    shown: str
    line: int
    name: str
    link: str
    library: bool
    source: list[tuple[int, str]]
    mark: str


class Part(TypedDict):
    """One error of a chain; ``relation`` is how it comes to the one before it, ``""`` for the first."""

    summary: str
    relation: str
    frames: list[Frame]


def parts_of(shown: traceback.TracebackException, directory: str) -> list[Part]:
    """What there is to show: the error that was raised last, then what it came from.

    Args:
        shown: the traceback.
        directory: what paths are shown relative to.
    """
    parts: list[Part] = []
    for each, relation in _chain(shown):
        frames = list(_frames(each, directory))
        frames.sort(key=lambda frame: frame["library"])  # the order among the user's, and among the others, stays
        parts.append(Part(summary=_summary(each), relation=relation, frames=frames))
    return parts


def _chain(shown: traceback.TracebackException) -> Iterator[tuple[traceback.TracebackException, str]]:
    each: traceback.TracebackException | None = shown
    relation = ""
    seen: set[int] = set()
    while each is not None and id(each) not in seen and len(seen) < 10:
        seen.add(id(each))
        yield each, relation
        if each.__cause__ is not None:
            each, relation = each.__cause__, "which was caused by"
        else:
            each, relation = (None if each.__suppress_context__ else each.__context__), "raised while handling"


def _summary(shown: traceback.TracebackException) -> str:
    # Before it, a syntax error has its place and its line, which are shown with the frames.
    lines = "".join(shown.format_exception_only()).splitlines()
    return next((line for line in lines if line.strip() and not line.startswith((" ", "\t"))), "error")


def _frames(shown: traceback.TracebackException, directory: str) -> Iterator[Frame]:
    file, line = getattr(shown, "filename", None), getattr(shown, "lineno", None)
    if file and line:
        offset = getattr(shown, "offset", None) or 0  # from 1; the place of a syntax error is in no frame
        end = getattr(shown, "end_offset", None) or 0
        columns = (offset - 1, max(end - 1, offset)) if offset > 0 else None
        yield _frame(file, int(line), "", directory, columns)
    for number, summary in enumerate(reversed(shown.stack)):
        if number >= _MOST:
            return
        if not is_machinery(summary.filename):
            yield _frame(summary.filename, summary.lineno or 0, summary.name, directory, _columns(summary))


def _columns(summary: traceback.FrameSummary) -> tuple[int, int] | None:
    """From which character of its line to which the expression goes that raised; Python says so from 3.11 on."""
    start, end = getattr(summary, "colno", None), getattr(summary, "end_colno", None)
    if start is None or end is None or getattr(summary, "end_lineno", None) != summary.lineno:
        return None
    # They count bytes.
    encoded = (linecache.getline(summary.filename, summary.lineno or 0)).encode()
    return len(encoded[:start].decode(errors="replace")), len(encoded[:end].decode(errors="replace"))


def _mark(source: list[tuple[int, str]], line: int, columns: tuple[int, int] | None) -> str:
    text = dict(source).get(line, "")
    if columns is None or not text.strip():
        return ""
    start, end = columns[0], min(columns[1], max(len(text), columns[0] + 1))
    if start > len(text) or text[start:end].strip() == text.strip():
        return ""  # all of the line
    # Tabs stay tabs, so that what stands below them is as wide.
    return "".join("\t" if char == "\t" else " " for char in text[:start].ljust(start)) + "^" * max(1, end - start)


def _frame(file: str, line: int, name: str, directory: str, columns: tuple[int, int] | None = None) -> Frame:
    library = is_library(file)
    source = source_around(file, line, 1 if library else _AROUND)
    return Frame(
        file=file,
        shown=file.removeprefix(directory.rstrip(os.sep) + os.sep) if directory else file,
        line=line,
        name="" if name == "<module>" else name,
        link=editor_link(file, line),
        library=library,
        source=source,
        mark=_mark(source, line, columns),
    )


def is_machinery(file: str) -> bool:
    """Whether a file stands between one file of the user's and the next: the import system's, or ours."""
    return file.startswith((_OURS, "<frozen importlib", "<frozen runpy")) or f"{os.sep}importlib{os.sep}" in file


def is_library(file: str) -> bool:
    """Whether a file is not the user's own: installed, or of Python's library."""
    parts = file.split(os.sep)
    if "site-packages" in parts or "dist-packages" in parts or file.startswith("<"):
        return True
    return os.path.normcase(file).startswith(_places())


@cache
def _places() -> tuple[str, ...]:
    paths = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    return tuple(os.path.normcase(path).rstrip(os.sep) + os.sep for path in paths if path)


def source_around(file: str | None, line: int | None, around: int = _AROUND) -> list[tuple[int, str]]:
    """The lines around one, with their numbers; none where they cannot be read.

    Args:
        file: a path; of what is not a file nothing is read.
        line: in the middle.
        around: so many before, and so many behind.
    """
    if not file or not line or not os.path.isfile(file):
        return []
    try:
        with open(file, "rb") as opened:
            lines = opened.read(_LARGEST).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return []
    numbers = range(max(0, line - 1 - around), min(len(lines), line + around))
    return [(number + 1, lines[number][:_WIDTH]) for number in numbers]
