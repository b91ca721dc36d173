"""Values: constants, what is derived from them, and everyone who holds them, in dependency order, each module once."""

# ruff: noqa: F811  (a fixture imported by name; sources on one line)

from __future__ import annotations

import builtins
import sys

import pytest
from reload_app import app  # noqa: F401


@pytest.fixture
def runs(monkeypatch):
    """The names of the modules that ran, in order: each test module says ``RUNS.append(...)``."""
    found = []
    monkeypatch.setattr(builtins, "RUNS", found, raising=False)
    return found


def test_values_derived_over_three_modules(app):
    a = app(a="X = 1\n", b="from APP.a import X\nY = X * 10\n", c="from APP.b import Y\nZ = Y + 1\n")
    assert a("c").Z == 11
    result = a.edit(a="X = 2\n")
    assert (a("a").X, a("b").X, a("b").Y, a("c").Y, a("c").Z) == (2, 2, 20, 20, 21)
    assert a.names(result.reexecuted) == ["a", "b", "c"]


def test_a_module_that_only_holds_the_value_is_rebound_and_does_not_run(app, runs):
    a = app(a="X = 1\n", b="from APP.a import X as LIMIT\nRUNS.append('b')\ndef f():\n    return LIMIT\n")
    held = a("b").f
    result = a.edit(a="X = 2\n")
    assert held() == 2
    assert runs == ["b"]
    assert a.names(result.rebound) == ["b.LIMIT"]
    assert a.names(result.reexecuted) == ["a"]


def test_diamond_dependents_run_once_and_in_order(app, runs):
    a = app(
        base="RUNS.append('base')\nX = 1\n",
        left="from APP.base import X\nRUNS.append('left')\nL = X + 1\n",
        right="from APP.base import X\nRUNS.append('right')\nR = X + 2\n",
        top="from APP.left import L\nfrom APP.right import R\nRUNS.append('top')\nT = L + R\n",
    )
    assert a("top").T == 5
    runs.clear()
    result = a.edit(base="RUNS.append('base')\nX = 10\n")
    assert a("top").T == 23
    assert runs[0] == "base"
    assert runs[-1] == "top"
    assert sorted(runs) == ["base", "left", "right", "top"]
    assert a.names(result.reexecuted) == runs


def test_running_again_stops_where_the_outcome_is_equal(app, runs):
    a = app(
        a="X = 1\n",
        b="from APP.a import X\nRUNS.append('b')\nPOSITIVE = X > 0\n",
        c="from APP.b import POSITIVE\nRUNS.append('c')\nZ = not POSITIVE\n",
    )
    a("c")
    runs.clear()
    a.edit(a="X = 2\n")
    assert runs == ["b"]


def test_package_re_exports(app):
    a = app(
        {"pkg/__init__.py": "from .inner import X, f\n"},
        pkg__inner="X = 1\ndef f():\n    return 'old'\n",
        user="from APP.pkg import X, f\nimport APP.pkg\nY = [X]\n",
    )
    assert a("user").Y == [1]
    a.edit(pkg__inner="X = 2\ndef f():\n    return 'new'\n")
    user = a("user")
    assert (user.X, user.Y, user.f()) == (2, [2], "new")
    assert a("pkg").X == 2


def test_star_imports(app):
    a = app(
        a="X = 1\n_hidden = 1\ndef f():\n    return X\n",
        b="from APP.a import *\nY = X + 1\n",
        c="from APP.b import *\n",
    )
    a("c")
    a.edit(a="X = 5\nNEW = 7\n_hidden = 1\ndef f():\n    return X\n")
    assert (a("b").X, a("b").Y, a("b").NEW, a("c").X, a("c").Y, a("c").NEW) == (5, 6, 7, 5, 6, 7)
    a.edit(a="X = 5\n_hidden = 1\ndef f():\n    return X\n")
    assert not hasattr(a("c"), "NEW")


