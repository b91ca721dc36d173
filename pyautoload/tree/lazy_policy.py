"""Which files import lazily, and what they import eagerly all the same."""

from __future__ import annotations

import sys

from pyautoload.errors import SetupError
from pyautoload.tree.globs import GlobSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LazyPolicy", "lazy_imports_possible"]


class LazyPolicy:
    """What a loader was told of lazy imports."""

    def __init__(self) -> None:
        # The files whose imports are lazy; no pattern for all files.
        self.files = GlobSet()
        # Imported modules that stay eager, with all below them.
        self.except_for: tuple[str, ...] = ()
        self._below: tuple[str, ...] = ()

    def keep_eager(self, names: Iterable[str]) -> None:
        """Let the imports of some modules, and of all below them, stay eager.

        Raises:
            SetupError: one of them is not a dotted name.
        """
        given = [names] if isinstance(names, str) else list(names)
        for name in given:
            if not isinstance(name, str) or not all(map(str.isidentifier, name.split("."))):
                raise SetupError(f'except_for takes names of modules, such as ("logging.config",), not {name!r}')
        self.except_for = tuple(dict.fromkeys((*self.except_for, *given)))
        self._below = tuple(f"{name}." for name in self.except_for)

    def is_eager(self, name: str) -> bool:
        """Whether the import of a module stays eager.

        Args:
            name: its absolute name.
        """
        return name in self.except_for or name.startswith(self._below)


def lazy_imports_possible() -> bool:
    """Whether imports can be lazy on this Python: 3.15 and later, or CPython with its lock (GIL)."""
    if sys.version_info >= (3, 15):
        return True
    is_locked = getattr(sys, "_is_gil_enabled", lambda: True)
    return sys.implementation.name == "cpython" and bool(is_locked())
