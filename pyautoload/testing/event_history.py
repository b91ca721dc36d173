"""The journal: what has happened since somebody asked last, for ``pyautoload mcp``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyautoload.testing.run_report import Report

__all__ = ["Journal"]


class Journal(Report):
    """Keeps what is told, and passes it on.

    Args:
        inner: who tells people.
    """

    def __init__(self, inner: Report) -> None:
        super().__init__()
        self.inner = inner
        # File, test → a dictionary for its order.
        self._reloaded: dict[str, None] = {}
        self._broken: dict[str, str] = {}
        self._reasons: dict[str, list[str]] = {}
        self._everything: str | None = None
        # Test → its last outcome.
        self._tested: dict[str, dict[str, Any]] = {}
        self._seconds = 0.0
        self._notes: list[str] = []

    def take(self) -> dict[str, Any]:
        """What has happened since the last time."""
        outcomes = [each["outcome"] for each in self._tested.values()]
        names = {"passed": "passed", "failed": "failed", "error": "errors", "skipped": "skipped"}
        found = {
            "reloaded": list(self._reloaded),
            "broken": self._broken,
            "selected": self._reasons,
            "everything": self._everything,
            "counts": {told: outcomes.count(outcome) for outcome, told in names.items()},
            "failed": [each for each in self._tested.values() if each["outcome"] in ("failed", "error")],
            "seconds": round(self._seconds, 4),
            "notes": self._notes,
        }
        self._reloaded, self._broken, self._reasons, self._everything = {}, {}, {}, None
        self._tested, self._seconds, self._notes = {}, 0.0, []
        return found

    def note(self, line: str) -> None:
        """Something to know."""
        self._notes = [*self._notes[-19:], line]
        self.inner.note(line)

    def reloaded(self, files: Sequence[str]) -> None:
        """Files have changed."""
        self._reloaded.update(dict.fromkeys(files))
        self._broken = {}
        self.inner.reloaded(files)

    def broken(self, files: Mapping[str, str]) -> None:
        """Files cannot be compiled."""
        self._broken = dict(files)
        self.inner.broken(files)

    def selected(self, reasons: Mapping[str, list[str]], of: int, everything: str | None) -> None:
        """What runs now."""
        self._reasons.update(reasons)
        self._everything = everything or self._everything
        self.inner.selected(reasons, of, everything)

    def tested(self, name: str, outcome: str, seconds: float, longrepr: str | None) -> None:
        """A test has run."""
        self._tested[name] = {"id": name, "outcome": outcome, "seconds": seconds, "longrepr": longrepr}
        self.inner.tested(name, outcome, seconds, longrepr)

    def trouble(self, output: str) -> None:
        """pytest did not come to its end."""
        self._notes = [*self._notes[-19:], output[-4000:]]
        self.inner.trouble(output)

    def ran(self, seconds: float, code: int) -> None:
        """A run is over."""
        self._seconds += seconds
        self.inner.ran(seconds, code)

    def waiting(self) -> None:
        """The next save is waited for."""
        self.inner.waiting()

    def idle(self, failing: Sequence[str], of: int) -> None:
        """Nothing is to run."""
        self.inner.idle(failing, of)
