"""Record: what is kept of one loaded module, so that a change can be told from what is loaded."""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import CodeType
from typing import Any

from pyautoload.reloading.code.code_packing import whole_code
from pyautoload.reloading.code.codefacts import CodeFacts, scan
from pyautoload.reloading.records.signature import Signature
from pyautoload.reloading.records.text_block import Block

__all__ = ["Record"]


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
        begun: when its execution began, among all records: packages come before what is in them.
        facts: what the code imports and uses; made when first needed.
        files: other files that were read while it was imported, with their signatures.
        missing: names of managed modules that were looked for meanwhile and not found; with a plus sign in front those
            that were found and not loaded.
        listings: directories that were listed meanwhile, with their entries.
        ran: functions that ran meanwhile, by the id of their code.
        reads: functions whose code was looked at meanwhile, and whether by somebody who may care for what it does.
        outside: line → what it did there that can neither be taken back nor be done twice.
        shapes: what its names held when its code had run.
        has_caches: whether it holds functions under ``lru_cache``.
        classes: the classes that the module has made, those in classes included, in the order of its names.
        is_adopted: whether it was loaded before anybody recorded, so that anything may have run meanwhile.
        members: qualified name of a class → what its own attributes held then.
        cleanups: what it asked to be called before it runs again; empty where that was done, and its code has not run
            since; ``None`` where it asked for nothing.
    """

    __slots__ = (
        "_code",
        "_functions",
        "_source",
        "begun",
        "classes",
        "cleanups",
        "facts",
        "files",
        "has_caches",
        "is_adopted",
        "is_pending",
        "listings",
        "members",
        "missing",
        "name",
        "order",
        "outside",
        "package",
        "path",
        "ran",
        "reads",
        "shapes",
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
        self.begun = 0
        self.facts: CodeFacts | None = None
        self.files: dict[str, Signature | None] | None = None
        self.missing: set[str] | None = None
        self.listings: dict[str, frozenset[str]] | None = None
        self.ran: dict[int, CodeType] | None = None
        self.reads: dict[int, tuple[CodeType, bool]] | None = None
        self.outside: dict[int, str] | None = None
        self.shapes: dict[str, Any] | None = None
        self.members: dict[str, dict[str, Any]] | None = None
        self.classes: tuple[type, ...] = ()
        self.is_adopted = False
        self.has_caches = False
        self.cleanups: list[Callable[[], object]] | None = None

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
    def whole_source(self) -> bytes | None:
        """The source, unless it is kept in a block."""
        return self._source if isinstance(self._source, bytes) else None

    def pack_source(self, block: Block) -> None:
        """Keep the source in a block, which has it under the module's name."""
        self._source = block

    @property
    def unpacked_code(self) -> CodeType | None:
        """The code object, unless it is kept in a block."""
        return self._code if isinstance(self._code, CodeType) else None

    def pack_code(self, block: Block, functions: tuple[CodeType, ...]) -> None:
        """Keep the code in a block, which has its shell under the module's name.

        Args:
            block: the block.
            functions: the code objects that the shell leaves out.
        """
        self._code, self._functions = block, functions

    @property
    def is_source(self) -> bool:
        """Whether the module came from source, so that it can be reloaded."""
        return self.path.endswith(".py")

    def scanned(self) -> CodeFacts:
        """The facts of the code."""
        if self.facts is None:
            self.facts = scan(self.code, self.package) if self.code is not None else _NOTHING
        return self.facts

    @property
    def reaches_anywhere(self) -> bool:
        """Whether import-time code may have got hold of modules that it does not import by a statement."""
        facts = self.scanned()
        if not _ANYWHERE.isdisjoint(facts.attributes) or not _ANYWHERE.isdisjoint(facts.loads):
            return True
        return any(not _ANYWHERE.isdisjoint(code.co_names) for code in (self.ran or {}).values())

    def bound(self) -> set[str]:
        """The names that the code binds at module level: what is known where the source is not."""
        if self.code is None:
            return set()
        return {
            str(item.argval)
            for item in dis.get_instructions(self.code)
            if item.opname in ("STORE_NAME", "STORE_GLOBAL") and str(item.argval)[:2] != "__"
        }

    def take_over(self, former: Record) -> None:
        """The module has run the same code again: what is known of that stays."""
        self._code, self._functions = former._code, former._functions
        self._source, self.stamp, self.is_pending = former._source, former.stamp, former.is_pending
        self.facts = former.facts

    def take(self, code: CodeType, source: bytes, stamp: Signature | None) -> None:
        """The module runs another code from now on."""
        self.code, self.source, self.stamp, self.facts = code, source, stamp, None


# Ways to reach a module that the code does not import.
_ANYWHERE = frozenset({"import_module", "__import__", "modules", "import_string", "find_modules", "walk_packages"})
_NOTHING = scan(compile("", "", "exec"), "")
