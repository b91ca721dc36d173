"""RestartNeeded: what ends an attempt that could not be shown to come out as a fresh process would."""

from __future__ import annotations

__all__ = ["RestartNeeded"]


class RestartNeeded(Exception):
    """A module cannot be reloaded; the others can."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"{module}: {reason}")
        self.module = module
        self.reason = reason
