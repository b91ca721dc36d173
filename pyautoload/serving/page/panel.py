"""Panel: an error as HTML, for the pages that show nothing else. In other pages ``client.js`` makes the same."""

from __future__ import annotations

import html
from collections.abc import Iterable

from pyautoload.serving.page.editor import editor_link
from pyautoload.serving.page.failure import Failure
from pyautoload.serving.page.traceback_frames import Frame, Part

__all__ = ["panel"]


def panel(failure: Failure, headline: str) -> str:
    """The panel of a failure: what is wrong, the user's code, and folded what libraries and Python say of it.

    Args:
        failure: all of it is text, whatever it holds.
        headline: what is wrong, in a line.
    """
    place = _place(failure)
    trace = f"<pre>{html.escape(failure.trace)}</pre>"
    whole = f"<details><summary>The traceback as text</summary>{trace}</details>\n" if failure.trace else ""
    return f"<h1>{html.escape(headline)}</h1>\n{place}{''.join(map(_part, failure.parts))}{whole}"


def _place(failure: Failure) -> str:
    if not failure.file or any(part["frames"] for part in failure.parts):
        return ""
    shown = f"{failure.file}:{failure.line}" if failure.line else failure.file
    return f"<p>{_linked(shown, editor_link(failure.file, failure.line))}</p>\n"


def _part(part: Part) -> str:
    relation = f'<p class="relation">{html.escape(part["relation"])}</p>\n' if part["relation"] else ""
    title = f"<h2>{html.escape(part['summary'])}</h2>\n" if part["relation"] else ""
    own = [frame for frame in part["frames"] if not frame["library"]]
    others = [frame for frame in part["frames"] if frame["library"]]
    return f"<section>{relation}{title}{_frames(own)}{_folded(others)}</section>\n"


def _folded(frames: list[Frame]) -> str:
    if not frames:
        return ""
    count = f"{len(frames)} frame{'s' if len(frames) > 1 else ''} of libraries"
    return f"<details><summary>{count}</summary>{_frames(frames)}</details>\n"


def _frames(frames: Iterable[Frame]) -> str:
    return "".join(map(_frame, frames))


def _frame(frame: Frame) -> str:
    name = f" in <code>{html.escape(frame['name'])}</code>" if frame["name"] else ""
    place = _linked(f"{frame['shown']}:{frame['line']}", frame["link"])
    return f'<div class="frame"><p>{place}{name}</p>{_source(frame)}</div>\n'


def _source(frame: Frame) -> str:
    if not frame["source"]:
        return ""
    lines = []
    for number, text in frame["source"]:
        is_it = number == frame["line"]
        lines.append(_line(f"{number:5}", text, is_it=is_it))
        if is_it and frame["mark"]:
            lines.append(_line(" " * 5, frame["mark"], is_it=True))
    return f"<pre>{''.join(lines)}</pre>"


def _line(number: str, text: str, *, is_it: bool) -> str:
    start = '<span class="here">' if is_it else "<span>"
    return f"{start}{number}  {html.escape(text)}\n</span>"


def _linked(shown: str, link: str) -> str:
    text = f"<code>{html.escape(shown)}</code>"
    return f'<a href="{html.escape(link)}">{text}</a>' if link else text
