"""Tracebacks go from the line that asks for a name to the line that fails, by whatever way it is asked for."""

from __future__ import annotations

import traceback

import pytest

from pyautoload import AutoLoader

FILES = {
    "shop/order.py": "from shop import Item\n\n\nclass Order: pass\n",
    "shop/item.py": "from shop import price\n\n\nclass Item: pass\n",
    "shop/price.py": "raise ValueError('no price')\n",
    "plain/__init__.py": "from pyautoload import lazy\n\n"
    "__getattr__, __dir__, __all__ = lazy.exports(__name__, 'from .order import Order')\n",
    "plain/order.py": "raise ValueError('no price')\n\n\nclass Order: pass\n",
}


def places(error: BaseException) -> list[str]:
    """The names of the files that a traceback shows."""
    return [frame.filename.rpartition("/")[2] for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("ask", ["shop.Order", "shop.order", "getattr(shop, 'Order')"])
def test_an_attribute_shows_nothing_but_files(tree, ask):
    tree(FILES)
    AutoLoader("shop").setup()
    import shop

    with pytest.raises(ValueError, match="no price") as caught:
        eval(ask, {"shop": shop})
    shown = places(caught.value)
    assert shown[-3:] == ["order.py", "item.py", "price.py"]
    assert len([place for place in shown if place.startswith("<frozen")]) <= 1
    assert caught.value.__context__ is None
    assert caught.value.__suppress_context__ is False


def test_a_name_that_is_not_there_shows_one_frame(tree):
    tree(FILES)
    AutoLoader("shop").setup()
    import shop

    with pytest.raises(AttributeError) as caught:
        shop.nothing  # noqa: B018
    assert len(places(caught.value)) <= 2


def test_lazy_exports_show_one_frame(tree, monkeypatch):
    monkeypatch.syspath_prepend(tree(FILES))
    import plain

    with pytest.raises(ValueError, match="no price") as caught:
        plain.Order  # noqa: B018
    assert places(caught.value)[-1] == "order.py"
    assert len(places(caught.value)) <= 3
