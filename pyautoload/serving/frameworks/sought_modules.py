"""Modules that a library looks for by their names: ``polls.admin``, ``polls.wagtail_hooks``, ``polls.tasks``.

Frameworks ask each part of a program for modules of certain names, once, when they start. When such a file is made
later, or one of that name is deleted, only a new process has it right. What the program's own code looks for is not
noted here: reloading knows that.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyautoload.reloading.result import ReloadResult

__all__ = ["SoughtModules"]

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_MACHINERY = (_OURS, "<frozen importlib", os.path.dirname(os.__file__) + os.sep + "importlib" + os.sep)
# These may lie below the directory of a program, in a virtual environment.
_LIBRARIES = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("purelib", "platlib", "stdlib"))


class SoughtModules:
    """A finder that finds nothing, and notes what it is asked for.

    Args:
        roots: the directories of the program.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = tuple(os.path.join(os.path.abspath(root), "") for root in roots)
        # Example: {"polls.admin", "polls.wagtail_hooks"}
        self._sought: set[str] = set()

    def install(self) -> None:
        """From now on."""
        sys.meta_path.insert(0, self)
        sys.meta_path.append(self)  # a loader of the program's own may come to stand before us

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Part of the import protocol; finds nothing."""
        if path is not None and any(f"{os.path.abspath(each)}{os.sep}".startswith(self._roots) for each in path):
            asks = _who_asks(sys._getframe(1))
            if not asks.startswith(self._roots) or asks.startswith(_LIBRARIES):
                self._sought.add(fullname)
        return None

    def why_restart(self, result: ReloadResult) -> dict[str, str]:
        """The modules for which a reload needs a new process, and why."""
        # What is loaded by now was found: a request came between the file and the reload that lists it.
        added = (name for name in result.added if name in self._sought and name not in sys.modules)
        found = dict.fromkeys(added, "a library looked for it before it was there")
        found.update({name: "a library has loaded it" for name in result.removed if name in self._sought})
        return found


def _who_asks(frame: FrameType | None) -> str:
    """The file that contains the code that imports."""
    while frame is not None and frame.f_code.co_filename.startswith(_MACHINERY):
        frame = frame.f_back
    return frame.f_code.co_filename if frame is not None else ""
