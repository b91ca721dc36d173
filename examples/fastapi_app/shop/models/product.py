"""A product."""

from __future__ import annotations

from pydantic import BaseModel


class Product(BaseModel):
    """Something to buy."""

    name: str
    price: float

    def label(self) -> str:
        """How it is called in a bill."""
        return f"{self.name}: {self.price:.2f}"
