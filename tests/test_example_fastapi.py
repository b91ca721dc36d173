"""The FastAPI example: served by ``pyautoload serve``, edited, and looked at over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import copied, ran
from served import Served, served

pytest.importorskip("fastapi", reason="FastAPI is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
pytest.importorskip("click", reason="the command line needs click")

# Servers are started and files are edited, and waited for on machines that do much else.
pytestmark = pytest.mark.timeout(300)

STATUS = """
from fastapi import APIRouter

router = APIRouter()


@router.get("/status")
def status() -> dict[str, bool]:
    return {"open": True}
"""
TEA = {"product": "tea", "amount": 2}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    with served(copied("fastapi_app", tmp_path), "shop.api:app") as running:
        yield running


def test_views_and_models_are_live(shop: Served) -> None:
    assert shop.get("/orders", TEA).json == {"total": 9.0}
    shop.edit("shop/routes/orders.py", "* order.amount}", "* order.amount + 1}")
    shop.shows("10.0", "/orders", TEA)
    shop.edit("shop/models/product.py", "{self.price:.2f}", "{self.price:.2f} EUR")
    shop.shows("tea: 4.50 EUR")
    assert shop.started == 1


def test_a_new_field_is_checked_and_documented(shop: Served) -> None:
    assert "gift" not in shop.get("/openapi.json").text
    shop.edit("shop/models/order.py", "amount: int = 1", "amount: int = 1\n    gift: bool = False")
    shop.shows("gift", "/openapi.json")
    assert shop.get("/orders", {**TEA, "gift": "perhaps"}).status == 422
    assert shop.get("/orders", {**TEA, "gift": True}).json == {"total": 9.0}
    assert shop.started == 1


def test_another_parameter_and_another_route(shop: Served) -> None:
    file = "shop/routes/orders.py"
    shop.edit(file, "def order(order: Order)", "def order(order: Order, discount: float = 0)")
    shop.edit(file, "* order.amount}", "* order.amount - discount}")
    assert shop.shows("8.0", "/orders?discount=1", TEA).json == {"total": 8.0}
    assert shop.get("/orders?discount=much", TEA).status == 422
    text = (shop.directory / file).read_text(encoding="utf-8")
    shop.write(file, text + '\n\n@router.get("/none")\ndef none() -> list[str]:\n    return ["nothing"]\n')
    assert shop.shows("nothing", "/orders/none").status == 200
    assert shop.get("/orders", TEA).json == {"total": 9.0}


def test_a_new_file_of_routes_is_included(shop: Served) -> None:
    shop.write("shop/routes/status.py", STATUS)
    shop.edit("shop/api.py", "import orders, products", "import orders, products, status")
    api = (shop.directory / "shop/api.py").read_text(encoding="utf-8")
    shop.write("shop/api.py", api + "app.include_router(status.router)\n")
    assert shop.shows("open", "/status").json == {"open": True}
    assert shop.get("/orders", TEA).json == {"total": 9.0}
    assert shop.started == 1


def test_the_old_code_serves_until_a_mistake_is_mended(shop: Served) -> None:
    shop.edit("shop/routes/orders.py", "return {", "return {{")
    shop.printed("orders.py")
    assert shop.get("/orders", TEA).json == {"total": 9.0}
    shop.edit("shop/routes/orders.py", "return {{", "return {")
    shop.edit("shop/routes/orders.py", "* order.amount}", "* order.amount * 2}")
    shop.shows("18.0", "/orders", TEA)
    assert shop.started == 1


def test_it_is_loaded_as_a_whole_for_production(tmp_path: Path) -> None:
    code = "import asgi, sys; print('shop.routes.orders' in sys.modules, asgi.app.title)"
    assert ran(copied("fastapi_app", tmp_path), "-c", code).stdout.split() == ["True", "Shop"]
