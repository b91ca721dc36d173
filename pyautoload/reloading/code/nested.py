"""Code within code: what runs when a module is imported, and what only when a function is called.

Import-time code is the module's own level, class bodies and comprehensions: what runs when the module is imported.
Function bodies are deferred code: they run at import time only if import-time code calls them.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

__all__ = ["deferred_codes", "import_time_codes", "is_deferred", "mentions", "names_in", "nested_codes"]

_CO_OPTIMIZED = 0x1
# Nested code that Python runs where it stands, though it looks like a function.
_RUN_AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<generic parameters of ", "<module>")


def is_deferred(code: CodeType) -> bool:
    """Whether nested code is a function's, which runs when it is called (class bodies run at once)."""
    return bool(code.co_flags & _CO_OPTIMIZED) and not code.co_name.startswith(_RUN_AT_ONCE)


def import_time_codes(code: CodeType) -> Iterator[CodeType]:
    """``code`` and the nested code that runs with it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType) and not is_deferred(const):
            yield from import_time_codes(const)


def deferred_codes(code: CodeType) -> Iterator[CodeType]:
    """The functions defined by ``code`` and by nested code that runs with it; not functions within functions."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if is_deferred(const):
                yield const
            else:
                yield from deferred_codes(const)


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """All code within ``code``, to any depth."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from nested_codes(const)


def names_in(code: CodeType) -> set[str]:
    """All global and attribute names that ``code`` mentions, nested functions included."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found |= names_in(const)
    return found


def mentions(code: CodeType, prefix: str = "") -> dict[str, frozenset[str]]:
    """Function → the names that it mentions, for all functions that ``code`` defines, those in classes too."""
    found: dict[str, frozenset[str]] = {}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if is_deferred(const):
                found[prefix + const.co_name] = frozenset(names_in(const))
            else:
                found.update(mentions(const, f"{prefix}{const.co_name}."))
    return found
