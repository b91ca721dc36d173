"""What a process inherits besides its environment and open files, and cannot simply take on: limits, groups, priority.

Where these are others than those of the template, a cold process is started.
"""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["state"]


def state() -> dict[str, Any]:
    """All of it, as JSON gives it back."""
    import resource

    names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "resource limits": [list(resource.getrlimit(getattr(resource, name))) for name in names],
        "groups": [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), *sorted(os.getgroups())],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": sorted(affinity(0)) if affinity else [],
        "options of the interpreter": [
            list(sys.flags),
            list(sys.warnoptions),
            {name: str(value) for name, value in sys._xoptions.items()},
        ],
    }
