"""A program, its tests, its package and its notebook meet in one loader, or are told which line to take away."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pyautoload import AutoLoader, ConflictError, SetupError, eager_load_all
from pyautoload.loaders import all_loaders

pytest_plugins = ["pytester"]

SHOP = {
    "shop/models.py": "class Models: ...\n",
    "shop/cart.py": "class Cart: ...\n",
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\n',
}
OWN = "from pyautoload import AutoLoader\nloader = AutoLoader.for_package().setup()\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a package and its configuration, for a pytest of its own."""
    for name, text in SHOP.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return pytester


# Who else makes the loader, beside the plugin: file → text.
OTHERS: dict[str, dict[str, str]] = {
    "conftest": {"conftest.py": "from pyautoload import AutoLoader\nloader = AutoLoader('shop').setup()\n"},
    "conftest with a rule": {
        "conftest.py": "from pyautoload import *\nloader = AutoLoader('shop').inflect({'cart': 'Cart'}).setup()\n"
    },
    "program": {
        "main.py": "from pyautoload import AutoLoader\nloader = AutoLoader('shop').setup()\nfrom shop import Cart\n",
        "conftest.py": "import shop.models\nbefore = shop.models\nimport main\nassert shop.models is before\n",
    },
    "from_config": {
        "main.py": "from pyautoload import AutoLoader\nloader = AutoLoader.from_config().setup()\n",
        "conftest.py": "import main\n",
    },
    "package": {"shop/__init__.py": OWN, "shop/version.py": "VERSION = '1.0'\n"},
    "package and program": {
        "shop/__init__.py": OWN,
        "main.py": "from pyautoload import AutoLoader\nloader = AutoLoader.from_config().setup()\nimport shop\n",
        "conftest.py": "import main\n",
    },
}


@pytest.mark.parametrize("init", [False, True])
@pytest.mark.parametrize("who", OTHERS)
def test_the_plugin_meets_whoever_makes_the_loader(project: pytest.Pytester, who: str, init: bool) -> None:
    for name, text in OTHERS[who].items():
        (project.path / name).write_text(text)
    tests = """
        import shop
        from pyautoload.loaders import all_loaders

        def test_one(loader):
            assert shop.Cart is shop.cart.Cart
            assert shop.Models.__module__ == "shop.models"
            assert loader.is_set_up and all_loaders(set_up=True) == [loader]
            assert loader.where("shop.Cart").endswith("cart.py")
            assert {"shop.cart", "shop.models"} <= set(loader.loaded())
            assert getattr(shop, "VERSION", "1.0") == "1.0"
    """
    project.makepyfile(test_it=textwrap.dedent(tests))
    if init:
        from pyautoload.cli.init import _TEST

        (project.path / "tests").mkdir()
        (project.path / "tests/test_autoload.py").write_text(_TEST)

    result = project.runpytest_subprocess("-q")
    result.assert_outcomes(passed=2 if init else 1)


def test_the_error_names_the_line_that_made_the_other_one(tree):
    tree({"app/user.py": ""})
    AutoLoader("app").setup()

    with pytest.raises(ConflictError, match=rf"made at {__file__}:\d+.*take away the line"):
        AutoLoader("app")


def test_a_package_that_comes_first_is_named_to_the_program(autoload, tree, monkeypatch):
    base = tree({"shop/__init__.py": OWN, "shop/cart.py": "class Cart: ..."})
    monkeypatch.syspath_prepend(str(base))
    __import__("shop")

    with pytest.raises(ConflictError, match=r"shop.__init__\.py:2"):
        AutoLoader("shop")
    (base / "pyproject.toml").write_text('[tool.pyautoload]\nroots = ["shop"]\n')
    assert AutoLoader.from_config(base) is sys.modules["shop"].loader


def test_a_package_of_its_own_inflector_is_not_met_by_another(tree, monkeypatch):
    class Loud:
        def camelize(self, stem: str, path: str) -> str:
            return stem.upper()

    base = tree({"shop/__init__.py": OWN, "shop/cart.py": "class CART: ..."})
    monkeypatch.syspath_prepend(str(base))
    AutoLoader("shop", inflector=Loud()).setup()

    assert __import__("shop").CART.__name__ == "CART"
    assert len(all_loaders(set_up=True)) == 1


