"""Circular imports: from a failed import to the cycle, with the file and line of each import in it."""

from __future__ import annotations

import builtins
import os
import sys
from types import FrameType

from pyautoload.errors import CircularDependencyError, CycleStep
from pyautoload.frames.hidden_frames import is_initializing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["explained", "unfinished"]

_HERE = os.path.dirname(os.path.abspath(__file__))


def explained(error: Exception, managed: Callable[[str], bool]) -> CircularDependencyError | None:
    """The error that tells of the cycle, where ``error`` stands for one; else ``None``.

    Args:
        error: what left the code of a managed module: Python's "cannot import name ... from partially initialized
            module" or "partially initialized module ... has no attribute ...".
        managed: whether a module name belongs to the loader.
    """
    if isinstance(error, (CircularDependencyError, builtins.ModuleNotFoundError)):
        return None
    if isinstance(error, ImportError):
        wanted, attribute = error.name, _name_from(error)
    elif isinstance(error, AttributeError):
        wanted, attribute = getattr(getattr(error, "obj", None), "__name__", None), error.name
    else:
        return None
    if not isinstance(wanted, str) or not managed(wanted) or not is_initializing(sys.modules.get(wanted)):
        return None
    return _cycle_to(wanted, f"{wanted}.{attribute}" if attribute else wanted, _frames(error))


def unfinished(module_name: str, attribute: str) -> CircularDependencyError:
    """The error for a name that is asked of a module which has not got to defining it yet."""
    wanted = f"{module_name}.{attribute}"
    return _cycle_to(module_name, wanted, _frames(None)) or CircularDependencyError([], wanted)


def _name_from(error: ImportError) -> str | None:
    """The name that ``from module import name`` did not find."""
    name: str | None = getattr(error, "name_from", None)
    if name is None and str(error).startswith("cannot import name '"):
        name = str(error).split("'")[1]  # before Python 3.12 only the message has it
    return name


def _cycle_to(module: str, wanted: str, frames: list[tuple[FrameType, int]]) -> CircularDependencyError | None:
    # Modules of others are steps, too: the way may lead through them, and back by the managed one that is wanted.
    steps: list[CycleStep] = []
    for frame, line in frames:
        code = frame.f_code
        name = _module_run_by(frame)
        if name is not None and (not steps or steps[-1].module != name):
            steps.append(CycleStep(name, code.co_filename, line))
        elif steps and not _is_machinery(code.co_filename):
            # The import may stand in a function that module-level code calls: the innermost line is the import's.
            steps[-1] = CycleStep(steps[-1].module, code.co_filename, line)
    for index, step in enumerate(steps):
        if step.module == module:
            return CircularDependencyError(steps[index:], wanted)
    return None


def _module_run_by(frame: FrameType) -> str | None:
    """The name of the module whose code runs at its outermost level in ``frame``; ``None`` for functions and others."""
    # By its spec: inner modules of the cycle have left `sys.modules` when the error gets to the outer ones.
    name = getattr(frame.f_globals.get("__spec__"), "name", None)
    return name if frame.f_code.co_name == "<module>" and isinstance(name, str) else None


def _frames(error: Exception | None) -> list[tuple[FrameType, int]]:
    """The frames from the outermost to the one that failed, each with its line."""
    frames: list[tuple[FrameType, int]] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        frames.append((frame, frame.f_lineno))
        frame = frame.f_back
    frames.reverse()
    trace = error.__traceback__ if error is not None else None
    while trace is not None:
        if not _is_machinery(trace.tb_frame.f_code.co_filename):
            frames.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return frames


def _is_machinery(filename: str) -> bool:
    return filename.startswith(("<frozen importlib", _HERE)) or filename == importlib_file


importlib_file = getattr(sys.modules.get("importlib"), "__file__", "") or ""
