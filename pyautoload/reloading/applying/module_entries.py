"""ModuleEntries: what surrounds a module: its entry in ``sys.modules``, its spec, its callbacks, its errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from pyautoload.errors import ReloadError
from pyautoload.importing.namespace_access import access_of
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records
from pyautoload.tree.naming import names_of

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["ModuleEntries", "relist_access"]


class ModuleEntries:
    """Deals with the import system's view of modules.

    Args:
        binder: of the loader.
        records: of the loaded modules.
    """

    def __init__(self, binder: Binder, records: Records) -> None:
        self.binder = binder
        self.records = records

    # Callbacks

    def fire_unload(self, record: Record) -> None:
        """Tell that a module's content is about to be replaced, while it can still be reached."""
        self._fire(self.binder.callbacks.unload, record)

    def _fire(self, hooks: Any, record: Record) -> None:
        module = sys.modules.get(record.name)
        if not hooks.wanted or module is None:
            return
        parent_name, _, stem = record.name.rpartition(".")
        actual = self.binder.defined_name(module, stem, record.path)
        expected = self.binder.expected(parent_name, actual, module)
        self.binder.callbacks.fire(hooks, record.name, module, expected, record.path)

    def stored_names(self, package: str) -> Iterator[str]:
        """The names that a package has because files in it were loaded: of each the one that it should define."""
        names = names_of(sys.modules.get(package))
        if "__path__" not in names:
            return
        space = self.binder.registry.namespace(package)
        for stem in [*space.modules, *space.subdirs] if space is not None else ():
            name = self.stored_name(full := f"{package}.{stem}")
            if name is not None and name in names and names[name] is names_of(sys.modules.get(full)).get(name):
                yield name

    def stored_name(self, name: str) -> str | None:
        """The name that a module is expected to define, if it does."""
        status = self.binder.registry.loaded_status(name)
        if status is None:
            return None
        return self.binder.defined_name(sys.modules.get(name), name.rpartition(".")[2], status.path)

    # Modules that go, and modules that come from another file

    def remove_module(self, name: str, journal: Journal) -> None:
        """Take a module whose file has gone out of ``sys.modules`` and off its package."""
        record, module = self.records.get(name), sys.modules.get(name)
        status = self.binder.registry.loaded_status(name)
        if record is not None:
            self.fire_unload(record)
            self.records.clean_up(name)
            self.records.give_up_kept(name)
            journal.note(lambda: self.records.add(record))
            self.records.forget(name)
        parent_name, _, stem = name.rpartition(".")
        parent = sys.modules.get(parent_name)
        if parent is not None and isinstance(module, ModuleType):
            names = parent.__dict__
            if names.get(stem) is module:
                journal.set_item(names, stem, MISSING)
            actual = self.binder.defined_name(module, stem, status.path if status else "")
            if actual is not None and names.get(actual) is module.__dict__[actual]:
                journal.set_item(names, actual, MISSING)
            relist_access(parent, self.binder)
        if status is not None:
            journal.note(lambda: self.binder.registry.mark_loaded(name, status.path, status.mtime_ns))
            self.binder.registry.mark_unloaded(name)
        if name in sys.modules:
            journal.set_item(sys.modules, name, MISSING)

    # Errors

    def located(self, error: BaseException, module: str) -> ReloadError:
        """The error with the module, file and line where it came from, as far as that is code of ours.

        Args:
            error: what was raised.
            module: whose code was being run.
        """
        line = None
        record = self.records.get(module)
        file = record.path if record is not None else None
        found = _last_of(error.__traceback__, self.records.by_path)
        if isinstance(error, SyntaxError) and error.filename:
            file, line = error.filename, error.lineno
            module = self.records.by_path.get(file, module)
        elif found is not None:
            file, line = found
            module = self.records.by_path.get(file, module)
        failure = ReloadError(module, file, line, error)
        failure.__cause__ = error
        return failure


def relist_access(parent: ModuleType, binder: Binder) -> None:
    """A package has lost a stored name: asking for it must come to us again."""
    access = access_of(parent, binder.tree)
    if access is not None:
        access.relisted()


def _last_of(traceback: TracebackType | None, paths: dict[str, str]) -> tuple[str, int] | None:
    found = None
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file in paths:
            found = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
