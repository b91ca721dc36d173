"""Lazy imports of a module whose code runs again in its dict: what was not resolved stays so.

A reload compares what a module's names hold before and after, and binds names by way of a dict of its own. So
unresolved names are set aside before, bound lazily in the module's dict while the code runs, and set aside again for
the comparison.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType, ModuleType

from pyautoload.lazy.imports import code_rewriting, pep_810
from pyautoload.lazy.imports.import_statement import Statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyautoload.tree.lazy_policy import LazyPolicy

__all__ = ["bind_what_waits_for", "put_back", "runnable_again", "set_aside"]

_IS_NATIVE = sys.version_info >= (3, 15)


class _StatementAgain(Statement):
    """An import statement of code whose local names are not the module's dict itself, but are bound in it."""

    __slots__ = ()

    def _is_at_module_level(self, frame: FrameType) -> bool:
        return True


class _NativeStatement:
    """An import statement, executed where the interpreter takes it for one at module level.

    Args:
        description: as ``code_rewriting`` gives it.
        is_explicit: whether it says ``lazy``.
    """

    __slots__ = ("description", "is_explicit")

    def __init__(self, description: code_rewriting.Description, is_explicit: bool) -> None:
        self.description = description
        self.is_explicit = is_explicit

    def __neg__(self) -> None:
        frame = sys._getframe(1)
        text = ("lazy " if self.is_explicit else "") + code_rewriting.text_of(self.description)
        line = self.description[1]
        exec(compile("\n" * (line - 1) + text, frame.f_code.co_filename, "exec", dont_inherit=True), frame.f_globals)


def runnable_again(
    code: CodeType, module: ModuleType, policy: LazyPolicy | None, source: Callable[[], bytes]
) -> CodeType:
    """Code that binds lazily what its import statements import, whatever its local names are kept in.

    Args:
        code: of the module, as it was compiled.
        module: the module.
        policy: which imports stay eager; ``None`` where only those are lazy that say so themselves.
        source: gives the text of the code.
    """
    if not _IS_NATIVE:
        if policy is None:
            return code
        found = code_rewriting.rewritten(code, source)
        return code_rewriting.with_statements(found, lambda description: _StatementAgain(description, policy))
    if policy is not None:
        pep_810.prepare(module, policy, source)
    found, explicit = code_rewriting.rewritten_natively(code, explicit_only=policy is None)
    in_order = iter(explicit)
    return code_rewriting.with_statements(found, lambda description: _NativeStatement(description, next(in_order)))


def set_aside(module: ModuleType) -> dict[str, Any]:
    """Take the names of a module that are not resolved out of its dict; what they were, for ``put_back``."""
    if not _IS_NATIVE:
        from pyautoload.lazy.imports.lazy_names import forget

        return forget(module)
    names = module.__dict__
    found = pep_810.unresolved(names)
    for name in found:
        del names[name]
    return found


def put_back(module: ModuleType, aside: dict[str, Any]) -> None:
    """Let names of a module be lazy again, those that have not been bound meanwhile.

    Args:
        module: the module.
        aside: what ``set_aside`` has given.
    """
    names = module.__dict__
    if _IS_NATIVE:
        for name, lazy in aside.items():
            names.setdefault(name, lazy)
        return
    from pyautoload.lazy.imports.lazy_names import names_of, tidy

    for name, imports in aside.items():
        if name not in names:
            for each in imports:
                names_of(names).add(name, each)
    tidy(names)


def bind_what_waits_for(modules: Iterable[str]) -> None:
    """Modules have been imported: bind the lazy names that are for them, as Python 3.15 does not.

    Args:
        modules: their names.
    """
    if not _IS_NATIVE:
        from pyautoload.lazy.imports.lazy_names import bind_what_waits_for as bind

        for name in modules:
            bind(name)
