"""Records: what is kept of every loaded module, so that a change can be told from what is loaded."""

from __future__ import annotations

import dis
import os
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import NamedTuple, cast

from pyautoload.importing.bytecode import cache_path, cached_code
from pyautoload.reloading.codefacts import CodeFacts, scan
from pyautoload.reloading.shells import shell_of, whole_code
from pyautoload.reloading.sourcestore import Block
from pyautoload.sources import FILE_SYSTEM, source_for

__all__ = ["Record", "Records", "Signature", "signature", "signature_of"]

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
# A file that was changed less than so many ns ago may be changed again without a trace in its times, which some file
# systems keep in steps of two seconds.
_SURELY_OLD_NS = 3_000_000_000


class Signature(NamedTuple):
    """What tells cheaply that a file may have changed: any difference counts, older times too.

    ``changed_ns`` is when the system last noted a change of the file: it cannot be set back as ``mtime_ns`` can.
    """

    mtime_ns: int
    size: int
    inode: int
    changed_ns: int


def signature(path: str) -> Signature | None:
    """The signature of a file, ``None`` where there is none."""
    place = source_for(path)
    try:
        return signature_of(os.stat(path)) if place is FILE_SYSTEM else Signature(*place.stat(path), 0, 0)
    except OSError:
        return None


def signature_of(status: os.stat_result) -> Signature:
    """The signature of a file whose status is known."""
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)


