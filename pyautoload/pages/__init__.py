"""Pages: self-contained HTML files. Script, style and data are in the page; it loads nothing from anywhere.

``profiling.py`` and ``pyautoload graph`` call ``render``.
"""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import Any

__all__ = ["render"]


def render(name: str, title: str, data: Any) -> str:
    """A page.

    Args:
        name: which one: ``"graph"`` or ``"profile"``; ``NAME.html`` and ``NAME.js`` lie beside this file.
        title: of the page.
        data: what its script reads, anything that JSON can hold.

    Returns:
        The HTML text.
    """
    here = files(__name__)
    page = here.joinpath(f"{name}.html").read_text(encoding="utf-8")
    # Within a script element only "<" could end the data early.
    content = json.dumps(data, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")
    parts = {
        "@title@": html.escape(title),
        "@style@": here.joinpath("style.css").read_text(encoding="utf-8"),
        "@data@": content,
        "@script@": here.joinpath(f"{name}.js").read_text(encoding="utf-8"),
    }
    # In the order of the page and piece by piece, so that no part is searched for the marker of another one.
    done = []
    for marker, part in parts.items():
        before, found, page = page.partition(marker)
        assert found, f"{name}.html has no {marker}"
        done += [before, part]
    return "".join([*done, page])
