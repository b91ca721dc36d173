"""A file that is written after everything was resolved is found by every way of asking, at once."""

from __future__ import annotations

import importlib
import sys

import pytest

from pyautoload import AutoLoader

pytestmark = pytest.mark.changes

WAYS = {
    "attribute": "plug.Two",
    "module": "plug.two",
    "hasattr": "hasattr(plug, 'Two') and plug.Two",
    "getattr": "getattr(plug, 'Two', None)",
    "class in a new directory": "plug.deep.Three",
    "resolve": "loader.resolve('plug.Two')",
}
BEFORE = {
    "asked": "plug.One",
    "eager": "loader.eager_load()",
    "strict": "loader.eager_load(strict=True)",
    "star": "exec('from plug import *')",
    "listed": "dir(plug)",
    "each": "[getattr(plug, name) for name in dir(plug)]",
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("own", [False, True])
def test_a_new_file_is_found(tree, monkeypatch, way, before, own):
    base = tree({"plug/one.py": "class One: ..."})
    if own:
        tree({"plug/__init__.py": "from pyautoload import AutoLoader\nloader = AutoLoader.for_package().setup()"})
        monkeypatch.syspath_prepend(str(base))
    else:
        AutoLoader("plug").setup()
    plug = importlib.import_module("plug")
    names = {"plug": plug, "loader": plug.loader if own else plug.__getattr__.__self__ and None}
    names["loader"] = plug.loader if own else _loader()
    for statement in ("plug.One", BEFORE[before]):
        exec(statement, names)

    tree({"plug/two.py": "class Two: ...", "plug/deep/three.py": "class Three: ..."})
    found = eval(WAYS[way], names)
    assert getattr(found, "__name__", "") in ("Two", "Three", "plug.two")
    tree({"plug/later.py": "class Later: ..."})
    assert plug.Later.__name__ == "Later"


def _loader():
    from pyautoload.loaders import all_loaders

    return all_loaders(set_up=True)[-1]


def test_where_nothing_can_come_a_namespace_is_an_ordinary_module(tree):
    tree({"plug/one.py": "class One: ...", "plug/deep/two.py": "class Two: ..."})
    loader = AutoLoader("plug").setup()
    loader.eager_load()
    assert "__getattr__" in vars(sys.modules["plug"])

    loader.eager_load(freeze=True)
    # Without a GIL another thread may be in the midst of asking: there it stays.
    stays = not getattr(sys, "_is_gil_enabled", lambda: True)()
    assert ("__getattr__" in vars(sys.modules["plug"])) is stays
    assert ("__getattr__" in vars(sys.modules["plug.deep"])) is stays
    tree({"plug/late.py": "class Late: ..."})
    from plug import Late

    assert Late.__name__ == "Late"
