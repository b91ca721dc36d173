"""Walkers: code that asks a module for each of its names, to look at what is there and not to use it.

Completion in a prompt and ``freezegun`` take every name that ``dir()`` gives and ask for its value. Of a package whose
names are loaded when they are first used they would load every file, and break where one of them fails.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

__all__ = ["is_walking"]

# Modules that look without using, with all that lies below them.
_WALKERS = (
    "rlcompleter",
    "freezegun",
    "IPython.core.completer",
    "IPython.core.guarded_eval",
    "IPython.utils.dir2",
    "jedi",
    "bpython.autocomplete",
    "ptpython.completer",
    "pydevd",
    "_pydevd_bundle",
    "_pydev_bundle",
    "time_machine",
)
_BELOW = tuple(f"{name}." for name in _WALKERS)


def is_walking(depth: int = 1) -> bool:
    """Whether the one who asks for an attribute only looks around.

    Args:
        depth: how many frames above the caller of this function the asking one is.
    """
    # Frames of ours, and of the import system, lie in between where several packages or loaders ask one another.
    frame: FrameType | None = sys._getframe(depth + 1)
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    name = frame.f_globals.get("__name__") if frame is not None else None
    return isinstance(name, str) and (name in _WALKERS or name.startswith(_BELOW))
