"""A note."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Note:
    """What somebody wrote down."""

    text: str

    def title(self) -> str:
        """The first words of it."""
        return " ".join(self.text.split()[:3])
