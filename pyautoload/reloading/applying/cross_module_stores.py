"""Stored into: modules into whose objects others store while they are imported, found by looking before and after."""

from __future__ import annotations

import sys
from collections.abc import Collection
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.objects.journal import put_on_class
from pyautoload.reloading.objects.safe_inspection import is_a
from pyautoload.reloading.objects.value_comparison import Comparison
from pyautoload.reloading.objects.values import NOT_STATE, Shape, restore, shape_of
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records

__all__ = ["StoredInto", "keepers"]


class StoredInto:
    """What the modules hold that those which run again may store into.

    Args:
        records: of the loaded modules.
        graph: the dependencies.
    """

    def __init__(self, records: Records, graph: Graph) -> None:
        self.records = records
        self.graph = graph
        # Module → its names and attributes of its classes that hold data → the shape of that.
        self._before: dict[str, dict[str, Any]] = {}
        # Module → those whose objects its import-time code uses.
        self._reach: dict[str, frozenset[str]] = {}
        # Module → whether it holds something else than its own code gave, before anything runs again.
        self._foreign: dict[str, bool] = {}
        # What was found.
        self.reason = ""

    def look_before(self, record: Record, out: Collection[str]) -> None:
        """A module is about to run again: look at those that it imports, and whose functions it ran.

        Args:
            record: of the module.
            out: modules that are taken out themselves.
        """
        wanted = {alias.module for alias in self.graph.aliases(record.name)} | self.reach(record)
        for name in wanted - self._before.keys():
            if name in self.records and name not in out:
                self._before[name] = _data_of(name)

    def reach(self, record: Record) -> frozenset[str]:
        """The modules whose objects a module's import-time code uses, itself or by way of functions that it runs."""
        known = self._reach.get(record.name)
        if known is None:
            found = {alias.module for alias in self.graph.aliases(record.name) if alias.used}
            for code in (record.ran or {}).values():
                module = self.records.by_path.get(code.co_filename, "")
                found.add(module)
                for alias in self.graph.aliases(module):
                    if alias.local in code.co_names or alias.attribute in code.co_names:
                        found.add(alias.module)
            known = self._reach[record.name] = frozenset(found - {record.name})
        return known

    def changed_by_others(self, record: Record) -> set[str]:
        """Modules that a module uses while it is imported and that hold something else now than their own code gave.

        Args:
            record: of the module that uses them.
        """
        return {name for name in self.reach(record) if self.is_foreign(name)}

    def is_foreign(self, name: str) -> bool:
        """Whether a module held something else than its own code gave, before anything ran again."""
        known = self._foreign.get(name)
        if known is None:
            record = self.records.get(name)
            known = self._foreign[name] = record is not None and record.shapes is not None and _is_foreign(record)
        return known

    def look_after(self, name: str, kept: Collection[str]) -> None:
        """A module has run again: look at the values that have stayed, as later ones may store into them once more.

        Args:
            name: of the module.
            kept: the names of the values.
        """
        values = _values_of(name)
        self._before[name] = {key: shape_of(values[key]) for key in kept if key in values}

    def holding(self, gone: dict[int, Any]) -> set[str]:
        """The modules that still hold functions or classes that nothing makes any more.

        Args:
            gone: these, by their ids.
        """
        found = set()
        for name in self._before if gone else ():
            if any(_leads_to(shape, gone, set()) for shape in _data_of(name).values()):
                self.reason = f"{name} holds what is not there any more"
                found.add(name)
        return found

    def put_back(self) -> None:
        """Everything is put back: what was stored into these modules goes, too."""
        # The last look first: two modules may hold the same object, and the one looked at later had more in it by then.
        for name, before in reversed(self._before.items()):
            now = _values_of(name)
            for key, shape in before.items():
                if key not in now or Comparison(inside=True).same(shape, now[key]):
                    continue
                if type(shape) is Shape:
                    restore(shape)
                value = shape.value if type(shape) is Shape else shape
                if now[key] is not value:
                    _bind(sys.modules[name], key, value)

    def release(self) -> None:
        """Do not keep alive what modules held."""
        self._before.clear()

    def changed(self) -> set[str]:
        """The modules that hold something else now than when they were looked at."""
        found = set()
        for name, before in self._before.items():
            now, comparison = _values_of(name), Comparison(inside=True)
            for key, shape in before.items():
                if key in now and not comparison.same(shape, now[key]):
                    self.reason = f"{name}.{key} was stored into by another module"
                    found.add(name)
                    break
        return found


