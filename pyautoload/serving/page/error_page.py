"""The look of a page that shows nothing but an error."""

from __future__ import annotations

import html

__all__ = ["error_page"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 60rem; margin: 3rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.3rem; overflow-wrap: anywhere; }}
pre {{ overflow-x: auto; padding: 1rem; border-left: 4px solid #cf222e; background: #8881; }}
</style>
<body>
<h1>{headline}</h1>
{trace}{hint}{script}
</body>
</html>
"""


def error_page(title: str, headline: str, trace: str, hint: str, script: str) -> bytes:
    """The page.

    Args:
        title: of the window.
        headline: what is wrong, in a line.
        trace: a traceback, if it may be shown.
        hint: what to do.
        script: an element, already HTML; the rest is text.
    """
    return _PAGE.format(
        title=html.escape(title),
        headline=html.escape(headline),
        trace=f"<pre>{html.escape(trace)}</pre>\n" if trace else "",
        hint=f"<p>{html.escape(hint)}</p>\n" if hint else "",
        script=script,
    ).encode()