def test_star_import_with_all(app):
    a = app(a="__all__ = ['X']\nX = 1\nY = 2\n", b="from APP.a import *\n")
    a("b")
    a.edit(a="__all__ = ['X', 'Y']\nX = 1\nY = 2\n")
    assert a("b").Y == 2


def test_function_level_imports_see_the_new_value_without_running_anything(app, runs):
    a = app(a="X = 1\n", b="RUNS.append('b')\ndef f():\n    from APP.a import X\n    return X\n")
    f = a("b").f
    assert f() == 1
    runs.clear()
    a.edit(a="X = 2\n")
    assert (f(), runs) == (2, [])


def test_attribute_use_through_modules_and_namespaces(app):
    a = app(
        models__user="class User:\n    LIMIT = 1\nLEVEL = 1\n",
        b="import APP.models.user\nfrom APP import models\nA = APP.models.user.LEVEL * 2\nB = models.User.LIMIT * 2\n",
        c="import APP\nLEVEL = lambda: APP.models.user.LEVEL\nC = APP.models.User.LIMIT\n",
    )
    assert (a("b").A, a("b").B, a("c").C) == (2, 2, 1)
    a.edit(models__user="class User:\n    LIMIT = 5\nLEVEL = 7\n")
    assert (a("b").A, a("b").B, a("c").C, a("c").LEVEL()) == (14, 10, 5, 7)


def test_the_expected_name_on_the_namespace_is_rebound(app):
    a = app(models__limit="Limit = [1]\n", b="from APP import models\ndef f():\n    return models.Limit\n")
    assert a("b").f() == [1]
    a("models")
    a.edit(models__limit="Limit = [2]\n")
    assert a("b").f() == [2]
    assert a("models").Limit is a("models.limit").Limit


CIRCLES = [
    ("import APP.b\nX = 1\ndef f():\n    return APP.b.Y\n", "import APP.a\nY = 10\ndef g():\n    return APP.a.X\n"),
    ("from . import b\nX = 1\ndef f():\n    return b.Y\n", "from . import a\nY = 10\ndef g():\n    return a.X\n"),
    (
        "X = 1\nfrom APP.b import g, Y\ndef f():\n    return Y\n",
        "from APP.a import X\nY = 10\ndef g():\n    return X\n",
    ),
]


@pytest.mark.parametrize(("first", "second"), CIRCLES)
def test_circular_imports(app, first, second):
    a = app(a=first, b=second)
    f, g = a("a").f, a("b").g
    a.edit(a=first.replace("X = 1", "X = 2"))
    assert (f(), g()) == (10, 2)
    a.edit(b=second.replace("Y = 10", "Y = 20"))
    assert (f(), g()) == (20, 2)
    a.edit(a=first.replace("X = 1", "X = 3"), b=second.replace("Y = 10", "Y = 30"))
    assert (f(), g()) == (30, 3)


def test_two_files_changed_together(app):
    a = app(a="def old():\n    return 1\n", b="from APP.a import old\ndef f():\n    return old()\n")
    f = a("b").f
    a.edit(a="def new():\n    return 2\n", b="from APP.a import new\ndef f():\n    return new()\n")
    assert f() == 2
    assert not hasattr(a("b"), "old")


def test_an_edit_soon_after_loading_can_be_taken_back(app):
    former = {"a": "def old():\n    return 1\n", "b": "from APP.a import old\ndef f():\n    return old()\n"}
    a = app(**former)
    assert a("b").f() == 1
    a.edit(a="def new():\n    return 2\n", b="from APP.a import new\ndef f():\n    return new()\n")
    assert a("b").f() == 2
    a.quiet(1)  # meanwhile the texts and the code are packed
    a.edit(**former)
    assert a("b").f() == 1
    assert not hasattr(a("b"), "new")


