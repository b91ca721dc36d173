"""Classes that a library registers when they are defined, and that cannot be defined a second time in a process.

Running the statement of such a class again would not give the old class new columns: its tables, its relations and the
forms made from it know the first one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from types import ModuleType

from pyautoload.reloading.kinds import is_a
from pyautoload.reloading.statements import Parsed, Statement

__all__ = ["defined_once", "holds_any", "refused_again"]

# What libraries say of a name that they know already.
_TWICE = re.compile(r"already|duplicate|twice|exists|registered|redefin|conflict", re.IGNORECASE)
_DJANGO = "django.db.models.base"
_SQLALCHEMY = "sqlalchemy.orm"


def defined_once(module: ModuleType, statements: Iterable[Statement]) -> str | None:
    """Why some statements of a module must not run again; ``None`` where they may.

    Args:
        module: the loaded module.
        statements: that are to be run.
    """
    if not _is_concerned():
        return None
    for item in statements:
        for name in item.binds if item.kind != "import" else ():
            library = _library_of(module.__dict__.get(name), module)
            if library is not None:
                return f"more than methods of {name} changed, and {library} defines a model only once"
    return None


def holds_any(module: ModuleType) -> bool:
    """Whether a module defines such a class."""
    return _is_concerned() and any(_library_of(value, module) for value in list(module.__dict__.values()))


def _is_concerned() -> bool:
    return _DJANGO in sys.modules or _SQLALCHEMY in sys.modules


def _library_of(value: object, module: ModuleType) -> str | None:
    if not is_a(value, type) or value.__module__ != module.__name__:
        return None
    metaclass: type = type(value)
    if any(base.__module__ == _DJANGO and base.__name__ == "ModelBase" for base in metaclass.__mro__):
        return "Django"
    return "SQLAlchemy" if "__mapper__" in value.__dict__ else None


def refused_again(module: ModuleType, parsed: Parsed, error: BaseException) -> str | None:
    """The class that a metaclass, ``__init_subclass__`` or decorator of a library refused to see a second time, if any.

    Args:
        module: whose code ran.
        parsed: its source.
        error: what was raised.
    """
    line, inner, traceback = 0, "", error.__traceback__
    while traceback is not None:
        inner = traceback.tb_frame.f_code.co_filename
        if inner == parsed.path and traceback.tb_frame.f_code.co_name == "<module>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    if inner == parsed.path or not _TWICE.search(str(error)):
        return None
    for item in parsed.statements:
        if item.kind == "class" and item.node.lineno <= line <= (item.node.end_lineno or line):
            return item.name if is_a(module.__dict__.get(item.name), type) else None
    return None
