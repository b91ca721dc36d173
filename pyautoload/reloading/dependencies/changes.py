"""Changes: what a reload has changed so far, name by name, so that it can be told who took it while being imported."""

from __future__ import annotations

from types import CodeType

__all__ = ["Changes"]


class Changes:
    """What has changed since the modules were loaded."""

    def __init__(self) -> None:
        # Modules whose code, or whose names, have changed.
        self.modules: set[str] = set()
        # Grows with each change: who has run at a later count has seen the earlier changes.
        self.count = 0
        # Module → its names that mean something else now → when that was noted.
        self.names: dict[str, dict[str, int]] = {}
        # Names of attributes, of classes or instances, that hold something else now.
        self.attributes: dict[str, int] = {}
        # Functions whose code or defaults are others now, by the id of the code that ran before.
        self.codes: dict[int, tuple[CodeType, int]] = {}
        # Module → name → what was bound to it, where that is another object now.
        self.replaced: dict[str, dict[str, tuple[object, object]]] = {}

    def name(self, module: str, name: str) -> None:
        """A name of a module means something else."""
        self.count += 1
        self.names.setdefault(module, {})[name] = self.count
        self.modules.add(module)

    def attribute(self, name: str) -> None:
        """An attribute of some class or instance holds something else."""
        self.count += 1
        self.attributes[name] = self.count

    def code(self, code: CodeType) -> None:
        """The function that ran this code does something else."""
        self.count += 1
        self.codes[id(code)] = (code, self.count)

    def bound_anew(self, module: str, name: str, before: object, now: object) -> None:
        """A name of a module is bound to another object."""
        self.replaced.setdefault(module, {})[name] = (before, now)
        self.name(module, name)

    def __bool__(self) -> bool:
        return self.count > 0
