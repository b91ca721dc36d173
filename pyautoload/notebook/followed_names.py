"""Names of the notebook that came from modules, and follow them: what `from lab.model import LIMIT` has bound."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from pyautoload.notebook.cell import CellCode

__all__ = ["Followed", "Names"]

_NOTHING: Any = object()


class Followed(NamedTuple):
    """Where the value of a name came from.

    Attributes:
        module: its name.
        attribute: in it; ``None`` for the module itself.
        value: what it was.
    """

    module: str
    attribute: str | None
    value: Any


class Names:
    """The names that follow.

    Args:
        namespace: of the notebook.
        is_managed: whether a module may be reloaded.
    """

    def __init__(self, namespace: dict[str, Any], is_managed: Callable[[str], bool]) -> None:
        self.namespace = namespace
        self.is_managed = is_managed
        self.followed: dict[str, Followed] = {}
        # Modules of which all names were imported, and those that they had then or later.
        self._stars: dict[str, set[str]] = {}
        # Imports from what may not be reloaded, perhaps not yet: name → module and attribute.
        self._others: dict[str, tuple[str, str | None]] = {}
        # Names that their module has no longer: told once.
        self.lost: list[str] = []

    def note(self, code: CellCode) -> None:
        """A cell has run."""
        for name in code.bound:
            self.followed.pop(name, None)
            self._others.pop(name, None)
        for module in code.stars:
            if self.is_managed(module):
                self._stars[module] = _public(module)
                for name in self._stars[module]:
                    self._follow(name, module, name)
        for name, (module, attribute) in code.imports.items():
            self._follow(name, module, attribute)

    def _follow(self, name: str, module: str, attribute: str | None) -> None:
        if not self.is_managed(module):
            self._others[name] = module, attribute
            return
        value = self.namespace.get(name, _NOTHING)
        # Not so where the import failed, or something else was bound in another way since.
        if value is not _NOTHING and value is _current(module, attribute):
            self.followed[name] = Followed(module, attribute, value)

    def look_again(self) -> None:
        """More modules may be reloaded now: follow what was imported from them."""
        others, self._others = self._others, {}
        for name, (module, attribute) in others.items():
            self._follow(name, module, attribute)

    def update(self) -> list[str]:
        """After a reload: bind what has another value now.

        Returns:
            The names that were bound anew, sorted.
        """
        updated = []
        self.lost = []
        for name, (module, attribute, value) in list(self.followed.items()):
            if self.namespace.get(name, _NOTHING) is not value:
                del self.followed[name]  # the user has bound it to something else
                continue
            now = _current(module, attribute)
            if now is _NOTHING:
                del self.followed[name]
                self.lost.append(name)
            elif now is not value:
                self._bind(name, Followed(module, attribute, now))
                updated.append(name)
        return sorted([*updated, *self._new_of_stars()])

    def _new_of_stars(self) -> list[str]:
        new = []
        for module, known in self._stars.items():
            for name in _public(module) - known:
                known.add(name)
                value = _current(module, name)
                if name not in self.namespace and value is not _NOTHING:
                    self._bind(name, Followed(module, name, value))
                    new.append(name)
        return new

    def _bind(self, name: str, followed: Followed) -> None:
        self.namespace[name] = followed.value
        self.followed[name] = followed


def _current(name: str, attribute: str | None) -> Any:
    """What a module has under a name now."""
    module = sys.modules.get(name, _NOTHING)
    if attribute is None or module is _NOTHING:
        return module
    try:
        return getattr(module, attribute)
    except (AttributeError, ImportError):
        return sys.modules.get(f"{name}.{attribute}", _NOTHING)


def _public(name: str) -> set[str]:
    """What ``from name import *`` binds."""
    module = sys.modules.get(name)
    if not isinstance(module, ModuleType):
        return set()
    names = getattr(module, "__all__", None)
    return set(names) if names is not None else {name for name in vars(module) if not name.startswith("_")}
