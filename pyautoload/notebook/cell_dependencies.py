"""What a cell reaches: the definitions of modules that may have run, or were read, when it ran.

That is found in the syntax, by names, without running or recording anything: a function reaches what its body mentions,
a class what its special methods mention, `x.fit` a method `fit` of each class that is reached. So a little too much may
be found, where two classes have a method of the same name; a call by way of `getattr` is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from pyautoload.notebook.project import Project

__all__ = ["Key", "Reach", "Roots"]

# A module and a name in it: ("lab.model", "Model.predict").
Key = tuple[str, str]


@dataclass
class Roots:
    """Where a cell begins to reach.

    Attributes:
        keys: what it names: functions, classes, constants that it has imported.
        classes: of the objects that it uses.
        modules: that it names.
        attributes: that it asks for, of whatever.
    """

    keys: set[Key] = field(default_factory=set)
    classes: set[Key] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.keys or self.classes or self.modules)


class Reach:
    """Everything that is reached from some roots.

    Args:
        project: tells what modules define.
        roots: where to begin.
        classes: of which objects may be there besides.
    """

    def __init__(self, project: Project, roots: Roots, classes: Iterable[Key] = ()) -> None:
        self.project = project
        self.keys: set[Key] = set()
        self.classes = {*roots.classes, *classes}
        self.modules = set(roots.modules)
        self.attributes = set(roots.attributes)
        self._pending: list[Key] = []
        for module, name in roots.keys:
            self._import(module, name)
        self._grow()

    def _grow(self) -> None:
        size = -1
        while size != (size := len(self.keys) + len(self.attributes) + len(self.classes) + len(self.modules)):
            while self._pending:
                self._look_at(*self._pending.pop())
            for module, name in tuple(self.classes):
                self._add_members(module, name)
            for module in tuple(self.modules):
                for attribute in tuple(self.attributes):
                    self._add_attribute(module, attribute)

    def _add(self, module: str, name: str) -> None:
        if (module, name) not in self.keys and self.project.is_managed(module):
            self.keys.add((module, name))
            self._pending.append((module, name))

    def _look_at(self, module: str, name: str) -> None:
        """A definition is reached, and with it what it mentions."""
        definition = self.project.definitions(module).by_name.get(name)
        if definition is None:
            self._look_elsewhere(module, name)
            return
        self.attributes |= definition.attributes
        for target, attribute in definition.imports:
            self._import(target, attribute)
        for used in definition.names:
            self._resolve(module, used)
        if definition.is_class:
            self.classes.add((module, name))
            for member, is_implied in definition.members.items():
                if is_implied:
                    self._add(module, f"{name}.{member}")

    def _look_elsewhere(self, module: str, name: str) -> None:
        """A module has a name that it does not define."""
        if self._resolve(module, name):
            return
        value = vars(sys.modules[module]).get(name) if module in sys.modules else None
        if isinstance(value, ModuleType):
            self.modules.add(value.__name__)
        elif (key := key_of(value)) is not None:
            self._add(*key)

    def _resolve(self, module: str, name: str) -> bool:
        """A name is mentioned in a module; says whether it is one of the module's own."""
        found = self.project.definitions(module)
        if name in found.by_name:
            self._add(module, name)
        elif name in found.imports:
            target, attribute = found.imports[name]
            self.keys.add((module, name))
            self._import(target, attribute)
        else:
            stars = [star for star in found.stars if _has(self.project, star, name)]
            for star in stars[:1]:
                self._import(star, name)
            return bool(stars)
        return True

    def _import(self, module: str, attribute: str | None) -> None:
        if attribute is None:
            self.modules.add(module)
        elif f"{module}.{attribute}" in sys.modules and not _has(self.project, module, attribute):
            self.modules.add(f"{module}.{attribute}")
        else:
            self._add(module, attribute)

    def _add_members(self, module: str, name: str) -> None:
        definition = self.project.definitions(module).by_name.get(name)
        for member in definition.members if definition is not None else ():
            if member in self.attributes:
                self._add(module, f"{name}.{member}")

    def _add_attribute(self, module: str, attribute: str) -> None:
        if f"{module}.{attribute}" in sys.modules:
            self.modules.add(f"{module}.{attribute}")
        elif module in sys.modules and attribute in vars(sys.modules[module]):
            self._add(module, attribute)


def key_of(value: Any) -> Key | None:
    """Where a function or class is defined, as it says itself."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return (module, name) if isinstance(module, str) and isinstance(name, str) else None


def _has(project: Project, module: str, name: str) -> bool:
    found = project.definitions(module)
    return name in found.by_name or name in found.imports
