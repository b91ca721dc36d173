"""What ``pyautoload test`` tells: plain lines around what pytest prints, or JSON for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["JsonReport", "Report"]

# So many reasons are shown.
_SHOWN = 3


class Report:
    """Plain lines; pytest prints the outcomes itself.

    Args:
        is_telling_why: whether each test that is selected is named, with the reason.
    """

    def __init__(self, *, is_telling_why: bool = False) -> None:
        self.is_telling_why = is_telling_why
        self._counts = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}

    def note(self, line: str) -> None:
        """Something to know."""
        print(f"pyautoload: {line}", file=sys.stderr, flush=True)

    def reloaded(self, files: Sequence[str]) -> None:
        """Files have changed."""

    def broken(self, files: Mapping[str, str]) -> None:
        """Files cannot be compiled, so nothing runs, and the last outcomes stay."""
        for error in files.values():
            self.note(f"{error}; the last results stand")

    def selected(self, reasons: Mapping[str, list[str]], of: int, everything: str | None) -> None:
        """What runs now, and why."""
        self._counts = dict.fromkeys(self._counts, 0)
        if everything is not None:
            self.note(f"all tests: {everything}")
            return
        causes = list(dict.fromkeys(why for each in reasons.values() for why in each))
        more = f" and {len(causes) - _SHOWN} more" if len(causes) > _SHOWN else ""
        self.note(f"{len(reasons)} of {of}: {'; '.join(causes[:_SHOWN])}{more}")
        if self.is_telling_why:
            for name, each in reasons.items():
                self.note(f"  {name}: {', '.join(each)}")

    def tested(self, name: str, outcome: str, seconds: float, longrepr: str | None) -> None:
        """A test has run."""
        self._counts[outcome] += 1

    def trouble(self, output: str) -> None:
        """pytest did not come to its end; what it printed."""
        sys.stderr.write(output)

    def ran(self, seconds: float, code: int) -> None:
        """A run is over."""

    def waiting(self) -> None:
        """The next save is waited for."""
        self.note("waiting for the next save; press Ctrl-C to stop")

    def idle(self, failing: Sequence[str], of: int) -> None:
        """Nothing is to run."""
        state = f"{len(failing)} of {of} fail as before: {', '.join(failing[:_SHOWN])}" if failing else f"all {of} pass"
        self.note(f"no test is affected; {state}")


class JsonReport(Report):
    """An object a line."""

    def _tell(self, event: str, **content: Any) -> None:
        print(json.dumps({"event": event, **content}, ensure_ascii=True), flush=True)

    def reloaded(self, files: Sequence[str]) -> None:
        """Files have changed."""
        self._tell("reloaded", files=list(files))

    def broken(self, files: Mapping[str, str]) -> None:
        """Files cannot be compiled."""
        self._tell("broken", files=dict(files))

    def selected(self, reasons: Mapping[str, list[str]], of: int, everything: str | None) -> None:
        """What runs now."""
        self._counts = dict.fromkeys(self._counts, 0)
        self._tell("selected", count=len(reasons), of=of, everything=everything, reasons=dict(reasons))

    def tested(self, name: str, outcome: str, seconds: float, longrepr: str | None) -> None:
        """A test has run."""
        super().tested(name, outcome, seconds, longrepr)
        self._tell("test", id=name, outcome=outcome, seconds=seconds, longrepr=longrepr)

    def ran(self, seconds: float, code: int) -> None:
        """A run is over."""
        counts = self._counts
        self._tell(
            "run", passed=counts["passed"], failed=counts["failed"], errors=counts["error"],
            skipped=counts["skipped"], seconds=round(seconds, 4), exit=code,
        )  # fmt: skip

    def waiting(self) -> None:
        """Nothing to tell: what comes next is an event."""

    def idle(self, failing: Sequence[str], of: int) -> None:
        """Nothing is to run."""
        self._tell("selected", count=0, of=of, everything=None, reasons={})
        self._tell("run", passed=0, failed=0, errors=0, skipped=0, seconds=0.0, exit=1 if failing else 0)
