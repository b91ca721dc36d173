"""How commands write: JSON, colours, and characters that the terminal has."""

from __future__ import annotations

import json
import sys
from typing import Any, NamedTuple

import click

__all__ = ["COLOURS", "Marks", "as_json", "json_option", "marks"]

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}

json_option = click.option("--json", "json_", is_flag=True, help="Print JSON for other programs.")


class Marks(NamedTuple):
    """The characters that a tree and a list of steps are drawn with."""

    branch: str
    last: str
    pipe: str
    yes: str
    no: str
    dot: str
    arrow: str


_UNICODE = Marks("├── ", "└── ", "│   ", "✓", "✗", "•", "→")
_ASCII = Marks("|-- ", "`-- ", "|   ", "+", "x", "-", "->")


def marks() -> Marks:
    """The characters for standard output: plain ones where its encoding has no others."""
    try:
        "".join(_UNICODE).encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _UNICODE


def as_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True) if _is_shallow(value) else _deep_json(value))


def _is_shallow(value: Any, levels: int = 200) -> bool:
    """Whether a value is nested no deeper than ``json`` goes at any time."""
    below = [value]
    for _ in range(levels):
        below = [
            part
            for outer in below
            if isinstance(outer, (dict, list))
            for part in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not below:
            return True
    return False


def _deep_json(value: Any) -> str:
    """The JSON of a value that may be nested thousands of levels deep: a tree of directories can be."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 40_000))
    try:
        return json.dumps(value, indent=0, ensure_ascii=True)
    finally:
        sys.setrecursionlimit(before)