CELL = "from pyautoload import AutoLoader\nloader = AutoLoader('shop').setup()\nimport shop\nfirst = shop.Cart\n"


def test_a_cell_that_runs_twice(python, tree):
    tree({"shop/cart.py": "class Cart: ..."})
    code = f"""
        import sys
        sys.ps1 = ">>> "
        cell = {CELL!r}
        for number in range(3):
            exec(compile(cell, f"<cell {{number}}>", "exec"), globals())
            assert shop.Cart is first and loader.is_set_up
        from pyautoload.loaders import all_loaders
        assert all_loaders() == [loader]
        assert "shop.cart" in loader.loaded()
        open("shop/late.py", "w").write("class Late: ...")
        print(shop.Late, loader.resolve("shop.Cart") is first)
    """
    assert python(code).stdout == "<class 'shop.late.Late'> True\n"


def test_a_module_that_is_executed_again(python, tree):
    tree({"shop/cart.py": "class Cart: ...", "conf.py": CELL})
    code = """
        import importlib, conf
        old = conf.loader
        importlib.reload(conf)
        print(conf.loader.is_set_up, old.is_set_up, conf.shop.Cart is conf.first)
    """
    assert python(code).stdout == "True False True\n"


def test_a_loader_whose_setup_failed_claims_nothing(tree):
    tree({"app/hotel.py": "", "app/hotel/__init__.py": "", "app/user.py": "class User: ..."})
    failed = AutoLoader("app")
    with pytest.raises(ConflictError) as kept:
        failed.setup()

    second = AutoLoader("app").ignore("hotel.py").setup()
    assert second.resolve("app.User")
    with pytest.raises(ConflictError, match="already managed"):
        failed.ignore("hotel.py").setup()
    second.unregister()
    assert failed.setup().is_set_up
    assert kept.value is not None


def test_a_loader_that_was_refused_its_root_claims_nothing(tree):
    tree({"app/user.py": "", "lib/user.py": ""})
    AutoLoader("app").setup()
    kept = []
    try:
        AutoLoader("lib").push_dir("app")
    except ConflictError as error:
        kept.append(error)
    gc.collect()
    with pytest.raises(ConflictError):
        AutoLoader("app")


def test_for_package_in_a_program_names_the_remedy(tree):
    tree({"main.py": "from pyautoload import AutoLoader\nAutoLoader.for_package()\n"})
    error = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=False).stderr
    assert "__main__ in" in error
    assert "is run as a program" in error
    assert 'AutoLoader("directory")' in error


def test_a_loader_without_a_root_says_so(tree, caplog):
    tree({"app/user.py": ""})
    loader = AutoLoader().setup()
    assert "without a root" in caplog.text
    assert loader.push_dir("app").resolve("app.user")


# eager_load_all


def test_eager_load_all_leaves_out_who_is_named(tree):
    tree({"app/user.py": "class User: ...", "lib/big.py": "class Big: ...", "more/x.py": ""})
    app, lib = AutoLoader("app").setup(), AutoLoader("lib", tag="library").setup()
    AutoLoader("more").setup()

    assert eager_load_all(except_for=[lib, "more"]) == ["app", "app.user"]
    assert eager_load_all(except_for="library") == ["more", "more.x"]
    assert eager_load_all(except_for=("app", sys.modules["more"])) == ["lib", "lib.big"]
    assert eager_load_all(except_for=app) == []


def test_eager_load_all_knows_whom_it_leaves_out(tree):
    tree({"app/user.py": ""})
    AutoLoader("app").setup()
    with pytest.raises(ValueError, match="'ap' is not a loader that is set up: there are app"):
        eager_load_all(except_for="ap")
    with pytest.raises(TypeError, match="except_for"):
        eager_load_all(except_for=[5])


def test_the_other_errors_are_as_they_were(tree: object, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not exist"):
        AutoLoader(tmp_path / "nowhere")
