"""Journal: how to take back what a reload has done, step by step, the last step first."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from types import CellType, ModuleType
from typing import Any

__all__ = ["MISSING", "Journal", "put_on_class"]

# Stands for "was not there".
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "<missing>"})()


class Journal:
    """Makes changes and remembers how to take them back."""

    def __init__(self) -> None:
        # What takes back each change, in the order of the changes.
        self._undo: list[Callable[[], object]] = []
        # What is done when everything else has been taken back.
        self._last: list[Callable[[], object]] = []
        # id of a module's dict → its content before the module's code first ran again.
        self._dicts: dict[int, dict[str, Any]] = {}

    def note(self, undo: Callable[[], object]) -> None:
        """Remember how to take back what is about to be done."""
        self._undo.append(undo)

    def afterwards(self, step: Callable[[], object]) -> None:
        """Remember what has to be done when everything else has been taken back."""
        self._last.append(step)

    def keep_module(self, module: ModuleType) -> dict[str, Any]:
        """Remember the whole content of a module before its code runs again, and return it."""
        names = module.__dict__
        kept = self._dicts.get(id(names))
        if kept is None:
            kept = self._dicts[id(names)] = dict(names)
            self._undo.append(lambda: _restore(names, kept))
        return kept

    def set_item(self, mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        """``mapping[key] = value``; with ``MISSING`` the key goes."""
        before = mapping.get(key, MISSING)
        self._undo.append(lambda: _put(mapping, key, before))
        _put(mapping, key, value)

    def set_attribute(self, target: Any, name: str, value: Any) -> None:
        """``target.name = value`` for an attribute that is there."""
        before = getattr(target, name)
        self._undo.append(lambda: setattr(target, name, before))
        setattr(target, name, value)

    def set_class_attribute(
        self, cls: type, name: str, value: Any, put: Callable[..., None] = type.__setattr__
    ) -> None:
        """Set, or with ``MISSING`` delete, an attribute of the class itself.

        Args:
            cls: the class.
            name: the attribute.
            value: its value.
            put: how to set it; another than ``type.__setattr__`` for a metaclass with rules of its own.
        """
        before = cls.__dict__.get(name, MISSING)
        put_on_class(cls, name, value, put)
        self._undo.append(lambda: put_on_class(cls, name, before, type.__setattr__))

    def set_cell(self, cell: CellType, value: Any) -> None:
        """Replace what a closure's cell holds."""
        try:
            before = cell.cell_contents
        except ValueError:
            before = MISSING
        self._undo.append(lambda: _fill(cell, before))
        cell.cell_contents = value

    def roll_back(self) -> list[BaseException]:
        """Take everything back.

        Returns:
            What went wrong with single steps; the others were taken back all the same.
        """
        failures: list[BaseException] = []
        self._undo[:0] = self._last
        self._last = []
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:  # noqa: BLE001 - one step that fails must not keep the others from being undone
                failures.append(error)
        self._dicts.clear()
        return failures

    def forget(self) -> None:
        """Nothing is to be taken back any more: what was there before is not held any longer."""
        self._undo.clear()
        self._last.clear()
        self._dicts.clear()


def _restore(names: dict[str, Any], before: dict[str, Any]) -> None:
    for name in [name for name in names if name not in before]:
        del names[name]
    names.update(before)


def _put(mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
    if value is MISSING:
        mapping.pop(key, None)
    else:
        mapping[key] = value


def put_on_class(cls: type, name: str, value: Any, put: Callable[..., None]) -> None:
    """Set an attribute of a class by ``put``, or delete it where ``value`` is ``MISSING``."""
    if value is MISSING:
        if name in cls.__dict__:
            type.__delattr__(cls, name)
    else:
        put(cls, name, value)


def _fill(cell: CellType, value: Any) -> None:
    if value is MISSING:
        del cell.cell_contents
    else:
        cell.cell_contents = value