def test_state_and_connections_of_the_module_stay(app):
    text = "CONNECTION = object()\nCOUNT = 0\nLIMIT = {}\ndef hit():\n    global COUNT\n    COUNT += 1\n    return {}\n"
    a = app(a=text.format(1, 1))
    module = a("a")
    connection = module.CONNECTION
    module.hit()
    a.edit(a=text.format(1, 2))
    assert (module.CONNECTION is connection, module.COUNT, module.hit()) == (True, 1, 2)
    a.edit(a=text.format(5, 2))
    assert (module.CONNECTION is connection, module.COUNT, module.LIMIT) == (True, 2, 5)


def test_state_of_a_dependent_that_runs_again_stays_where_it_does_not_depend_on_the_change(app):
    a = app(a="X = 1\n", b="from APP.a import X\nCACHE = {}\nLOCK = object()\nY = [X]\n")
    module = a("b")
    cache, lock = module.CACHE, module.LOCK
    cache["k"] = 1
    a.edit(a="X = 2\n")
    assert module.Y == [2]
    assert module.CACHE is cache
    assert module.LOCK is lock


def test_a_list_that_is_filled_by_statements_is_built_anew(app):
    a = app(a="ITEMS = []\nITEMS.append(1)\nfor n in (2, 3):\n    ITEMS.append(n)\nTOTAL = sum(ITEMS)\n")
    assert a("a").TOTAL == 6
    a.edit(a="ITEMS = []\nITEMS.append(1)\nfor n in (2, 4):\n    ITEMS.append(n)\nTOTAL = sum(ITEMS)\n")
    assert (a("a").ITEMS, a("a").TOTAL) == ([1, 2, 4], 7)
    a.edit(a="ITEMS = []\nfor n in (2, 4):\n    ITEMS.append(n)\nTOTAL = sum(ITEMS)\n")
    assert (a("a").ITEMS, a("a").TOTAL) == ([2, 4], 6)


REGISTRY = "ROUTES = []\ndef route(fn):\n    ROUTES.append(fn)\n    return fn\n"


def test_registries_filled_by_decorators_have_no_duplicates(app):
    text = "from APP.reg import route\n@route\ndef one():\n    return {0}\n@route\ndef two():\n    return {0}\n"
    a = app(reg=REGISTRY, views=text.format(1))
    a("views")
    routes = a("reg").ROUTES
    a.edit(views=text.format(2))
    assert [fn() for fn in routes] == [2, 2]
    a.edit(views=text.format(3) + "@route\ndef three():\n    return 3\n")
    assert [fn() for fn in a("reg").ROUTES] == [3, 3, 3]
    a.edit(views="LIMIT = 1\n" + text.format(4) + "@route\ndef three():\n    return 4\n")
    assert [fn() for fn in a("reg").ROUTES] == [4, 4, 4]


def test_a_registry_in_the_same_module_loses_what_is_removed(app):
    text = REGISTRY + "@route\ndef one():\n    return 1\n"
    a = app(a=text + "@route\ndef two():\n    return 2\n")
    assert len(a("a").ROUTES) == 2
    a.edit(a=text)
    assert [fn() for fn in a("a").ROUTES] == [1]


def test_a_name_bound_only_in_one_branch(app):
    text = "FLAG = {}\nif FLAG:\n    X = 1\nelse:\n    Y = 2\n"
    a = app(a=text.format(True))
    assert a("a").X == 1
    a.edit(a=text.format(False))
    assert a("a").Y == 2
    assert not hasattr(a("a"), "X")


def test_changed_docstring_and_annotations_of_a_module(app):
    a = app(a="'old'\nx: int = 1\n")
    assert a("a").__doc__ == "old"
    a.edit(a="'new'\nx: int = 1\n")
    assert a("a").__doc__ == "new"
    a.edit(a="x: int = 1\n")
    assert a("a").__doc__ is None


