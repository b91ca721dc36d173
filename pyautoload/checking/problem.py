"""Problem: one thing that is wrong, or worth knowing, with its place and its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyautoload.printable import printable

__all__ = ["ERROR", "KINDS", "NOTE", "WARNING", "Problem"]

ERROR, WARNING, NOTE = "error", "warning", "note"

# Kind → what it means. Errors and warnings are findings; a note is for information.
KINDS: dict[str, str] = {
    "expected-name": "a file does not define its expected name",
    "invalid-name": "the stem of a file or directory cannot be a name",
    "conflict": "two files claim the same name",
    "left-out": "an entry that cannot be read, or is neither a file nor a directory",
    "shadowed": "a file whose name another one took",
    "syntax": "a file that Python cannot compile",
    "import": "a module that cannot be imported",
    "crash": "a module whose import ends the process, or never ends",
    "unknown-name": "an import of a managed name that no file stands for",
    "cycle": "modules that import each other in a circle, and fail",
    "tolerated-cycle": "modules that import each other in a circle, and work",
    "lazy-effect": "a file that changes something outside of itself when it is imported, and is imported lazily",
    "dead-pattern": "a pattern or rule that matches nothing",
}


@dataclass(frozen=True)
class Problem:
    """One problem.

    Attributes:
        kind: one of ``KINDS``.
        severity: ``"error"``, ``"warning"`` or ``"note"``.
        message: what is wrong, one sentence.
        path: the file or directory, if there is one.
        line: the line there.
        module: the module name, if it is about one.
        remedy: what to do about it.
        details: further lines, such as the steps of a cycle or the end of a traceback.
    """

    kind: str
    severity: str
    message: str
    path: str | None = None
    line: int | None = None
    module: str | None = None
    remedy: str = ""
    details: tuple[str, ...] = ()

    @property
    def is_finding(self) -> bool:
        """Whether this is more than a note."""
        return self.severity != NOTE

    @property
    def place(self) -> str:
        """``path:line``, as far as they are known."""
        return f"{self.path or self.module or 'configuration'}{f':{self.line}' if self.line else ''}"

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.severity}: {self.message} [{self.kind}]", *(f"    {d}" for d in self.details)]
        return "\n".join(map(printable, [*lines, f"    {self.remedy}"] if self.remedy else lines))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "module": self.module,
            "remedy": self.remedy,
            "details": list(self.details),
        }
