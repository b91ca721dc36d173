"""Record: what is kept of one loaded module, so that a change can be told from what is loaded."""

from __future__ import annotations

import dis
from types import CodeType

from pyautoload.reloading.codefacts import CodeFacts, scan
from pyautoload.reloading.shells import whole_code
from pyautoload.reloading.signature import Signature
from pyautoload.reloading.sourcestore import Block

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