def test_callbacks_fire_for_what_is_executed_again(app):
    a = app(a="X = 1\n", b="from APP.a import X\nY = X\n", c="def f():\n    return 1\n")
    seen = []
    a("b"), a("c")
    a.loader.on_unload(lambda name, value, path: seen.append(("unload", name.rpartition(".")[2], a("a").X)))
    a.loader.on_load(lambda name, value, path: seen.append(("load", name.rpartition(".")[2], a("a").X)))
    a.edit(a="X = 2\n", c="def f():\n    return 2\n")
    assert seen == [("unload", "a", 1), ("load", "a", 2), ("unload", "b", 2), ("load", "b", 2)]


def test_reload_of_a_name_runs_it_and_what_depends_on_it(app, runs):
    a = app(a="RUNS.append('a')\nX = [1]\n", b="from APP.a import X\nRUNS.append('b')\nY = X\n", c="RUNS.append('c')\n")
    a("b"), a("c")
    runs.clear()
    result = a.loader.reload(f"{a.name}.a")
    assert runs[0] == "a"
    assert "c" not in runs
    assert a.names(result.reexecuted)[0] == "a"
    assert a("b").Y is a("a").X


def test_reload_fresh_forgets_everything(app):
    a = app(a="X = []\n", sub__b="from APP.a import X\n")
    x, package = a("a").X, __import__(a.name)
    a("sub.b")
    a.loader.reload(fresh=True)
    assert a("sub.b").X is a("a").X is not x
    assert __import__(a.name) is package


def test_a_function_that_looks_up_a_changed_name_in_another_module_counts_as_changed(app):
    a = app(a="def f(): return 1", b="from APP import a\nlate = lambda: a.f()\nY = late()")
    assert a("b").Y == 1
    a.edit("a.py", "def twice(f): return lambda: f() * 2\n@twice\ndef f(): return 1")
    assert a("b").Y == 2


def test_a_function_that_reads_a_changed_attribute_of_a_class_counts_as_changed(app):
    a = app(a="class K:\n    V = 1", b="from APP.a import K\ndef f(): return K.V\nY = f()")
    assert a("b").Y == 1
    a.edit("a.py", "class K:\n    V = 2")
    assert a("b").Y == 2


def test_a_dependent_that_runs_as_a_whole_takes_what_it_imports_as_it_is_now(app):
    a = app(
        a="def deco(f): return lambda: f() + 1\n@deco\ndef f(): return 1\nclass K: pass",
        b="from APP.a import f, K\nclass L(K): pass",
    )
    assert a("b").f() == 2
    a.edit("a.py", "class B: pass\ndef f(): return 1\nclass K(B): pass")
    assert a("b").f() == 1


def test_what_a_base_class_brings_is_followed_after_it_got_another_base(app):
    a = app(
        a="X = 1\nclass A:\n    def __init__(self): self.v = X",
        b="class B: pass",
        c="from APP import b\nclass C(b.B): pass\nOBJ = C()",
    )
    assert a("c").C
    assert a("a").X == 1
    a.edit("b.py", "from APP.a import A\nclass B(A): pass")
    a.edit("a.py", "X = 2\nclass A:\n    def __init__(self): self.v = X")
    assert a("c").OBJ.v == 2


def test_lazy_objects_and_proxies_are_not_asked_anything(app):
    proxy = (
        "def refuse(*anything): raise RuntimeError('asked outside of a request')\n"
        "NAMES = '__call__ __getattr__ __bool__ __len__ __iter__ __getitem__ __eq__ __hash__ __repr__ __str__'\n"
        "Proxy = type('Proxy', (), {n: refuse for n in NAMES.split()} | {'__class__': property(refuse)})\n"
        "request = Proxy()\n"
    )
    text = "from APP.a import request\nimport functools\nT = {'r': request}\nX = 1\ndef f(): return X\nY = f()\n"
    a = app(a=proxy, b=text, c="from APP.b import *\nZ = X")
    assert a("c").Z == 1
    result = a.edit("b.py", text.replace("X = 1", "X = 2") + "def g(): return request\nU = [request]\n")
    assert result.ok
    assert (a("b").Y, a("c").Z) == (2, 2)
    result = a.edit("a.py", proxy + "other = Proxy()\n")
    assert result.ok


