"""Lazy imports on Python 3.15 and later: the interpreter does them, and is told for which imports.

``__lazy_modules__`` in a module's namespace makes it take the import statements of that module for lazy ones. It has to
be there before the code runs, and is asked, at each statement that may be lazy, whether it contains the module's name.
What the user set for the whole process (``-X lazy_imports``, ``sys.set_lazy_imports``, its filter) goes on to apply.

Two things are done beside it. The interpreter would make imports inside ``with`` lazy, where an error that the block
handles would pass it. And it would leave a package with a module in place of a function of the same name.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from functools import partial
from types import CodeType, FrameType, ModuleType

from pyautoload.lazy.imports.code_rewriting import FROM, PLAIN, Description, guarded_units, statement_at, statements
from pyautoload.lazy.submodule_guard import guard
from pyautoload.tree.lazy_policy import LazyPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["is_lazy", "prepare", "resolve", "submodules", "unresolved"]

_EAGER = b"pyautoload: eager"
_NAME = "__lazy_modules__"
_LAZY_IMPORT = getattr(types, "LazyImportType", None)


class _LazyModules:
    """Contains the names of all modules whose import is to be lazy.

    Args:
        policy: which imports stay eager.
        eager_lines: the lines on which a comment says so.
    """

    def __init__(self, policy: LazyPolicy, eager_lines: frozenset[int]) -> None:
        self.policy = policy
        self.eager_lines = eager_lines
        # The modules of statements such as `import a.b.c`, which bind only `a`.
        self.dotted: dict[str, None] = {}
        # The code that asked last, and where in it an exception is handled.
        self._code: CodeType | None = None
        self._guarded: list[tuple[int, int]] = []

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or self.policy.is_eager(name):
            return False
        frame = sys._getframe(1)
        if self.eager_lines and frame.f_lineno in self.eager_lines:
            return False
        unit = frame.f_lasti // 2
        if self._is_guarded(frame.f_code, unit):
            return False
        names = frame.f_globals
        is_package = "__path__" in names
        if "." not in name and not self.policy.except_for:
            return True
        statement = statement_at(frame.f_code, unit)
        if statement is None:
            return True
        kind, _, _, _, attributes, _ = statement
        if kind == FROM and any(self.policy.is_eager(f"{name}.{attribute}") for attribute in attributes):
            return False
        if kind == PLAIN and "." in name:
            self.dotted[name] = None
        if kind == FROM and is_package:
            _keep_from_submodule(frame, name, statement)
        return True

    def _is_guarded(self, code: CodeType, unit: int) -> bool:
        if code is not self._code:
            self._code, self._guarded = code, guarded_units(code)
        return any(start <= unit < end for start, end in self._guarded)


def _keep_from_submodule(frame: FrameType, name: str, statement: Description) -> None:
    """``from .deliver import deliver`` in a package: the module, once imported, does not take the function's place."""
    package, _, stem = name.rpartition(".")
    _, _, _, _, attributes, bound = statement
    names = frame.f_globals
    module = sys.modules.get(package)
    if names.get("__name__") != package or stem not in bound or getattr(module, "__dict__", None) is not names:
        return
    attribute = attributes[bound.index(stem)]

    def bind(local: str, submodule: Any) -> None:
        if is_lazy(names.get(local)) and hasattr(submodule, attribute):
            names[local] = getattr(submodule, attribute)

    if name not in sys.modules:
        guard(package, {stem}, bind)


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
    module.__dict__[_NAME] = _LazyModules(policy, lines)


def is_lazy(value: object) -> bool:
    """Whether a value of a module's dict is a lazy import."""
    return type(value) is _LAZY_IMPORT


def unresolved(names: dict[str, Any]) -> dict[str, Any]:
    """The names of a module that are not resolved, each with what stands for it.

    Args:
        names: the module's dict.
    """
    return {name: value for name, value in list(names.items()) if type(value) is _LAZY_IMPORT}


def resolve(module: ModuleType, name: str, lazy: Any) -> None:
    """Do a lazy import, and leave the object in the module's dict.

    Args:
        module: the module.
        name: the name in it.
        lazy: what stands for it.

    Raises:
        Exception: whatever the import raises.
    """
    lazy.resolve()
    getattr(module, name)


def submodules(names: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """What is left to import by statements such as ``import a.b.c``, whose use imports only ``a``.

    Args:
        names: the dict of the module that has the statements.

    Returns:
        The name of the module → what imports it, as an attribute of its package; as far as the statement's name is
        still bound.
    """
    told = names.get(_NAME)
    dotted = list(told.dotted) if isinstance(told, _LazyModules) else []
    if not dotted:
        dotted = _untold(names)
    return {name: partial(_submodule, names, name) for name in dotted if name not in sys.modules}


def _untold(names: dict[str, Any]) -> list[str]:
    """The modules of ``import a.b.c`` where the interpreter asks nobody: ``lazy import``, ``-X lazy_imports=all``."""
    system: Any = sys
    waiting = {name for name in system.lazy_modules if "." in name and name not in sys.modules}
    firsts = {name.partition(".")[0] for name in waiting}
    if firsts.isdisjoint(names):
        return []
    code = getattr(names.get("__loader__"), "get_code", lambda name: None)(names.get("__name__"))
    if not isinstance(code, CodeType):
        return []
    plain = [each[3] for each in statements(code) if each[0] == PLAIN]
    return [name for name in plain if name.partition(".")[0] in firsts and "." in name]


def _submodule(names: dict[str, Any], name: str) -> None:
    first, *stems = name.split(".")
    module: Any = names.get(first)
    if is_lazy(module):
        module = module.resolve()
    if module is not sys.modules.get(first):
        return  # the name has been bound to something else
    for stem in stems:
        module = getattr(module, stem)
    importlib.import_module(name)