class Record:
    """One loaded module.

    Attributes:
        name: its module name.
        path: its file.
        code: the code object that was executed; functions of the module share its constants.
        source: the text that the code came from, ``None`` where that is not known for sure.
        stamp: the file's signature when the source was read.
        is_pending: whether source, or even code, can still be got from the file while that is what it was.
        order: when its execution ended, among all records: dependencies come before their dependents.
        facts: what the code imports and uses; made when first needed.
        files: other files that were read while it was imported, with their signatures.
    """

    __slots__ = (
        "_code",
        "_functions",
        "_source",
        "facts",
        "files",
        "is_pending",
        "name",
        "order",
        "package",
        "path",
        "stamp",
    )

    def __init__(self, name: str, path: str, code: CodeType | None, package: str) -> None:
        self.name = name
        self.path = path
        self._code: CodeType | Block | None = code
        # The functions that belong to code which is kept in a block.
        self._functions: tuple[CodeType, ...] = ()
        self.package = package
        self._source: bytes | Block | None = None
        self.stamp: Signature | None = None
        self.is_pending = False
        self.order = 0
        self.facts: CodeFacts | None = None
        self.files: dict[str, Signature | None] | None = None

    def __repr__(self) -> str:
        return f"<Record {self.name} from {self.path}>"

    @property
    def code(self) -> CodeType | None:
        """The code object."""
        kept = self._code
        if isinstance(kept, Block):
            # From here on it is as if it had never been taken apart: who counts references to functions relies on that.
            self.code = kept = whole_code(kept.text(self.name), self._functions)
        return kept

    @code.setter
    def code(self, code: CodeType | None) -> None:
        self._code, self._functions = code, ()

    @property
    def source(self) -> bytes | None:
        """The text that the code came from."""
        kept = self._source
        return kept.text(self.name) if isinstance(kept, Block) else kept

    @source.setter
    def source(self, source: bytes | None) -> None:
        self._source, self.is_pending = source, False

    @property
    def is_source(self) -> bool:
        """Whether the module came from source, so that it can be reloaded."""
        return self.path.endswith(".py")

    def scanned(self) -> CodeFacts:
        """The facts of the code."""
        if self.facts is None:
            self.facts = scan(self.code, self.package) if self.code is not None else _NOTHING
        return self.facts

    def bound(self) -> set[str]:
        """The names that the code binds at module level: what is known where the source is not."""
        if self.code is None:
            return set()
        return {
            str(item.argval)
            for item in dis.get_instructions(self.code)
            if item.opname in ("STORE_NAME", "STORE_GLOBAL") and str(item.argval)[:2] != "__"
        }

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
        # Whether sources may be read some time after loading: somebody calls `tidy` when there is time.
        self.defers = False
        # Records whose sources are still to be read, or to be compressed.
        self.untidy: list[Record] = []
        # When the first of them came, by the monotonic clock.
        self.untidy_since = 0.0
        # Records whose code takes all its room.
        self.roomy: list[Record] = []
        self._last_package = ""

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
        if self.defers and status is not None and _is_surely_old(status):
            # Read when there is time: this is done for each module that is loaded. If the file is written before that,
            # its times will tell, and the module counts as one whose old source is not known.
            record.stamp, record.is_pending = signature_of(status), True
        else:
            _read_now(record, mtime_ns)
        stack = getattr(self._running, "stack", None)
        if stack is None:
            stack = self._running.stack = []
        stack.append(record)

    def _package_of(self, name: str) -> str:
        package = name.rpartition(".")[0]
        if package == self._last_package:
            return self._last_package  # one object for all modules of a package
        self._last_package = package
        return package

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
        if self.defers:
            if not self.untidy:
                self.untidy_since = self.last
            self.untidy.append(record)
            self.roomy.append(record)
        self.fresh.append(record.name)
        if len(self.fresh) == 1:
            self.on_fresh()
        if record.files:
            for path in record.files:
                self.readers.setdefault(path, set()).add(record.name)

    def adopt(self, name: str, path: str, mtime_ns: int) -> Record:
        """Make the record of a module that was loaded before reloading was enabled; ``complete`` gets its source."""
        module = sys.modules.get(name)
        is_package = isinstance(module, ModuleType) and hasattr(module, "__path__")
        record = Record(name, path, None, name if is_package else self._package_of(name))
        record.stamp, record.is_pending = Signature(mtime_ns, -1, -1, -1), True
        self.add(record)
        return record

    @staticmethod
    def complete(record: Record) -> None:
        """Get what is missing of a record, if its file is still the one that was loaded."""
        known = record.stamp
        if not record.is_pending or known is None:
            return
        if source_for(record.path) is not FILE_SYSTEM:
            _read_mounted(record, known.mtime_ns)
            return
        try:
            descriptor = os.open(record.path, _READ)
            try:
                stamp = signature_of(os.fstat(descriptor))
                source = os.read(descriptor, stamp.size + 1) if record.is_source else None
                after = signature_of(os.fstat(descriptor))
            finally:
                os.close(descriptor)
        except OSError:
            return
        if stamp != after or (stamp != known if known.size != -1 else stamp.mtime_ns != known.mtime_ns):
            return
        if record.code is None and source is not None:
            code, _ = cached_code(record.path, cache_path(record.path), surely_fresh=True)
            try:
                record.code = code or compile(source, record.path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                return
        if stamp != known:
            record.stamp = stamp
        record.source = source

    def tidy(self, limit: int) -> None:
        """Read sources that were put off, and keep those that are there in less room.

        Args:
            limit: at most so many.
        """
        # A copy of the head, then cut: another thread may add to the end meanwhile.
        some = self.untidy[:limit]
        del self.untidy[: len(some)]
        for record in some:
            self.complete(record)
        whole = [record for record in some if isinstance(record._source, bytes)]
        if len(whole) > 1:
            block = Block([record.name for record in whole], [cast(bytes, record._source) for record in whole])
            for record in whole:
                record._source = block

    def shrink(self, limit: int) -> None:
        """Keep code in less room; nothing that is asked for changes, but it takes a little longer.

        Args:
            limit: of so many records at most.
        """
        # From the end, as the graph looks at them: what is given free is taken for the next ones.
        some = self.roomy[-limit:]
        del self.roomy[-limit:]
        whole = [record for record in some if isinstance(record._code, CodeType)]
        if len(whole) < 2:
            return
        shells = [shell_of(cast(CodeType, record._code)) for record in whole]
        block = Block([record.name for record in whole], [shell for shell, _ in shells])
        for record, (_, functions) in zip(whole, shells, strict=True):
            record._code, record._functions = block, functions

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


def _is_surely_old(status: os.stat_result) -> bool:
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SURELY_OLD_NS


def _read_mounted(record: Record, mtime_ns: int | None) -> None:
    """Get what is missing of a record whose file lies in a mounted source."""
    place, path = source_for(record.path), record.path
    try:
        before, source, after = signature(path), place.read(path), signature(path)
    except OSError:
        record.stamp = None
        return
    if before is None or before != after or mtime_ns not in (None, before.mtime_ns):
        return
    if record.code is None:
        try:
            record.code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return
    record.stamp, record.source = before, source


def _read_now(record: Record, mtime_ns: int | None) -> None:
    if source_for(record.path) is not FILE_SYSTEM:
        _read_mounted(record, mtime_ns)
        return
    try:
        descriptor = os.open(record.path, _READ)
        try:
            status = os.fstat(descriptor)
            if status.st_mtime_ns == mtime_ns:
                record._source = os.read(descriptor, status.st_size + 1)
                record.stamp = signature_of(status)
        finally:
            os.close(descriptor)
    except OSError:
        record.stamp = None
