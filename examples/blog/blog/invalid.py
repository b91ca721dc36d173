"""The error of a record that does not pass its own validation."""

from __future__ import annotations

from collections.abc import Mapping


class Invalid(ValueError):
    """A record cannot be saved; ``errors`` says why, field by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{field} {reason}" for field, reason in errors.items()))
        self.errors = dict(errors)
