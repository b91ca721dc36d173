"""Origin: the line that made a loader, for messages and to know a loader that is made once more."""

from __future__ import annotations

import sys

from pyautoload.light_stdlib import NamedTuple
from pyautoload.printable import printable

__all__ = ["Origin", "origin_of_caller"]

_PACKAGE = __name__.partition(".")[0]


class Origin(NamedTuple):
    """Where a loader was made.

    Attributes:
        file: of the code that made it.
        line: in that file.
        at_top: whether that is a module's own code, no function's: it runs again only if the module does.
        interactive: whether that was typed at a prompt, or stands in the cell of a notebook.
        maker: what is said in place of file and line, where that tells more.
    """

    file: str
    line: int
    at_top: bool
    interactive: bool
    maker: str = ""

    def __str__(self) -> str:
        return self.maker or f"{printable(self.file)}:{self.line}"

    def is_again(self, other: Origin) -> bool:
        """Whether this is the same code as another one, run once more: a cell, a module that is executed again."""
        if self.interactive and other.interactive:
            return True
        return self.at_top and other.at_top and (self.file, self.line) == (other.file, other.line)


def origin_of_caller() -> Origin:
    """The innermost line of the stack that is none of this package's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    code, names = frame.f_code, frame.f_globals
    at_top = code.co_name == "<module>"
    # Set by every prompt, IPython's and a notebook's too.
    interactive = at_top and names.get("__name__") == "__main__" and hasattr(sys, "ps1")
    return Origin(code.co_filename, frame.f_lineno, at_top, interactive)
