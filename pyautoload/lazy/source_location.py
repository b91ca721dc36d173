"""Where something stands: needed for messages only."""

from __future__ import annotations

import linecache
from typing import Any

__all__ = ["file_of", "located"]


def file_of(module: str, error: BaseException) -> str | None:
    """The file of ``module``, taken from the traceback as a failed module is not in ``sys.modules`` any more."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == module:
            return trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
    return None


def located(namespace: dict[str, Any], text: str, line: int) -> tuple[str, int]:
    """File and line of line ``line`` of ``text``: in the file that holds the text if that can be told."""
    file = str(namespace.get("__file__") or namespace.get("__name__"))
    if not line or not text:
        return file, 0
    lines = "".join(linecache.getlines(file, namespace))
    start = lines.find(text)
    if start < 0 or lines.find(text, start + 1) >= 0:
        return f"exports in {file}", line
    return file, lines.count("\n", 0, start) + line
