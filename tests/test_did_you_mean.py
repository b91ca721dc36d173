"""A name that is slightly wrong: what was meant is said, in every way to ask; what catches the error still does."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from pyautoload import AutoLoader

FILES = {
    "shop/models/user.py": "class User: ...",
    "shop/models/order.py": "class Order: ...",
    "shop/cart.py": "class Cart: ...",
}


@pytest.mark.parametrize(
    ("statement", "kind", "meant"),
    [
        ("from shop.models import Usr", ImportError, "User"),
        ("from shop.models import Order, Usr", ImportError, "User"),
        ("from shop import Crat", ImportError, "Cart"),
        ("from shop import model", ImportError, "models"),
        ("import shop.models.usr", ModuleNotFoundError, "user"),
        ("import shop.modles.user", ModuleNotFoundError, "models"),
        ("from shop.modles import User", ModuleNotFoundError, "models"),
        ("importlib.import_module('shop.models.oder')", ModuleNotFoundError, "order"),
        ("__import__('shop.crat')", ModuleNotFoundError, "cart"),
        ("loader.resolve('shop.models.oder')", ModuleNotFoundError, "order"),
    ],
)
def test_what_was_meant_is_said(tree, statement, kind, meant):
    tree(FILES)
    loader = AutoLoader("shop").setup()

    with pytest.raises(kind, match=rf"Did you mean: '{meant}'\?"):
        exec(statement, {"importlib": importlib, "loader": loader})


def test_an_attribute_has_pythons_own_suggestion(python, tree):
    tree(FILES)
    code = "from pyautoload import AutoLoader\nAutoLoader('shop').setup()\nimport shop\nshop.models.Usr\n"
    error = python(code, check=False).stderr
    assert "has no attribute 'Usr'" in error
    assert error.count("Did you mean") <= 1


def test_what_is_merely_asked_for_is_not_there(tree):
    tree(FILES)
    AutoLoader("shop").setup()
    import shop

    assert not hasattr(shop.models, "Usr")
    assert getattr(shop.models, "Usr", 5) == 5
    assert importlib.util.find_spec("shop.models.usr") is None
    with pytest.raises(AttributeError):
        _ = shop.models.Usr


@pytest.mark.parametrize("name", ["Zebra", "__nothing__", "x"])
def test_where_nothing_resembles_it_the_error_is_pythons(tree, name):
    tree(FILES)
    AutoLoader("shop").setup()
    with pytest.raises(ImportError) as caught:
        exec(f"from shop.models import {name}")
    assert "Did you mean" not in str(caught.value)
    with pytest.raises(ModuleNotFoundError) as caught:
        exec(f"import shop.{name}")
    assert str(caught.value) == f"No module named 'shop.{name}'"
    assert caught.value.name == f"shop.{name}"


def test_optional_imports_go_on(tree):
    tree(
        {
            **FILES,
            "shop/optional.py": "try: from shop import _cart\nexcept ImportError: _cart = None\nclass Optional: ...",
        }
    )
    AutoLoader("shop").setup()
    from shop import Optional

    assert Optional.__name__ == "Optional"
