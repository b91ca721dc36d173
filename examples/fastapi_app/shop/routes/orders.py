"""Orders."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from shop.models import Order
from shop.stock import STOCK

router = APIRouter(prefix="/orders")


@router.post("")
async def order(order: Order) -> dict[str, float]:
    """Say what an order costs."""
    product = STOCK.get(order.product)
    if product is None:
        raise HTTPException(404, f"no {order.product} in stock")
    return {"total": product.price * order.amount}
