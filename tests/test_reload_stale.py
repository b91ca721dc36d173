"""Whatever import-time code used, by whatever way it came to it, is computed again when that changes."""

# ruff: noqa: F811  (a fixture imported by name)

import builtins
import sys

import pytest
from reload_app import app  # noqa: F401

K = "class K:\n    V = 1\n    def m(self): return 1\n"
LAZY = "def __getattr__(name):\n    if name == 'Z':\n        return {}\n    raise AttributeError(name)\n"

# What it is about: the files of before, what changes, and `Y` of module c before and after.
WRAPS = "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def w():\n        return f() + {}\n    return w"

CASES = {
    "an attribute of a class that was imported from elsewhere": (
        {"a": K, "b": "from APP.a import K", "c": "from APP.b import K\nY = K.V"},
        {"a": K.replace("V = 1", "V = 2")},
    ),
    "the same by star imports": (
        {"a": K, "b": "from APP.a import *", "c": "from APP.b import *\nY = K.V"},
        {"a": K.replace("V = 1", "V = 2")},
    ),
    "the same through the package": (
        {"__init__": "from .a import K", "a": K, "c": "from APP import K\nY = K.V"},
        {"a": K.replace("V = 1", "V = 2")},
    ),
    "an attribute of a base class, asked of a subclass": (
        {"a": K, "b": "from APP.a import K\nclass L(K): pass", "c": "from APP.b import L\nY = L.V"},
        {"a": K.replace("V = 1", "V = 2")},
    ),
    "the same, asked of an instance": (
        {"a": K, "b": "from APP.a import K\nclass L(K): pass\nl = L()", "c": "from APP.b import l\nY = l.V"},
        {"a": K.replace("V = 1", "V = 2")},
    ),
    "the same, in a function": (
        {"a": K, "b": "from APP.a import K", "c": "from APP.b import K\ndef g(): return K().V\nY = g()"},
        {"a": K.replace("V = 1", "V = 2")},
    ),
    "getattr() on a module": (
        {"a": "X = 1", "c": "from APP import a\nY = getattr(a, 'X')"},
        {"a": "X = 2"},
    ),
    "a module that is given away": (
        {"a": "X = 1", "c": "import APP.a as a\nY = vars(a)['X']"},
        {"a": "X = 2"},
    ),
    "a function that imports the module": (
        {"a": "X = 1", "b": "def g():\n    from APP import a\n    return a.X", "c": "from APP.b import g\nY = g()"},
        {"a": "X = 2"},
    ),
    "a function that imports it by its dotted name": (
        {"a": "X = 1", "b": "def g():\n    import APP.a\n    return APP.a.X", "c": "from APP.b import g\nY = g()"},
        {"a": "X = 2"},
    ),
    "a closure in a function that imports it": (
        {
            "a": "X = 1",
            "b": "def g():\n    from APP import a as m\n    return (lambda: m.X)()",
            "c": "from APP.b import g\nY = g()",
        },
        {"a": "X = 2"},
    ),
    "a name that another module sets": (
        {"a": "X = 0", "b": "from APP import a\na.X = 1", "c": "from APP import a, b\nY = a.X"},
        {"b": "from APP import a\na.X = 2"},
    ),
    "a name that another module computes and sets": (
        {"a": "X = 1", "b": "from APP import a\na.X += 0", "c": "from APP import a, b\nY = a.X"},
        {"a": "X = 2"},
    ),
    "a table of functions": (
        {"a": "def f(): return 1", "b": "from APP.a import f\nT = {'f': f}", "c": "from APP.b import T\nY = T['f']()"},
        {"a": "def f(): return 2"},
    ),
    "a list of functions": (
        {"a": "def f(): return 1", "c": "from APP.a import f\nT = [f]\nY = [g() for g in T][0]"},
        {"a": "def f(): return 2"},
    ),
    "a function that is given to one that calls it": (
        {
            "a": "def f(): return 1",
            "b": "def call(g): return g()",
            "c": "from APP.a import f\nfrom APP.b import call\nY = call(f)",
        },
        {"a": "def f(): return 2"},
    ),
    "an object that is given to a function that calls a method": (
        {"a": K, "b": "def call(o): return o.m()", "c": "from APP.a import K\nfrom APP.b import call\nY = call(K())"},
        {"a": K.replace("return 1", "return 2")},
    ),
    "a property": (
        {"a": "class A:\n    @property\n    def p(self): return 1\nx = A()", "c": "from APP.a import x\nY = x.p"},
        {"a": "class A:\n    @property\n    def p(self): return 2\nx = A()"},
    ),
    "a function that a decorator ran": (
        {"a": "def now(f): return f()", "c": "from APP.a import now\n@now\ndef Y(): return 1"},
        {"c": "from APP.a import now\n@now\ndef Y(): return 2"},
    ),
    "a method that a decorator ran": (
        {
            "a": "def now(f): return f(0)",
            "c": "from APP.a import now\nclass C:\n    @now\n    def Y(self): return 1\nY = C.Y",
        },
        {"c": "from APP.a import now\nclass C:\n    @now\n    def Y(self): return 2\nY = C.Y"},
    ),
    "a name that __getattr__ of a module gives": (
        {"a": LAZY.format(1), "c": "from APP import a\nY = a.Z"},
        {"a": LAZY.format(2)},
    ),
    "the same, imported": (
        {"a": LAZY.format(1), "c": "from APP.a import Z as Y"},
        {"a": LAZY.format(2)},
    ),
    "what __getattr__ of a module looks up": (
        {"a": "X = 1\n" + LAZY.format("X"), "c": "from APP.a import Z\nY = Z"},
        {"a": "X = 2\n" + LAZY.format("X")},
    ),
    "a wrapper within a decorator": (
        {
            "a": "def deco(f):\n    def wrapper():\n        return f() + 0\n    return wrapper",
            "b": "from APP.a import deco\n@deco\ndef f(): return 1",
            "c": "from APP.b import f\nY = f()",
        },
        {"a": "def deco(f):\n    def wrapper():\n        return f() + 1\n    return wrapper"},
    ),
    "the same with functools.wraps": (
        {
            "a": WRAPS.format(0),
            "b": "from APP.a import deco\n@deco\ndef f(): return 1",
            "c": "from APP.b import f\nY = f()",
        },
        {"a": WRAPS.format(1)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_computed_is_computed_again(app, name):
    before, changes = CASES[name]
    a = app({f"{stem}.py": text for stem, text in before.items()})
    for stem in before:
        if stem != "__init__":
            a(stem)
    assert a("c").Y == 1
    assert a.edit(**changes).ok
    assert a("c").Y == 2


def test_each_module_of_a_chain_runs_once(app):
    log = "import builtins\nbuiltins.pyautoload_log.append(__name__.rpartition('.')[2])\n"
    builtins.pyautoload_log = ran = []
    try:
        a = app(
            a="X = 1",
            b=log + "from APP.a import X\ndef f(): return X\nY = f() + len(__name__)",
            c=log + "from APP import a\nfrom APP.b import Y, f\nZ = Y + f() + a.X",
        )
        a("c")
        del ran[:]
        a.edit("a.py", "X = 2")
    finally:
        del builtins.pyautoload_log
    assert ran == ["b", "c"]


# Names that are bound more than once, most by a star import and in the module: files, edits, and `Y` of c after those.
CONTESTED = {
    "an equal value that stands below the star import": (
        {"a": "X = 1", "c": "from APP.a import *\nX = 1\nY = X"},
        {"a": "X = 2"},
        1,
    ),
    "an equal value that stands above it": (
        {"a": "X = 1", "c": "X = 1\nfrom APP.a import *\nY = X"},
        {"a": "X = 2"},
        2,
    ),
    "a name that two star imports give": (
        {"a": "X = 1", "b": "X = 1", "c": "from APP.a import *\nfrom APP.b import *\nY = X"},
        {"a": "X = 2"},
        1,
    ),
    "what was taken before the name was bound anew": (
        {"a": "X = 1", "c": "from APP.a import *\nZ = X\nX = 5\nY = Z"},
        {"a": "X = 2"},
        2,
    ),
    "a function that was called before its name was bound anew": (
        {"a": "def f(): return 1", "c": "from APP.a import *\nY = f()\ndef f(): return 5"},
        {"a": "def f(): return 2"},
        2,
    ),
    "a binding of its own that goes": (
        {"a": "X = 1", "c": "from APP.a import *\nX = 5\nY = X"},
        {"c": "from APP.a import *\nY = X"},
        1,
    ),
    "a star import that goes": (
        {"a": "X = 1", "c": "X = 5\nfrom APP.a import *\nY = X"},
        {"c": "X = 5\nY = X"},
        5,
    ),
    "a star import that comes": (
        {"a": "X = 1", "c": "X = 5\nY = X"},
        {"c": "X = 5\nfrom APP.a import *\nY = X"},
        1,
    ),
    "a binding that changes places with the star import": (
        {"a": "X = 1", "c": "from APP.a import *\nX = 5\nY = X"},
        {"c": "X = 5\nfrom APP.a import *\nY = X"},
        1,
    ),
    "a name that the other module makes known": (
        {"a": "X = 1\n__all__ = []", "c": "X = 5\nfrom APP.a import *\nY = X"},
        {"a": "X = 1\n__all__ = ['X']"},
        1,
    ),
    "a name that the other module gives no more": (
        {"a": "X = 1\nZ = 1", "c": "X = 5\nfrom APP.a import *\nY = X"},
        {"a": "Z = 1"},
        5,
    ),
    "a name that is bound now and then": (
        {"a": "X = 1", "c": "from APP.a import *\nif X > 1:\n    X = 7\nY = X"},
        {"a": "X = 2"},
        7,
    ),
    "a star import in a try statement": (
        {"a": "X = 1", "c": "X = 5\ntry:\n    from APP.a import *\nexcept ImportError:\n    pass\nY = X"},
        {"a": "X = 2"},
        2,
    ),
    "a function that reads the name before it is bound anew": (
        {
            "a": "X = 1\nV = 1",
            "c": "from APP.a import *\ndef g():\n    return X + V\nY = g()\nX = 5",
        },
        {"a": "X = 1\nV = 2"},
        3,
    ),
    "the same without a star import": (
        {
            "a": "V = 1",
            "c": "from APP.a import V\nX = 1\ndef g():\n    return X + V\nY = g()\nX = 5",
        },
        {"a": "V = 2"},
        3,
    ),
    "a function in a table that reads the name before it is bound anew": (
        {
            "a": "",
            "c": "X = 1\ndef g():\n    return X + 1\nT = {'g': g}\nY = [h() for h in T.values()][0]\nX = 5",
        },
        {"c": "X = 1\ndef g():\n    return X + 2\nT = {'g': g}\nY = [h() for h in T.values()][0]\nX = 5"},
        3,
    ),
    "a list that is not bound anew": (
        {"a": "X = [1]", "c": "from APP.a import *\nY = len(X)"},
        {"a": "X = [1, 2]"},
        2,
    ),
}


@pytest.mark.parametrize("name", CONTESTED)
def test_the_order_says_which_binding_of_a_name_holds(app, name):
    before, changes, expected = CONTESTED[name]
    a = app({f"{stem}.py": text for stem, text in before.items()})
    a("c")
    assert a.edit(**changes).ok
    found = a("c").Y
    assert found == expected


def test_a_new_all_takes_names_from_those_who_import_by_star(app):
    a = app({"a.py": "X = 1\nZ = 1", "c.py": "from APP.a import *"})
    assert a("c").X == 1
    assert a.edit(a="X = 1\nZ = 1\n__all__ = ['Z']").ok
    assert "X" not in vars(a("c"))


def test_overriding_a_star_imported_name_leaves_the_other_state_alone(app):
    a = app({"a.py": "X = 1\nV = 1", "c.py": "from APP.a import *\nX = 5\nSTATE = {}\ndef f(): return 1\nY = X + V"})
    c = a("c")
    state, f = c.STATE, c.f
    assert a.edit(a="X = 1\nV = 2").ok
    assert (c.V, c.Y, c.STATE is state, c.f is f) == (2, 7, True, True)


def test_a_module_that_both_sides_import_is_not_contested(app):
    a = app({"a.py": "V = 1", "c.py": "from APP.a import *\nimport json\nSTATE = {}"})
    state = a("c").STATE
    assert a.edit(a="import json\nV = 2").ok
    assert (a("c").V, a("c").STATE is state) == (2, True)


def test_a_loop_that_does_not_run_leaves_what_the_star_import_gave(app):
    text = "from APP.a import *\ndef f(): return {}\nX = f()\nfor i in range(0): pass"
    a = app({"a.py": "for i in range(2): pass", "c.py": text.format(1)})
    assert a("c").i == 1
    assert a.edit(c=text.format(2)).ok
    assert (a("c").X, a("c").i) == (2, 1)


def test_a_star_import_goes_while_its_module_becomes_a_package(app):
    a = app({"a.py": "X = 1", "c.py": "from APP.a import *\nY = 1"}, options={"watch": False})
    assert a("c").X == 1
    a.write("c.py", None)
    a.write("c/__init__.py", "Y = 2")
    assert a.loader.reload().ok
    assert (a("c").Y, "X" in vars(a("c"))) == (2, False)


def test_a_name_that_a_star_import_gave_goes_from_a_module_that_runs_again_anyway(app):
    a = app({"a.py": "X = 1\nV = 1", "c.py": "from APP.a import *\nY = 1"}, options={"watch": False})
    assert a("c").X == 1
    a.write("a.py", "V = 2")
    assert a.loader.reload(f"{a.name}.c").ok
    assert (a("c").V, "X" in vars(a("c"))) == (2, False)


# Functions that do the same: the text of before, the edits, an expression, and its value in the end.
METHODS = "class A:\n    def m(self): return {}\nclass B:\n    def m(self): return {}"
ALIKE = {
    "a lambda in place of another one": (
        "L = lambda: 1\nL = lambda: 1",
        ["L = lambda: 2\nL = lambda: 1"],
        "L()",
        1,
    ),
    "lambdas that have moved": (
        "A = lambda: 1\nB = lambda: 1",
        ["X = 1\nA = lambda: 1\nB = lambda: 1", "X = 1\nA = lambda: 2\nB = lambda: 1"],
        "(A(), B())",
        (2, 1),
    ),
    "lambdas of which one has moved": (
        "A = lambda: 1\nB = lambda: 1",
        ["A = lambda: 1\nX = 1\nB = lambda: 1", "A = lambda: 1\nX = 1\nB = lambda: 2"],
        "(A(), B())",
        (1, 2),
    ),
    "methods that have moved with their classes": (
        METHODS.format(1, 1),
        [f"X = 1\n{METHODS}".format(1, 1), f"X = 1\n{METHODS}".format(2, 1)],
        "(A().m(), B().m())",
        (2, 1),
    ),
    "methods of classes that have got another attribute": (
        METHODS.format(1, 1),
        [METHODS.replace(":\n", ":\n    V = 1\n").format(*found) for found in [(1, 1), (2, 1)]],
        "(A().m(), B().m())",
        (2, 1),
    ),
    "lambdas in a class that has got another attribute": (
        "class A:\n    f = lambda self: 1\n    g = lambda self: 1",
        [f"class A:\n    V = 1\n    f = lambda self: 1\n    g = lambda self: {found}" for found in (1, 2)],
        "(A().f(), A().g())",
        (1, 2),
    ),
}


@pytest.mark.parametrize("name", ALIKE)
def test_of_functions_that_do_the_same_the_edited_one_changes(app, name):
    text, edits, expression, expected = ALIKE[name]
    a = app({"c.py": text}, options={"watch": False})
    c = a("c")
    for edit in edits:
        a.write("c.py", edit)
        assert a.loader.reload().ok
    assert eval(expression, vars(c)) == expected


def test_a_module_that_enters_modules_of_others_under_its_name_asks(app):
    text = "import sys\nfor name in list(sys.modules):\n    if name.startswith('json'):\n"
    text += "        sys.modules[f'{__name__}.{name}'] = sys.modules[name]\nWORD = %r\n"
    a = app(a=text % "one")
    a("a")
    try:
        assert "sys.modules" in a.edit(a=text % "two").restart_required[f"{a.name}.a"]
    finally:
        for name in [name for name in sys.modules if name.startswith(f"{a.name}.a.")]:
            del sys.modules[name]
