"""Text for terminals, logs and messages: a name of a file cannot clear the screen, begin a line, or fail to print."""

from __future__ import annotations

import os

__all__ = ["described", "printable", "text_of", "wanted_colour"]


def printable(text: str, keep: str = "") -> str:
    """``text`` with escapes in place of what is not a visible character: control characters, lone surrogates.

    Args:
        text: such as a path; on POSIX its names may hold any byte but zero and the slash.
        keep: characters that stay as they are: line ends, in text of several lines.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _escaped(char) for char in text)


def described(error: BaseException) -> str:
    """An exception as ``Type: message``, whatever its ``__str__`` does."""
    kind, text = type(error).__name__, text_of(error)
    return printable(f"{kind}: {text}" if text else kind, keep="\n\t")


def text_of(error: BaseException) -> str:
    """What an error says, also where asking it for that raises."""
    try:
        return str(error)
    except BaseException as other:  # noqa: BLE001 - the error is the user's, and so is its `__str__`
        return f"(its text cannot be shown: {type(other).__name__})"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def wanted_colour() -> bool | None:
    """Whether output is coloured: as NO_COLOR or FORCE_COLOR say, else ``None``: where it goes to a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR", "") not in ("", "0", "false") else None
