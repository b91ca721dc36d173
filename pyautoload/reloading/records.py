"""Records: what is kept of every loaded module, so that a change can be told from what is loaded."""

from __future__ import annotations

import os
import sys
import threading
import time
import zlib
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import NamedTuple, cast

from pyautoload.importing.bytecode import cache_path, cached_code
from pyautoload.reloading.sources import CodeFacts, scan

__all__ = ["Record", "Records", "Signature", "signature"]

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class Signature(NamedTuple):
    """What tells cheaply that a file may have changed: any difference counts, older times too."""

    mtime_ns: int
    size: int
    inode: int


def signature(path: str) -> Signature | None:
    """The signature of a file, ``None`` where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino)


class Record:
    """One loaded module.

    Attributes:
        name: its module name.
        path: its file.
        code: the code object that was executed; functions of the module share its constants.
        source: the text that the code came from, ``None`` where that is not known for sure.
        stamp: the file's signature when the source was read.
        order: when its execution ended, among all records: dependencies come before their dependents.
        facts: what the code imports and uses; made when first needed.
        files: other files that were read while it was imported, with their signatures.
    """

    __slots__ = ("_packed", "_source", "code", "facts", "files", "name", "order", "package", "path", "stamp")

    def __init__(self, name: str, path: str, code: CodeType | None, package: str) -> None:
        self.name = name
        self.path = path
        self.code = code
        self.package = package
        self._source: bytes | None = None
        # Whether the source is kept compressed.
        self._packed = False
        self.stamp: Signature | None = None
        self.order = 0
        self.facts: CodeFacts | None = None
        self.files: dict[str, Signature | None] | None = None

    def __repr__(self) -> str:
        return f"<Record {self.name} from {self.path}>"

    @property
    def source(self) -> bytes | None:
        """The text that the code came from."""
        if self._packed and self._source is not None:
            return zlib.decompress(self._source)
        return self._source

    @source.setter
    def source(self, source: bytes | None) -> None:
        self._source, self._packed = source, False

    def pack(self) -> None:
        """Keep the source in less room: it is needed only when its file changes."""
        if not self._packed and self._source is not None:
            self._source, self._packed = zlib.compress(self._source, 1), True

    @property
    def is_source(self) -> bool:
        """Whether the module came from source, so that it can be reloaded."""
        return self.path.endswith(".py")

    def scanned(self) -> CodeFacts:
        """The facts of the code."""
        if self.facts is None:
            self.facts = scan(self.code, self.package) if self.code is not None else _NOTHING
        return self.facts

    def take(self, code: CodeType, source: bytes, stamp: Signature | None) -> None:
        """The module runs another code from now on."""
        self.code, self.source, self.stamp, self.facts = code, source, stamp, None


_NOTHING = scan(compile("", "", "exec"), "")


class Records:
    """The records of all loaded modules, filled by the loader while it executes them."""

    def __init__(self) -> None:
        # Module name → record, in the order in which execution ended.
        self._records: dict[str, Record] = {}
        # Names that the graph has not looked at yet, in the order of loading.
        self.fresh: list[str] = []
        self._count = 0
        # What each thread is executing just now, innermost last. Example: ["myapp.models.user"]
        self._running = threading.local()
        # File → module. Example: {"/app/myapp/user.py": "myapp.user"}
        self.by_path: dict[str, str] = {}
        # When the last record came, by the monotonic clock.
        self.last = 0.0
        # Called when there is something new to look at.
        self.on_fresh: Callable[[], object] = lambda: None
        # Path → modules that read that file while they were imported. Example: {"/app/conf.json": {"myapp.conf"}}
        self.readers: dict[str, set[str]] = {}

    # Called by the loader

    def begin(self, name: str, path: str, code: CodeType, mtime_ns: int | None, *, is_package: bool) -> None:
        """A module's code is about to be executed."""
        record = Record(name, path, code, name if is_package else name.rpartition(".")[0])
        try:
            descriptor = os.open(path, _READ)  # the quick way: this is done for each module that is loaded
            try:
                status = os.fstat(descriptor)
                if status.st_mtime_ns == mtime_ns:
                    record._source = os.read(descriptor, status.st_size + 1)
                    record.stamp = Signature(status.st_mtime_ns, status.st_size, status.st_ino)
            finally:
                os.close(descriptor)
        except OSError:
            record.stamp = None
        stack = getattr(self._running, "stack", None)
        if stack is None:
            stack = self._running.stack = []
        stack.append(record)

    def end(self, *, loaded: bool) -> None:
        """The execution that began last in this thread has ended."""
        record = cast(Record, self._running.stack.pop())
        if loaded:
            self.add(record)

    # Kept up to date by the engine

    def add(self, record: Record) -> None:
        """Keep a record, in place of an earlier one of the same name."""
        self._records.pop(record.name, None)
        self._count += 1
        record.order = self._count
        self._records[record.name] = record
        self.by_path[record.path] = record.name
        self.last = time.monotonic()
        self.fresh.append(record.name)
        if len(self.fresh) == 1:
            self.on_fresh()
        for path in record.files or ():
            self.readers.setdefault(path, set()).add(record.name)

    def adopt(self, name: str, path: str, mtime_ns: int) -> Record:
        """Make the record of a module that was loaded before reloading was enabled; ``complete`` gets its source."""
        module = sys.modules.get(name)
        is_package = isinstance(module, ModuleType) and hasattr(module, "__path__")
        record = Record(name, path, None, name if is_package else name.rpartition(".")[0])
        record.stamp = Signature(mtime_ns, -1, -1)
        self.add(record)
        return record

    @staticmethod
    def complete(record: Record) -> None:
        """Get source and code of an adopted module, if its file is still the one that was loaded."""
        if record.source is not None or record.stamp is None or record.stamp.size != -1:
            return
        stamp = signature(record.path)
        if stamp is None or stamp.mtime_ns != record.stamp.mtime_ns:
            return
        if not record.is_source:
            record.stamp = stamp
            return
        try:
            with open(record.path, "rb") as file:
                source = file.read()
            code, _ = cached_code(record.path, cache_path(record.path), surely_fresh=True)
            if code is None:
                code = compile(source, record.path, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError):
            return
        record.code, record.source, record.stamp = code, source, stamp

    def forget(self, name: str) -> Record | None:
        """Drop a record: the module is not loaded any more."""
        record = self._records.pop(name, None)
        if record is not None and self.by_path.get(record.path) == name:
            del self.by_path[record.path]
        for path in (record.files if record else None) or ():
            self.readers.get(path, set()).discard(name)
        return record

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

    # What runs

    def is_executing(self) -> bool:
        """Whether this thread is in the middle of executing a managed module."""
        return bool(getattr(self._running, "stack", None))

    def run_as(self, record: Record) -> None:
        """The engine is about to execute code of a loaded module in this thread; to be ended with ``ran``."""
        stack = getattr(self._running, "stack", None)
        if stack is None:
            stack = self._running.stack = []
        stack.append(record)

    def ran(self) -> None:
        """What ``run_as`` began has ended."""
        record = self._running.stack.pop()
        for path in record.files or ():
            self.readers.setdefault(path, set()).add(record.name)

    def opened(self, path: str) -> None:
        """A file was opened for reading: if a managed module is being executed, it is one of its sources."""
        stack = getattr(self._running, "stack", None)
        if not stack:
            return
        record = stack[-1]
        if record.files is None:
            record.files = {}
        if path not in record.files:
            record.files[path] = signature(path)
