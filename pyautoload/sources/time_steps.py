"""How exact the times of files are: some file systems keep them in steps of up to two seconds (FAT, HFS+, some shares).

Two changes within one step have one time. That a file system is one of those shows in its times: whole seconds, which
others have once in a thousand million times, or where somebody has set them.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class HasTimes(Protocol):
        """What has the times of a file."""

        @property
        def st_mtime_ns(self) -> int:
            """When its content was changed."""

        @property
        def st_ctime_ns(self) -> int:
            """When anything of it was changed; on Windows, when it was made."""


__all__ = ["TICK_NS", "may_change_unseen", "step_of", "unseen_for"]

# The mtime of a file moves in ticks of up to 10 ms on common kernels, if it is not kept in larger steps.
TICK_NS = 50_000_000
_STEP_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


def step_of(status: HasTimes) -> int:
    """The step (ns) in which the times of a file are kept, 0 for a fine one."""
    if status.st_mtime_ns % _SECOND_NS:
        return 0
    # Times that somebody has set, as an installer does, may be whole seconds: this one cannot be set.
    return 0 if status.st_ctime_ns % _SECOND_NS and os.name != "nt" else _STEP_NS


def may_change_unseen(status: HasTimes) -> bool:
    """Whether another change of a file would leave its times as they are: the step of the last change is not over."""
    step = step_of(status)
    changed = status.st_mtime_ns if os.name == "nt" else max(status.st_mtime_ns, status.st_ctime_ns)
    return bool(step) and abs(time.time_ns() - changed) < step + TICK_NS


def unseen_for(mtime_ns: int) -> int:
    """How long (ns) after a modification time another change might have the same one."""
    return TICK_NS if mtime_ns % _SECOND_NS else _STEP_NS + TICK_NS
