"""Simple markup to HTML. That ``html_renderer`` defines ``HTMLRenderer`` needs no rule."""

from __future__ import annotations

import re
from html import escape

from markupsafe import Markup

# One block is what stands between empty lines; a fence may hold empty lines itself.
_BLOCK = re.compile(r"```[^\n]*\n.*?\n```|(?:(?!```)[^\n]*\S[^\n]*\n?)+", re.DOTALL)
_HEADING = re.compile(r"(#{1,3})\s+(.+)")
_INLINE = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*(.+?)\*"), r"<em>\1</em>"),
    # Only web addresses become links, never "javascript:".
    (re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)"), r'<a href="\2">\1</a>'),
)


class HTMLRenderer:
    """Headings, lists, code, emphasis and links; everything else in a text is shown as it is."""

    def render(self, text: str) -> Markup:
        """``text`` as HTML that is safe to show."""
        blocks = _BLOCK.findall(text.replace("\r\n", "\n"))
        return Markup("\n".join(self._block(block.strip("\n")) for block in blocks))

    def _block(self, block: str) -> str:
        if block.startswith("```"):
            code = block.partition("\n")[2].rpartition("\n")[0]
            return f"<pre><code>{escape(code)}</code></pre>"
        if heading := _HEADING.fullmatch(block.strip()):
            # The page itself has the first level, its title the second.
            level = len(heading[1]) + 2
            return f"<h{level}>{self._inline(heading[2])}</h{level}>"
        lines = block.strip().splitlines()
        if all(line.lstrip().startswith(("- ", "* ")) for line in lines):
            items = "".join(f"<li>{self._inline(line.lstrip()[2:])}</li>" for line in lines)
            return f"<ul>{items}</ul>"
        return f"<p>{self._inline(' '.join(lines))}</p>"

    def _inline(self, text: str) -> str:
        # What stands between backquotes is code, in which nothing else is marked up.
        parts = text.split("`")
        if len(parts) % 2 == 0:
            parts[-2:] = ["`".join(parts[-2:])]
        return "".join(self._code(part) if index % 2 else self._marked(part) for index, part in enumerate(parts))

    def _code(self, text: str) -> str:
        return f"<code>{escape(text)}</code>"

    def _marked(self, text: str) -> str:
        html = escape(text)
        for pattern, replacement in _INLINE:
            html = pattern.sub(replacement, html)
        return html
