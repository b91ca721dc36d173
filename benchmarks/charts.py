"""Bar charts as SVG: readable on a light and on a dark page, and on a screen of 400 pixels.

The label of a bar stands above it, so that nothing needs a wide page. Colours are of a middle brightness, and there is
no background, so a page that its reader has made dark needs no other chart.
"""

from __future__ import annotations

import html
from typing import NamedTuple

WIDTH = 400
_ROW, _BAR, _TOP = 42, 14, 46
OURS, OTHERS, TEXT = "#2f81c9", "#8a929c", "#7a838e"


class Bar(NamedTuple):
    """One bar: what it stands for, how long it is, what is written at its end, and whether it is ours."""

    label: str
    value: float
    shown: str
    ours: bool


def chart(title: str, note: str, bars: list[Bar]) -> str:
    """Horizontal bars from zero.

    Args:
        title: what is compared.
        note: the unit, and which way is better.
        bars: from top to bottom.
    """
    height = _TOP + _ROW * len(bars) + 4
    longest = max(bar.value for bar in bars) or 1
    described = f"{title}: " + ", ".join(f"{bar.label} {bar.shown}" for bar in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{TEXT}">',
        f"<title>{html.escape(described)}</title>",
        f'<text x="0" y="16" font-size="15" font-weight="bold">{html.escape(title)}</text>',
        f'<text x="0" y="34" font-size="12">{html.escape(note)}</text>',
    ]
    for index, bar in enumerate(bars):
        top = _TOP + index * _ROW
        # Room for the figure behind the longest bar.
        length = max(2, (WIDTH - 90) * bar.value / longest)
        colour = OURS if bar.ours else OTHERS
        weight = ' font-weight="bold"' if bar.ours else ""
        lines += [
            f'<text x="0" y="{top + 13}"{weight}>{html.escape(bar.label)}</text>',
            f'<rect x="0" y="{top + 19}" width="{length:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
            f'<text x="{length + 6:.1f}" y="{top + 31}"{weight}>{html.escape(bar.shown)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
