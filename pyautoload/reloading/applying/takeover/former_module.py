"""A module as it was before its code ran again."""

from __future__ import annotations

from types import ModuleType

from pyautoload.reloading.records.record import Record

__all__ = ["FormerModule"]


class FormerModule:
    """A module as it was before its code ran again.

    Attributes:
        module: the module object.
        names: a copy of its dict.
        shapes: what its names held when its code had run, as far as that is known.
        members: the same for the attributes of its classes.
        classes: the classes that the module made.
        imported: names that are bound by imports: what they mean is decided where they come from.
        stored: names of a package that were stored when files in it were loaded, and will be again.
    """

    def __init__(
        self, module: ModuleType, record: Record, imported: frozenset[str], stored: frozenset[str] = frozenset()
    ) -> None:
        self.module = module
        self.names = dict(module.__dict__)
        self.shapes = record.shapes or {}
        self.members = record.members or {}
        self.classes = record.classes
        self.imported = imported
        self.stored = stored
