"""A page that shows nothing but an error: the panel that other pages have in a corner."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files

from pyautoload.serving.page.failure import Failure
from pyautoload.serving.page.panel import panel

__all__ = ["closed_page", "error_page"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
main {{ border-left: 5px solid #cf222e; padding-left: 1rem; }}
{sheet}
</style>
<body>
<main class="panel">
{content}{hint}{script}
</main>
</body>
</html>
"""


def error_page(title: str, headline: str, failure: Failure, hint: str, script: str) -> bytes:
    """The page for somebody who may see source.

    Args:
        title: of the window.
        headline: what is wrong, in a line.
        failure: what is wrong.
        hint: what to do.
        script: an element, already HTML; the rest is text.
    """
    return _page(title, panel(failure, headline), hint, script)


def closed_page(headline: str, hint: str, script: str) -> bytes:
    """The page for somebody who may not.

    Args:
        headline: that something is wrong.
        hint: how to get to see what.
        script: an element, already HTML; the rest is text.
    """
    return _page(headline, f"<h1>{html.escape(headline)}</h1>\n", hint, script)


def _page(title: str, content: str, hint: str, script: str) -> bytes:
    shown = f"<p>{html.escape(hint)}</p>\n" if hint else ""
    page = _PAGE.format(title=html.escape(title), sheet=_sheet(), content=content, hint=shown, script=script)
    return page.encode("utf-8", "replace")  # the name of a file need not be text


@cache
def _sheet() -> str:
    return files("pyautoload.serving.page").joinpath("panel.css").read_text(encoding="utf-8")
