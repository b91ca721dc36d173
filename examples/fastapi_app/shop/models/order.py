"""An order."""

from __future__ import annotations

from pydantic import BaseModel


class Order(BaseModel):
    """So many of a product."""

    product: str
    amount: int = 1