def _values_of(name: str) -> dict[str, Any]:
    """The data that a module and its classes hold."""
    module = sys.modules.get(name)
    found: dict[str, Any] = {}
    if not isinstance(module, ModuleType):
        return found
    for key, value in list(module.__dict__.items()):
        if (
            type(key) is not str
            or key[:2] == "__"
            or is_a(value, (ModuleType, BuiltinFunctionType))
            or type(value) in NOT_STATE
        ):
            continue
        if not is_a(value, type):
            found[key] = value
        elif value.__module__ == name:
            for attribute, held in list(vars(value).items()):
                if attribute[:2] != "__" and type(held) not in NOT_STATE and not is_a(held, type):
                    found[f"{key}.{attribute}"] = held
    return found


def _is_foreign(record: Record) -> bool:
    """Whether a module, or a class of it, holds something that its own code did not give."""
    values, comparison = _values_of(record.name), Comparison(inside=True)
    shapes = record.shapes or {}
    given = {key: shapes[key] for key in values if key in shapes}
    for qualname, members in (record.members or {}).items():
        given |= {f"{qualname}.{key}": shape for key, shape in members.items()}
    if any(key in values and not comparison.same(shape, values[key]) for key, shape in given.items()):
        return True
    names = getattr(sys.modules.get(record.name), "__dict__", {})
    classes = {cls.__qualname__: cls for cls in record.classes}
    for key in values.keys() - given.keys():
        qualname, _, attribute = key.rpartition(".")
        # What the import system stores in a package is nobody's doing; nor is what Python derives from a class.
        if attribute[:1] != "_" and (
            qualname in classes or (not qualname and key not in shapes and "__path__" not in names)
        ):
            return True
    own = (value for cls in record.classes for value in list(vars(cls).values()))
    return any(_comes_from_elsewhere(value, record.name) for value in own)


def _comes_from_elsewhere(value: Any, module: str) -> bool:
    """Whether a member of a class is a function that another module has defined at its top."""
    return is_a(value, FunctionType) and value.__module__ != module and "." not in value.__qualname__


def _data_of(name: str) -> dict[str, Any]:
    return {key: shape_of(value) for key, value in _values_of(name).items()}


def keepers(graph: Graph, name: str, error: BaseException) -> set[str]:
    """Modules that may hold what a module had registered with them, so that they did not take it once more.

    Args:
        graph: the dependencies.
        name: the module whose code raised.
        error: what it raised.
    """
    records, found = graph.records, set[str]()
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = records.by_path.get(code.co_filename)
        if module is not None and module != name and code.co_name != "<module>":
            found.add(module)
        traceback = traceback.tb_next
    return found or _holders(graph, name, 0)


def _holders(graph: Graph, name: str, depth: int) -> set[str]:
    """The modules that made the objects which a module uses while it is imported."""
    found = set()
    for alias in graph.aliases(name):
        value = getattr(sys.modules.get(alias.module), "__dict__", {}).get(alias.attribute)
        if not alias.used or alias.module not in graph.records or value is None:
            continue
        if type(value) in NOT_STATE or is_a(value, (type, ModuleType, str, int, float, bytes)):
            continue
        behind = [item.module for item in graph.aliases(alias.module) if item.local == alias.attribute]
        found.update(behind if behind and depth < 4 else [alias.module])
    return found


def _leads_to(shape: Any, gone: dict[int, Any], seen: set[int]) -> bool:
    if type(shape) is not Shape:
        return id(shape) in gone
    if id(shape) in seen:
        return False
    seen.add(id(shape))
    return any(_leads_to(part, gone, seen) for part in shape.parts.values())


def _bind(module: ModuleType, key: str, value: Any) -> None:
    """Let a name of a module, or an attribute of its class (``Field.count``), stand for a value."""
    name, _, attribute = key.partition(".")
    if attribute:
        put_on_class(vars(module)[name], attribute, value, type.__setattr__)
    else:
        setattr(module, name, value)
