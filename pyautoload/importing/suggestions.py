"""Suggestions: "did you mean" for names that no file stands for, in every way to ask for one.

For an attribute Python has its own, when it shows the error: it takes what ``dir()`` lists. For ``from package import
Name`` it looks in the wrong package, and for ``import package.module`` not at all.
"""

from __future__ import annotations

import sys
from types import FrameType, ModuleType

from pyautoload.tree.naming import Naming
from pyautoload.tree.registry import Namespace

__all__ = ["cannot_import", "did_you_mean", "is_import_statement"]

_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
# Frames between a finder and the import system that asks it.
_DEPTH = 12


def did_you_mean(naming: Naming, name: str, space: Namespace | None) -> str:
    """What is added to a message about ``name``; nothing where no name resembles it."""
    found = naming.similar(name, space) if space is not None else None
    return f". Did you mean: {found!r}?" if found is not None else ""


def cannot_import(naming: Naming, module: ModuleType, name: str, space: Namespace | None) -> ImportError | None:
    """The error for ``from module import name``; ``None`` where that is not what asks, or there is nothing to add.

    Called from what Python calls as the module's ``__getattr__``, so that the third frame is the one that asks.
    """
    import opcode  # few programs ask for what is not there

    asking = sys._getframe(3)
    if asking.f_code.co_code[asking.f_lasti] != opcode.opmap["IMPORT_FROM"]:
        return None
    if f"{module.__name__}.{name}" in sys.modules:
        return None
    hint = did_you_mean(naming, name, space)
    if not hint:
        return None
    file = getattr(module, "__file__", None)
    where = f" ({file or 'unknown location'})"
    return ImportError(
        f"cannot import name {name!r} from {module.__name__!r}{where}{hint}", name=module.__name__, path=file
    )


def is_import_statement() -> bool:
    """Whether a module is looked for to be imported, not merely asked for, as by ``importlib.util.find_spec``."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_DEPTH):
        if frame is None:
            return False
        code = frame.f_code
        if code.co_name == "_find_and_load_unlocked" and code.co_filename == _IMPORT_SYSTEM:
            return not _is_tried(frame.f_back)
        frame = frame.f_back
    return False


def _is_tried(frame: FrameType | None) -> bool:
    """Whether a name of a lazy ``from`` import is tried as a module, before the attribute of that name is asked for."""
    while frame is not None and frame.f_code.co_filename == _IMPORT_SYSTEM:
        if frame.f_code.co_name == "_find_and_load_lazy_submodule":  # Python 3.15
            return True
        frame = frame.f_back
    return False
