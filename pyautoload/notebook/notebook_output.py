"""What the notebook is told: one line, or a table, as text and as HTML."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyautoload.errors import ReloadError
from pyautoload.notebook.stale_cells import Run
from pyautoload.printable import described, printable
from pyautoload.reloading.result import ReloadResult, some

__all__ = ["Note", "Part", "asked_parts", "error_parts", "result_parts", "stale_note"]

_NAME = "autoload"
_MOST = 6
_COLORS = {"plain": "#6a737d", "warning": "#9a6700", "error": "#cf222e"}


class Part(NamedTuple):
    """A phrase of a note.

    Attributes:
        text: what is said.
        code: names or code that it is said of.
        kind: ``"plain"``, ``"warning"`` or ``"error"``.
    """

    text: str
    code: str = ""
    kind: str = "plain"


class Note:
    """What is shown.

    Args:
        parts: of the line.
        rows: of a table below it.
    """

    def __init__(self, parts: Sequence[Part], rows: Sequence[tuple[str, str, str]] = ()) -> None:
        self.parts = list(parts)
        self.rows = list(rows)

    def __str__(self) -> str:
        line = "; ".join(f"{part.text} {part.code}".strip() for part in self.parts)
        width = max((len(label) for label, _, _ in self.rows), default=0)
        rows = [f"  {label:{width}}  {code}  # {why}" for label, code, why in self.rows]
        return "\n".join([f"{_NAME}: {line}", *rows])

    def html(self) -> str:
        """For Jupyter."""
        spans = [
            f'<span style="color:{_COLORS[part.kind]}">{html.escape(part.text)}'
            + (f" <code>{html.escape(part.code)}</code>" if part.code else "")
            + "</span>"
            for part in self.parts
        ]
        line = f'<div style="font-size:85%">{_NAME}: {"; ".join(spans)}</div>'
        if not self.rows:
            return line
        rows = "".join(
            f'<tr><td>{html.escape(label)}</td><td style="text-align:left"><code>{html.escape(code)}</code></td>'
            f'<td style="text-align:left">{html.escape(why)}</td></tr>'
            for label, code, why in self.rows
        )
        return f"{line}<table>{rows}</table>"

    def bundle(self) -> dict[str, str]:
        """MIME type → content."""
        return {"text/plain": str(self), "text/html": self.html()}


def result_parts(results: Sequence[ReloadResult], names: list[str], lost: list[str], stale: list[str]) -> list[Part]:
    """What was reloaded, which names follow, and what came from what has changed.

    Args:
        results: of the loaders.
        names: that have other values now.
        lost: that their modules have no longer.
        stale: variables, or the labels of cells that made none.
    """
    parts = []
    done = [name for result in results for name in (*result.patched, *result.reexecuted, *result.added)]
    removed = [name for result in results for name in result.removed]
    if done:
        parts.append(Part("reloaded", some(sorted(dict.fromkeys(done)), _MOST)))
    if removed:
        parts.append(Part("removed", some(removed, _MOST)))
    if names:
        parts.append(Part("new value of", some(names, _MOST)))
    if lost:
        parts.append(Part("gone from its module, and kept here:", some(lost, _MOST), "warning"))
    for result in results:
        parts += asked_parts(result.restart_required)
    if stale:
        parts.append(Part("stale, as it came from what has changed:", some(stale, _MOST), "warning"))
        parts.append(Part("cells to run again:", "%autoload stale", "warning"))
    return parts


def asked_parts(asked: Mapping[str, str]) -> list[Part]:
    """What only a restart brings in, and why."""
    return [Part(f"restart the kernel for {name}: {why}", "", "warning") for name, why in asked.items()]


def error_parts(errors: Sequence[ReloadError], *, again: bool = False) -> list[Part]:
    """What could not be reloaded, and where.

    Args:
        errors: of the last attempt.
        again: whether it was told before.
    """
    parts = []
    for error in errors:
        where = place(error.file, error.line)
        if again:
            parts.append(Part("still running the previous code of", f"{error.module} ({where})", "error"))
            continue
        cause = error.__cause__
        parts.append(Part(f"{where}: {_what(cause if cause is not None else error)}", "", "error"))
        parts.append(Part("still running the previous code of", error.module, "error"))
    return parts


def _what(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.msg:
        return f"{type(error).__name__}: {printable(error.msg)}"  # it names the file and the line once more
    return described(error).splitlines()[0]


def place(file: str | None, line: int | None) -> str:
    """``lab/model.py:12``, from the working directory where the file lies below it."""
    if not file:
        return "an unknown file"
    here = os.getcwd() + os.sep
    shown = printable(file[len(here) :] if file.startswith(here) else file)
    return f"{shown}:{line}" if line else shown


def stale_note(runs: Sequence[tuple[Run, str]]) -> Note:
    """The cells to run again."""
    if not runs:
        return Note([Part("no cell is stale")])
    rows = [(run.label, _first_line(run.source), why) for run, why in runs]
    return Note([Part(f"run {len(runs)} {'cell' if len(runs) == 1 else 'cells'} again, in this order")], rows)


def _first_line(source: str) -> str:
    lines = [line for line in source.strip().splitlines() if line.strip()]
    return (lines[0] if lines else "") + (" ..." if len(lines) > 1 else "")
