"""Products: a list, and a page for people."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from shop.models import Product
from shop.stock import STOCK

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def index() -> str:
    """The page."""
    items = "".join(f"<li>{product.label()}</li>" for product in STOCK.values())
    return f"<!doctype html><html><head><title>Shop</title></head><body><h1>Shop</h1><ul>{items}</ul></body></html>"


@router.get("/products")
def products() -> list[Product]:
    """All products."""
    return list(STOCK.values())