def test_objects_of_flask_that_need_a_request(app):
    pytest.importorskip("flask")
    text = "from flask import current_app, g, request, session\nX = 1\ndef f(): return X\nY = f()\n"
    a = app(a=text, b="from APP.a import *\nZ = Y")
    assert a("b").Z == 1
    assert a.edit("a.py", text.replace("X = 1", "X = 2") + "def h(): return request.args\n").ok
    assert (a("a").Y, a("b").Z) == (2, 2)


@pytest.mark.parametrize("package", ["", "V = 1\n", "V = 2\n"])
def test_names_that_loading_has_stored_in_a_package_follow(app, package):
    values = "Limit = {0}\nHandler = ({0}, [{0}])\n"
    files = {
        "shop/__init__": "V = 1\n",
        "shop/values": values.format(1),
        "shop/own": "Own = 1\nNAMES = [1]\n",
        "shop/limit": "from APP.shop.values import Limit\n",
        "shop/handler": "from APP.shop.values import Handler\n",
        "shop/user": "from APP.shop import Limit, Own\nBOTH = (Limit, Own)\n",
    }
    a = app(**files)
    for name in ("shop.limit", "shop.handler", "shop.own", "shop.user"):
        a(name)
    shop = a("shop")
    assert (shop.Limit, shop.Handler, shop.Own, a("shop.user").BOTH) == (1, (1, [1]), 1, (1, 1))
    edits = {"shop/values": values.format(2), "shop/own": "Own = 2\nNAMES = [2]\n"}
    a.edit(**edits, **({"shop/__init__": package} if package else {}))
    assert (shop.Limit, shop.Handler, shop.Own, a("shop.user").BOTH) == (2, (2, [2]), 2, (2, 2))


HINTS = {
    "a forward reference": "Callable[['A'], '{}B | C']",
    "a union": "Union[List['{}A'], Callable[..., '{}B']]",
    "a literal": "Literal['{}A']",
    "an annotated type": "Annotated[int, '{}A']",
    "a built-in generic": "list['{}A']",
    "a new type": "NewType('{}W', int)",
    "the bound of a variable": "TypeVar('X', bound='{}A')",
    "the constraints of a variable": "TypeVar('X', '{}A', '{}B')",
    "a parameter specification": "ParamSpec('X')  # {}",
    "a typed dict": "TypedDict('X', {{'{}a': int}})",
    "a named tuple": "NamedTuple('X', [('{}a', int)])",
}


@pytest.mark.parametrize("kind", HINTS)
def test_hints_are_what_a_fresh_process_has(app, kind):
    text = "import typing\nfrom typing import *\nX = " + HINTS[kind] + "\n"
    a = app(a=text.format(*("q", "q")), b="from APP.a import X\nALL = [X]\n", c="from APP import b\nMINE = b.ALL[0]\n")
    a("c")
    for prefix in ("r", "s"):
        result = a.edit(a=text.format(prefix, prefix) + f"N = {prefix!r}\n")
        assert not result.restart_required, result
        assert a("a").X is a("b").X is a("b").ALL[0] is a("c").MINE
        names = ("__bound__", "__constraints__", "__name__", "__annotations__", "_fields")
        shown = repr(a("a").X) + repr([getattr(a("a").X, name, "") for name in names])
        assert f"'{prefix}" in shown or f"{prefix}W" in shown or "#" in HINTS[kind]
        assert "'q" not in shown


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement came with Python 3.12")
def test_a_type_alias_is_what_it_says(app):
    a = app(a="type X = int\ndef f(x: X): pass\n", b="from APP.a import X\nALL = [X]\n")
    a("b")
    a.edit(a="type X = str\ndef f(x: X): pass\n")
    assert a("a").X.__value__ is a("b").ALL[0].__value__ is a("a").f.__annotations__["x"].__value__ is str
