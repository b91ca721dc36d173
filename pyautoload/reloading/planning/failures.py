"""What could not be applied so far: tried again with each change, and never in the way of other changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyautoload.reloading.records.signature import Signature, signature

if TYPE_CHECKING:
    from pyautoload.errors import ReloadError

__all__ = ["Failures"]


class Failures:
    """The files of failed attempts and the errors that were told of them."""

    def __init__(self) -> None:
        # File → its signature when it was tried. Example: {"/app/myapp/user.py": Signature(...)}
        self.paths: dict[str, Signature | None] = {}
        # What was told and still holds.
        self.errors: list[ReloadError] = []

    def __bool__(self) -> bool:
        return bool(self.paths)

    def note(self, paths: Iterable[str], error: ReloadError | None = None) -> None:
        """These files could not be applied.

        Args:
            paths: the files.
            error: why, if that is to be told.
        """
        for path in paths:
            self.paths[path] = signature(path)
        if error is not None and not self.knows(error):
            self.errors.append(error)

    def knows(self, error: ReloadError) -> bool:
        """Whether an error was told before."""
        return any(str(error) == str(known) for known in self.errors)

    def not_told(self, errors: Iterable[ReloadError]) -> None:
        """Nobody was told of these: whoever meets them again tells."""
        held = list(errors)
        self.errors = [known for known in self.errors if known not in held]

    def unchanged(self) -> set[str]:
        """The files that are as they were when they failed."""
        return {path for path, stamp in self.paths.items() if signature(path) == stamp}

    def clear(self) -> None:
        """Everything is applied."""
        self.paths.clear()
        self.errors.clear()
