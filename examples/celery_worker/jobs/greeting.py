"""A greeting."""

from __future__ import annotations


class Greeting:
    """What is said to somebody."""

    def __init__(self, name: str) -> None:
        self.name = name

    def text(self) -> str:
        """It, in words."""
        return f"Hello {self.name}"
