"""Records: every loaded module, noted by the loader while it executes them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import CodeType, ModuleType
from typing import Any, cast

from pyautoload import log, reload_hooks
from pyautoload.printable import text_of
from pyautoload.reloading.code.code_packing import shell_of
from pyautoload.reloading.interrupts import is_interrupt
from pyautoload.reloading.objects.caches import has_caches
from pyautoload.reloading.objects.values import NOT_OWN, NOT_STATE, Shape, shape_of, shapes_of
from pyautoload.reloading.records.lookups import Lookups, entries_of
from pyautoload.reloading.records.own_files import OwnFiles
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.recording import Recorder
from pyautoload.reloading.records.signature import (
    Signature,
    is_surely_old,
    may_have_changed_since,
    signature,
    signature_of,
)
from pyautoload.reloading.records.source_reading import complete, read_now
from pyautoload.reloading.records.text_block import Block

__all__ = ["Records"]


class Records:
    """The records of all loaded modules, filled by the loader while it executes them."""

    def __init__(self, is_managed: Callable[[str], bool] = lambda path: True) -> None:
        # Module name → record, in the order in which execution ended.
        self._records: dict[str, Record] = {}
        # Names that the graph has not looked at yet, in the order of loading.
        self.fresh: list[str] = []
        self._count = self._begun = 0
        # What each thread is executing just now, innermost last. Example: ["myapp.models.user"]
        self._running = threading.local()
        # File → module. Example: {"/app/myapp/user.py": "myapp.user"}
        self.by_path: dict[str, str] = {}
        # When the last record came, by the monotonic clock.
        self.last = 0.0
        # Whether a module's dependencies are known already: it runs again, and what has changed is looked at for that.
        self.is_known_to_graph: Callable[[str], bool] = lambda name: False
        # Called when there is something new to look at.
        self.on_fresh: Callable[[], object] = lambda: None
        # Path → modules that read that file while they were imported. Example: {"/app/conf.json": {"myapp.conf"}}
        self.readers: dict[str, set[str]] = {}
        # What modules looked for and did not find, and the directories that they listed.
        self.lookups = Lookups()
        # What import-time code itself changes.
        self.own = OwnFiles()
        # Whether sources may be read some time after loading: somebody calls `tidy` when there is time.
        self.defers = False
        # Records whose sources are still to be read, or to be compressed.
        self.untidy: list[Record] = []
        # When the first of them came, by the monotonic clock.
        self.untidy_since = 0.0
        # Notes which functions run while modules are executed.
        self.recorder = Recorder(is_managed)
        # Objects whose shapes are known, so that who imports them need not look into them once more.
        self._shapes: dict[int, Shape] = {}
        # Records whose code takes all its room.
        self.roomy: list[Record] = []
        self._last_package = ""
        # Module → name → what it keeps when it runs again. Example: {"myapp.db": {"pool": <Pool>}}
        self._kept: dict[str, dict[str, Any]] = {}
        reload_hooks.add_host(self)

    # Called by the loader

    def begin(
        self,
        name: str,
        path: str,
        code: CodeType,
        mtime_ns: int | None,
        *,
        is_package: bool,
        status: os.stat_result | None = None,
    ) -> None:
        """A module's code is about to be executed.

        Args:
            name: its module name.
            path: its file.
            code: what is executed.
            mtime_ns: the time of the file that the code came from.
            is_package: whether it is a package.
            status: the file's status when the code was got, if it was asked for.
        """
        record = Record(name, path, code, name if is_package else self._package_of(name))
        if self.defers and status is not None and is_surely_old(status):
            # Read when there is time: this is done for each module that is loaded. If the file is written before that,
            # its times will tell, and the module counts as one whose old source is not known.
            record.stamp, record.is_pending = signature_of(status, path), True
        else:
            read_now(record, mtime_ns)
        stack = getattr(self._running, "stack", None)
        if stack is None:
            stack = self._running.stack = []
        stack.append(record)
        self._begun += 1
        record.begun = self._begun
        self.recorder.begin(record)

    def _package_of(self, name: str) -> str:
        package = name.rpartition(".")[0]
        if package == self._last_package:
            return self._last_package  # one object for all modules of a package
        self._last_package = package
        return package

    def end(self, *, loaded: bool) -> None:
        """The execution that began last in this thread has ended."""
        record = cast(Record, self._running.stack.pop())
        self.recorder.end()
        record.missing = {
            name for name in record.missing or () if name[0] != "+" or name[1:] not in sys.modules
        } or None
        if loaded:
            if record.shapes is None:
                self.look_at(record)
            self.add(record)
        else:
            self._clean_up(record)
            self._kept.pop(record.name, None)
            self._note_failed(record)
        if not self._running.stack:
            self.own.settle(self.readers, self._records)

    def look_at(self, record: Record) -> None:
        """Note what a module's names hold, and the attributes of its classes."""
        module = sys.modules.get(record.name)
        if not isinstance(module, ModuleType):
            return
        record.shapes = shapes_of(module.__dict__, self._shapes)
        self.look_at_classes(record)

    def look_at_classes(self, record: Record) -> None:
        """Note a module's classes, what their attributes hold, and whether there are caches."""
        module = sys.modules.get(record.name)
        if not isinstance(module, ModuleType):
            return  # another thread has unloaded it meanwhile
        names = module.__dict__
        record.members = None
        record.has_caches = has_caches(names, record.name)
        found: dict[int, type] = {}
        for value in list(names.values()):
            if issubclass(type(value), type) and value.__module__ == record.name:
                self._look_at_class(record, value, found)
        record.classes = tuple(found.values())

    def _look_at_class(self, record: Record, cls: type, known: dict[int, type]) -> None:
        if id(cls) in known:
            return
        known[id(cls)] = cls
        found: dict[str, Any] = {}
        for name, value in list(vars(cls).items()):
            kind = type(value)
            if kind in NOT_STATE or name in NOT_OWN:
                continue
            if issubclass(kind, type):
                if value.__module__ == record.name and value.__qualname__.startswith(f"{cls.__qualname__}."):
                    self._look_at_class(record, value, known)
                continue
            found[name] = shape_of(value)
        if found:
            if record.members is None:
                record.members = {}
            record.members.setdefault(cls.__qualname__, found)

    def executing(self) -> Record | None:
        """The module that this thread is executing, the innermost one."""
        stack = getattr(self._running, "stack", None)
        return stack[-1] if stack else None

    # What modules ask for while they are executed

    def executing_name(self) -> str | None:
        """The module that this thread is executing, the innermost one."""
        record = self.executing()
        return record.name if record is not None else None

    def add_cleanup(self, function: Callable[[], object]) -> None:
        """Call a function before the module that this thread is executing runs again, or goes."""
        record = self.executing()
        if record is None:
            return
        if record.cleanups is None:
            record.cleanups = []
        record.cleanups.append(function)

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """What the module that this thread is executing keeps under a name, made where it is not there yet."""
        record = self.executing()
        if record is None:
            return make()
        kept = self._kept.setdefault(record.name, {})
        if name not in kept:
            kept[name] = make()
        return kept[name]

    def clean_up(self, name: str) -> None:
        """Call what a module asked to be called before it runs again, the last first, each once."""
        record = self._records.get(name)
        if record is not None:
            self._clean_up(record)

    def _clean_up(self, record: Record) -> None:
        while record.cleanups:
            function = record.cleanups.pop()
            try:
                function()
            except BaseException as error:
                if is_interrupt(error):
                    raise
                kind = type(error).__name__
                log.warning(record.name, "clean-up %r failed: %s: %s", function, kind, text_of(error))

    def goes(self, name: str) -> None:
        """A module is about to be unloaded: what it asked for is called, what it keeps is given up."""
        self.clean_up(name)
        self.give_up_kept(name)
        record = self._records.get(name)
        if record is not None:
            record.cleanups = None

    def give_up_kept(self, name: str) -> None:
        """A module is there no more: what it keeps goes with it."""
        self._kept.pop(name, None)

    def all_kept(self) -> dict[str, dict[str, Any]]:
        """What all modules keep, as it is now."""
        return {name: dict(kept) for name, kept in self._kept.items()}

    def put_back_kept(self, kept: dict[str, dict[str, Any]]) -> None:
        """What all modules keep is what it was, as ``all_kept`` gave it."""
        self._kept = kept

    # Kept up to date by the engine

    def add(self, record: Record) -> None:
        """Keep a record, in place of an earlier one of the same name."""
        self._records.pop(record.name, None)
        self._count += 1
        record.order = self._count
        record.begun = record.begun or self._begun
        self._records[record.name] = record
        self.by_path[record.path] = record.name
        self.last = time.monotonic()
        if self.defers:
            if not self.untidy:
                self.untidy_since = self.last
            self.untidy.append(record)
            self.roomy.append(record)
        if not self.is_known_to_graph(record.name):
            self.fresh.append(record.name)
            if len(self.fresh) == 1:
                self.on_fresh()
        if record.files:
            for path in record.files:
                self.readers.setdefault(path, set()).add(record.name)
        self.lookups.add(record)

    def adopt(self, name: str, path: str, mtime_ns: int, *, at_once: bool = False) -> Record:
        """Make the record of a module that was loaded before reloading was enabled.

        Args:
            name: of the module.
            path: its file.
            mtime_ns: when that was changed last.
            at_once: whether its source is read now, and not when there is time or need.
        """
        module = sys.modules.get(name)
        is_package = isinstance(module, ModuleType) and hasattr(module, "__path__")
        record = Record(name, path, None, name if is_package else self._package_of(name))
        record.stamp, record.is_pending = Signature(mtime_ns, -1, -1, -1), True
        record.is_adopted = True
        if at_once:
            complete(record)
        self.look_at(record)
        if may_have_changed_since(path):
            record.stamp, record.is_pending = None, False  # it runs again: nothing shows what is loaded of it
        self.add(record)
        return record

    def tidy(self, limit: int) -> None:
        """Read sources that were put off, and keep those that are there in less room.

        Args:
            limit: at most so many.
        """
        # A copy of the head, then cut: another thread may add to the end meanwhile.
        some = self.untidy[:limit]
        del self.untidy[: len(some)]
        some = self._current(some)
        for record in some:
            complete(record)
        whole = [(record, source) for record in some if (source := record.whole_source) is not None]
        if len(whole) > 1:
            block = Block([record.name for record, _ in whole], [source for _, source in whole])
            for record, _ in whole:
                record.pack_source(block)

    def shrink(self, limit: int) -> None:
        """Keep code in less room; nothing that is asked for changes, but it takes a little longer.

        Args:
            limit: of so many records at most.
        """
        # From the end, as the graph looks at them: what is given free is taken for the next ones.
        some = self.roomy[-limit:]
        del self.roomy[-limit:]
        whole = [(record, code) for record in self._current(some) if (code := record.unpacked_code) is not None]
        if len(whole) < 2:
            return
        shells = [shell_of(code) for _, code in whole]
        block = Block([record.name for record, _ in whole], [shell for shell, _ in shells])
        for (record, _), (_, functions) in zip(whole, shells, strict=True):
            record.pack_code(block, functions)

    def _current(self, records: Iterable[Record]) -> list[Record]:
        """Those that stand for their module now, each once: a block tells texts apart by the names of modules."""
        return list({record.name: record for record in records if self._records.get(record.name) is record}.values())

    def forget(self, name: str) -> Record | None:
        """Drop a record: the module is not loaded any more."""
        record = self._records.pop(name, None)
        if record is not None and self.by_path.get(record.path) == name:
            del self.by_path[record.path]
        for path in (record.files if record else None) or ():
            self.readers.get(path, set()).discard(name)
        if record is not None:
            self.lookups.forget(record)
        return record

    def rename_codes(self, pairs: list[tuple[CodeType, CodeType]]) -> None:
        """What was noted of one code object holds for another one.

        Args:
            pairs: the one that was noted, and the one that stands for it now.
        """
        by_id = {id(before): now for before, now in pairs if before is not now}
        for record in self._records.values():
            for code in by_id.keys() & record.ran.keys() if record.ran else ():
                del record.ran[code]  # type: ignore[union-attr]
                record.ran[id(by_id[code])] = by_id[code]  # type: ignore[index]
            for code in by_id.keys() & record.reads.keys() if record.reads else ():
                _, deep = record.reads.pop(code)  # type: ignore[union-attr]
                record.reads[id(by_id[code])] = (by_id[code], deep)  # type: ignore[index]

    def order_of(self, name: str) -> int:
        """When a module was loaded, among all others; 0 for one that is not."""
        record = self._records.get(name)
        return record.order if record is not None else 0

    def put_back(self, record: Record, order: int) -> None:
        """Keep a record that was forgotten again.

        Args:
            record: the record.
            order: which it had.
        """
        self.add(record)
        record.order = order

    def get(self, name: str) -> Record | None:
        """The record of a module."""
        return self._records.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def __len__(self) -> int:
        return len(self._records)

    def all(self) -> list[Record]:
        """Every record, in the order of loading."""
        return list(self._records.values())

    def renew_shapes(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        """A module has run again: what it held is not kept for those who import it.

        Args:
            before: the shapes of its values.
            now: the same, as it is now.
        """
        for shape in before.values():
            if type(shape) is Shape and self._shapes.get(id(shape.value)) is shape:
                del self._shapes[id(shape.value)]
        for shape in now.values():
            if type(shape) is Shape:
                self._shapes[id(shape.value)] = shape

    # What runs

    def is_executing(self) -> bool:
        """Whether this thread is in the middle of executing a managed module."""
        return bool(getattr(self._running, "stack", None))

    def making(self) -> AbstractContextManager[None]:
        """While this thread makes something that the program is made of, an application say."""
        return self.own.made_here(self.readers, self._records)

    def changes(self, path: str) -> None:
        """A file or directory is about to be changed by what this thread executes."""
        stack = getattr(self._running, "stack", None) or ()
        writers = [record.name for record in stack]
        self.own.change(path, writers, is_read=path in self.readers or any(path in (r.files or ()) for r in stack))

    def opened(self, path: str) -> None:
        """A file was opened for reading: if a managed module is being executed, it is one of its sources."""
        stack = getattr(self._running, "stack", None)
        if not stack:
            return
        record = stack[-1]
        if record.files is None:
            record.files = {}
        if path not in record.files and not os.path.isdir(path):  # a directory is opened in order to clear it
            record.files[path] = signature(path)

    def missed(self, name: str) -> None:
        """A managed module was looked for, and there is none: whoever is being executed may do so without it.

        Args:
            name: of the module; with a plus sign in front it was found. Who found it without loading it goes by that.
        """
        record = self.executing()
        if record is not None:
            if record.missing is None:
                record.missing = set()
            record.missing.add(name)

    def listed(self, directory: str) -> None:
        """A directory was listed: if a managed module is being executed, it goes by what lies there."""
        record = self.executing()
        if record is not None and self.recorder.manages(directory):
            if record.listings is None:
                record.listings = {}
            if directory not in record.listings:
                record.listings[directory] = entries_of(directory)

    def _note_failed(self, record: Record) -> None:
        """A module could not be imported: whoever goes on without it depends on its file, and on what that needs."""
        outer = self.executing()
        if outer is None:
            return
        if outer.files is None:
            outer.files = {}
        for path, stamp in {record.path: signature(record.path), **(record.files or {})}.items():
            outer.files.setdefault(path, stamp)
        for name in record.missing or ():
            self.missed(name)
        for directory in record.listings or ():
            self.listed(directory)
