"""The errors of lazy exports: what a statement says wrongly, and what it promises in vain."""

from __future__ import annotations

from pyautoload.errors import AutoloadError

__all__ = ["ExportError", "StatementError"]


class StatementError(AutoloadError, SyntaxError):
    """An export is not stated by an import statement that can be lazy.

    Attributes:
        filename, lineno, text: the file, the line and the statement, as every ``SyntaxError`` has them. The line counts
            from the start of the exports where their text is not found in the file.
    """

    def __init__(self, package: str, reason: str, filename: str, line: int, statement: str) -> None:
        super().__init__(f"bad export of {package}: {reason}", (filename, line or None, None, statement or None))

    def __str__(self) -> str:
        shown = f": `{self.text}`" if self.text else ""
        return f"{self.msg} ({self.filename}, line {self.lineno}){shown}"


class ExportError(AutoloadError, ImportError):
    """A module was loaded for an export and has no such name.

    Attributes:
        statement: the statement that exports the name.
        line: its line in the exports.
    """

    def __init__(
        self, module: str, attribute: str, path: str | None, partial: bool, statement: str, where: str
    ) -> None:
        state = "still being imported (a circular import)" if partial else "loaded"
        remedy = (
            "import it inside the function that needs it" if partial else "define it there or correct the statement"
        )
        super().__init__(
            f"cannot import name {attribute!r} from {module!r} ({path or 'unknown location'}), which is {state}; "
            f"exported by `{statement}` ({where}): {remedy}",
            name=module,
            path=path,
        )
        self.statement = statement
