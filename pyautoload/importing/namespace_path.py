"""NamespacePath: the ``__path__`` of a namespace package, which follows its parent's at any depth.

The stock one looks at its parent's path each time it is looked at, twice, and so does the parent: each level takes
twice as long as the one above, and from about thirty levels on it never ends. Here all levels are looked at once.
"""

from __future__ import annotations

import sys
from importlib._bootstrap_external import _NamespacePath  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["NamespacePath"]


class NamespacePath(_NamespacePath):  # type: ignore[misc]
    """What the stock class is; code that asks for its type or its text finds no difference.

    Args:
        name: the namespace.
        path: its directories.
        find: called with the name and the parent's path when that has changed; gives a spec.
    """

    def __init__(self, name: str, path: list[str], find: Any) -> None:
        # As in the stock class, whose `__init__` looks at the parent's path in its own way.
        self._name = name
        self._path = path
        self._path_finder = find
        self._last_epoch = getattr(self, "_epoch", 0)
        above = self.above()
        self._last_parent_path = None if above is None else tuple(_current(above))

    def above(self) -> Any:
        """The parent's path; ``None`` where somebody has removed the parent."""
        module, attribute = self._find_parent_path_names()
        return getattr(sys.modules.get(module), attribute, None)

    def _recalculate(self) -> Any:
        return _current(self)

    def follow(self, parent_path: tuple[str, ...] | None) -> Any:
        """The directories, found anew if the parent's path, or what was cached of directories, has changed."""
        epoch = getattr(self, "_epoch", 0)  # there is none on Python 3.10
        if parent_path is None or (parent_path == self._last_parent_path and epoch == self._last_epoch):
            return self._path
        spec = self._path_finder(self._name, parent_path)
        if spec is not None and spec.loader is None and spec.submodule_search_locations:
            self._path = spec.submodule_search_locations
        self._last_parent_path, self._last_epoch = parent_path, epoch
        return self._path


# For those who ask for the name of the type.
NamespacePath.__name__ = NamespacePath.__qualname__ = _NamespacePath.__name__


def _current(path: Any) -> Any:
    """What a path holds now, once all those above it are up to date; not by recursion, they may be a thousand."""
    chain: list[NamespacePath] = []
    while isinstance(path, NamespacePath):
        chain.append(path)
        path = path.above()
    for lower in reversed(chain):
        path = lower.follow(None if path is None else tuple(path))
    return path
