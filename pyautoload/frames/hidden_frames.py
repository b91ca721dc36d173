"""Frames of ours that count as the import system's own.

Python keeps its import system out of what users see: a traceback goes from the line that imports to the line that
fails, and ``warnings.warn(..., stacklevel=2)`` at the top of a deprecated module names the line that imports it. Both
go by the file name of the code that runs in between; with another name there, the warning would name a line of ours.
"""

from __future__ import annotations

import sys

# As `importlib.machinery` has it, without that and what it imports: `import pyautoload` itself comes by here.
from _frozen_importlib_external import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType
    from typing import Any, TypeVar

    _Function = TypeVar("_Function", bound=Callable[..., Any])

__all__ = ["imported", "is_initializing", "part_of_import", "users_frames", "without_frames"]

_MISSING = object()
# "<frozen importlib._bootstrap_external>"
_FILE_NAME = SourceFileLoader.exec_module.__code__.co_filename
_BOOTSTRAP = "<frozen importlib._bootstrap>"


def part_of_import(function: _Function) -> _Function:
    """Let the frames of ``function`` count as frames of the import system; usable as a decorator."""
    function.__code__ = function.__code__.replace(co_filename=_FILE_NAME)
    return function


def without_frames(function: _Function) -> _Function:
    """The same for a function that calls code of users; usable as a decorator.

    Python goes by its name, too: a run of such frames that ends in one of this name is cut out of every traceback.
    """
    function.__code__ = function.__code__.replace(co_filename=_FILE_NAME, co_name="_call_with_frames_removed")
    return function


def users_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without its frames of ours and of the import system.

    Python itself does that where a statement imports; where an attribute does, nobody would.
    """
    first = last = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename not in (_FILE_NAME, _BOOTSTRAP):
            if last is None:
                first = trace
            else:
                last.tb_next = trace
            last = trace
        trace = trace.tb_next
    if last is not None:
        last.tb_next = None
    return first


def is_initializing(module: object) -> bool:
    """Whether a module is still being imported, by whatever thread."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


@part_of_import
def imported(name: str) -> ModuleType:
    """Import a module as the statement does, and return it itself.

    ``importlib.import_module`` is another way: a warning at the top of the file would name a line of that function, and
    where two threads wait for each other's modules it raises an error, where the statement takes what there is.
    """
    while True:
        before = sys.modules.get(name, _MISSING)
        __import__(name)
        module: Any = sys.modules.get(name, _MISSING)
        # The statement waits for another thread that is importing the module, and is content where that fails, or a
        # third one has begun again. An unfinished module that was there before is one of this thread's own cycle.
        if module is not _MISSING and (module is before or not is_initializing(module)):
            return module  # type: ignore[no-any-return]
