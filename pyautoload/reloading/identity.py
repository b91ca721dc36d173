"""Which function a function object is, whatever wraps it: what is noted of functions is noted under that."""

from __future__ import annotations

import sys
from types import CodeType, FunctionType

from pyautoload.reloading.functions import underlying

__all__ = ["Function", "is_gone", "key_of", "members_of", "redirects"]

# A function by module and qualified name. Example: ("myapp.tools", "Slugger.clean")
Function = tuple[str, str]
_CODE_KNOWS = sys.version_info >= (3, 11)
# Members that are notes about a class and change nothing that it does.
_NOTES = frozenset(
    {"__doc__", "__module__", "__qualname__", "__annotations__", "__annotate_func__", "__annotations_cache__"}
)


def key_of(function: FunctionType) -> Function:
    """The function at module or class level that a function is, or was made by.

    What ``functools.wraps`` says about a function is what it wraps; its code knows better.
    """
    module: str = function.__globals__.get("__name__", function.__module__)
    if _CODE_KNOWS:
        return module, function.__code__.co_qualname.partition(".<locals>")[0]  # type: ignore[attr-defined,unused-ignore]
    if "__wrapped__" in function.__dict__:
        return module, _maker_of(function)
    return function.__module__, function.__qualname__.partition(".<locals>")[0]


def _maker_of(function: FunctionType) -> str:
    """The function in whose code a function was made: Python 3.10 does not note that."""
    for name, value in list(function.__globals__.items()):
        if type(value) is FunctionType and _contains(value.__code__, function.__code__):
            return name
    return function.__qualname__.partition(".<locals>")[0]


def _contains(code: CodeType, inner: CodeType) -> bool:
    return any(
        const is inner
        or ((const.co_name, const.co_firstlineno) == (inner.co_name, inner.co_firstlineno) or _contains(const, inner))
        for const in code.co_consts
        if isinstance(const, CodeType)
    )


def is_gone(module: object, name: str) -> bool:
    """Whether the name of a function holds something else than a function: a decorator called it, it seems."""
    value = getattr(module, "__dict__", {}).get(name)
    return next(underlying(value), None) is None


def members_of(cls: type) -> Function:
    """What stands, among functions, for which members a class has: ``("myapp.tools", "Slugger.*")``."""
    return cls.__module__, f"{cls.__qualname__}.*"


def redirects(cls: type, members: set[str]) -> bool:
    """Whether code that makes or uses instances may come to other functions, as these members came, went or changed."""
    for name in members - _NOTES:
        inherited = any(name in base.__dict__ for base in cls.__mro__[1:])
        if name[:2] == "__" or inherited or name not in cls.__dict__:
            return True
    return False
