"""Lazy imports on Python 3.15 and later: the interpreter does them, and is told for which imports.

``__lazy_modules__`` in a module's namespace makes it take the import statements of that module for lazy ones. It has to
be there before the code runs, and is asked, at each statement that may be lazy, whether it contains the module's name.
What the user set for the whole process (``-X lazy_imports``, ``sys.set_lazy_imports``, its filter) goes on to apply.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from pyautoload.tree.lazy_policy import LazyPolicy

__all__ = ["prepare"]

_EAGER = b"pyautoload: eager"


class _LazyModules:
    """Contains the names of all modules whose import is to be lazy.

    Args:
        policy: which imports stay eager.
        eager_lines: the lines on which a comment says so.
    """

    def __init__(self, policy: LazyPolicy, eager_lines: frozenset[int]) -> None:
        self.policy = policy
        self.eager_lines = eager_lines

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or self.policy.is_eager(name):
            return False
        return not self.eager_lines or sys._getframe(1).f_lineno not in self.eager_lines


def prepare(module: ModuleType, policy: LazyPolicy, source: Callable[[], bytes]) -> None:
    """Let the imports of a module be lazy, whose code is about to be run.

    Args:
        module: the module.
        policy: which imports stay eager.
        source: gives its text.
    """
    text = source()
    lines = frozenset[int]()
    if _EAGER in text:
        from pyautoload.lazy.imports.code_rewriting import lines_with_eager_comment

        lines = lines_with_eager_comment(text)
    module.__dict__["__lazy_modules__"] = _LazyModules(policy, lines)
