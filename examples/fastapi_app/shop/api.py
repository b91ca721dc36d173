"""The application, and the routes that it consists of."""

from __future__ import annotations

from fastapi import FastAPI

from shop.routes import orders, products

app = FastAPI(title="Shop")
app.include_router(products.router)
app.include_router(orders.router)
