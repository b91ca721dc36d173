"""Edit after edit of one place, alone and with others, taken back and made again: each ends as a fresh process."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import textwrap

import pytest
from reload_app import app, shown  # noqa: F401

# What is to be shown of the module `user`, and the sources, with the number of the edit as `{0}`.
CASES = {
    "an object that keeps what decorators give it": (
        "[c.callback is f for c, f in zip(user.tool.commands, [user.add, user.rem])], "
        "[c.callback() for c in user.tool.commands], user.K.tool.commands[0].callback is vars(user.K)['m']",
        {
            "a": "class Info:\n    def __init__(self, f): self.callback = f\nclass Tool:\n"
            "    def __init__(self): self.commands = []\n    def command(self, f):\n"
            "        self.commands.append(Info(f))\n        return f\n",
            "user": "from APP.a import Tool\nimport APP.user as user\ntool = Tool()\n@tool.command\n"
            "def add(): return {0}\n"
            "@tool.command\ndef rem(x=1): return -{0}\nclass K:\n    tool = Tool()\n    @tool.command\n"
            "    def m(self=0): return {0}\nV = {0}\n",
        },
    ),
    "a class whose layout changes, in containers": (
        "S['x'] is b.Leaf, L[0] is b.Leaf, K.T[0] is b.Leaf, b.Leaf.__slots__",
        {
            "b": "class Leaf:\n    __slots__ = ('a{0}',)\n",
            "user": "from APP import b\nfrom APP.b import Leaf\nS = {{'x': Leaf}}\nL = [Leaf]\n"
            "class K:\n    T = (Leaf,)\n",
        },
    ),
    "a metaclass that derives from that of abstract classes": (
        "K.tag, isinstance(K(), a.B), V.tag",
        {
            "a": "import abc\nclass M(abc.ABCMeta):\n    def __init__(cls, *args):\n        super().__init__(*args)\n"
            "        cls.tag = {0}\nclass B(metaclass=M):\n    x = {0}\n",
            "b": "from APP.a import B\nclass K(B): pass\nV = type('V', (B,), {{}})\n",
            "user": "from APP import a\nfrom APP.b import K, V\n",
        },
    ),
    "a decorator on a base class": (
        "[f.name for f in dataclasses.fields(Q)], repr(Q()), NAMES",
        {
            "a": "import dataclasses\nV = {0}\n@[lambda c: c, dataclasses.dataclass][{0} % 2]\nclass P:\n"
            "    x: int = 1\n    __repr__ = lambda self: repr(vars(self))\n",
            "b": "import dataclasses\nfrom APP.a import P\n@dataclasses.dataclass(repr=False)\n"
            "class Q(P):\n    y: int = 2\n"
            "NAMES = [f.name for f in dataclasses.fields(Q)]\n",
            "user": "import dataclasses\nfrom APP.b import Q, NAMES\n",
        },
    ),
    "bound methods whose signature changes": (
        "m == b.leaf.m, b.leaf.m in LISTENERS, m.__func__ is b.Leaf.m, m()",
        {
            "b": "class Leaf:\n    def m(self, x{0}=1): return {0}\n    s = '{0}'\nleaf = Leaf()\n",
            "user": "from APP import b\nfrom APP.b import leaf\nm = leaf.m\nLISTENERS = [leaf.m]\n",
        },
    ),
    "answers that a decorator remembers": (
        "c.f.calls, sorted(c.g.cache), R",
        {
            "a": "import functools\ndef counted(f, z={0}):\n    @functools.wraps(f)\n    def w(*a):\n"
            "        w.calls += 1\n        return f(*a)\n    w.calls = 0\n    return w\n"
            "class memo:\n    def __init__(self, f): self.f, self.cache = f, {{}}\n    def __call__(self, *a):\n"
            "        if a not in self.cache: self.cache[a] = self.f(*a)\n        return self.cache[a]\n",
            "c": "from APP.a import counted, memo\n@counted\ndef f(x): return x + 1\n@memo\n"
            "def g(x): return f(x) * 2\n",
            "user": "from APP import c\nR = [c.g(1), c.g(2)]\n",
        },
    ),
    "one object in a value and under a name of its own": (
        "a.STACK.held is a.VARIABLE, a.STACK.word, a.NAMED['x'] is a.FIRST, sorted(a.NAMED), STACK is a.STACK",
        {
            "a": "import contextvars\nclass Stack:\n"
            "    def __init__(self, word, held): self.word, self.held = word, held\n"
            "class Item: pass\nclass Named(dict):\n    def take(self, name): return self.setdefault(name, Item())\n"
            "VARIABLE = contextvars.ContextVar('v')\nSTACK = Stack('w', VARIABLE)\nNAMED = Named()\n"
            "FIRST = NAMED.take('x')\nSECOND = NAMED.take('y{0}')\nX = {0}\n",
            "user": "from APP import a\nfrom APP.a import STACK\n",
        },
    ),
    "one object in an attribute of a class and in a default": (
        "K.__init__.__defaults__[0] is K.COLORS, W.colors is K.COLORS, K.MORE is a.MORE, a.MORE[0] is a.ITEM",
        {
            "a": "class Item: pass\nITEM = Item()\nMORE = [ITEM]\nclass K:\n    COLORS = {{1: 2}}\n    MORE = MORE\n"
            "    def __init__(self, colors=COLORS): self.colors = colors\n    def f(self): return {0}\n"
            "    x{0} = 1\nW = K()\n",
            "user": "from APP import a\nfrom APP.a import K, W\n",
        },
    ),
    "one object of a cache in values of two modules": (
        "b.ONE.color is c.TWO.color, b.ONE.color is a.color('red'), c.N, b.ONE.color.name",
        {
            "a": "import functools\nclass Color:\n    def __init__(self, name): self.name = name\n"
            "@functools.lru_cache\ndef color(name): return Color(name)\nclass Style:\n"
            "    def __init__(self, color): self.color = color\n    def f(self): return {0}\nX = {0}\n",
            "b": "from APP.a import Style, color\nONE = Style(color('red'))\n",
            "c": "from APP.a import Style, color, X\nTWO = Style(color('red'))\nN = X\n",
            "user": "from APP import a, b, c\n",
        },
    ),
    "lines of what decorators have made for others": (
        "f.__code__.co_firstlineno, K.g.__code__.co_firstlineno, f(), K().g()",
        {
            "a": "{0} if {0} else [\n][{0}:\n]\n"
            "def same(f):\n    def wrapper(*args): return f(*args)\n    return wrapper\n",
            "b": "from APP.a import same\n@same\ndef f(): return 1\nclass K:\n    @same\n    def g(self): return 2\n",
            "user": "from APP.b import f, K\n",
        },
    ),
    "a set of code that two modules hold": (
        "len(b.CODES), b.CODES is a.CODES, c.f.__code__ in b.CODES, all(k.co_consts for k in b.CODES), c.K.f(0)",
        {
            "a": "CODES = set()\ndef inner(f):\n    CODES.add(f.__code__)\n    return f\n",
            "b": "from APP.a import CODES\n",
            "c": "from APP import b\nfrom APP.a import inner\n@inner\ndef f(): return {0}\n"
            "class K:\n    @inner\n    def f(self): return {0}\nX = {0}\n",
            "d": "from APP import b, c\nfrom APP.a import inner\n@inner\ndef g(): return c.X\nY = c.X\n",
            "user": "from APP import a, b, c, d\n",
        },
    ),
    "members of an enum, listed under another name": (
        "[e.name for e in E], [e.name for e in LISTED], F.x in LISTED",
        {
            "a": "import enum\nclass F(enum.Flag):\n    x = 1\n    y{0} = 2\nE = F\n",
            "user": "from APP.a import E, F\nLISTED = list(E)\n",
        },
    ),
    "a class that comes by way of two other modules": (
        "[e.name for e in G], LISTED",
        {
            "a": "import enum\nclass E(enum.Enum):\n    x = 1\n    y{0} = 2\n",
            "b": "from APP.a import E as F\n",
            "c": "from APP import b\nG = b.F\nHELD = {{'it': [b.F]}}\n",
            "user": "from APP.c import G, HELD\nLISTED = [[e.name for e in G], [e.name for e in HELD['it'][0]]]\n",
        },
    ),
    "what others re-export, and give on as an attribute": (
        "LISTED, SIGNATURE, b.NAMES",
        {
            "a": "import enum\nclass E(enum.Enum):\n    x = 1\n    y{0} = 2\ndef f(x={0}): return x\n",
            "b": "from APP.a import *\nfrom APP.a import f as g\nNAMES = 'stay'\n",
            "c": "from APP.b import E, g\n",
            "user": "import inspect\nfrom APP import b, c\nLISTED = [[e.name for e in c.E], [e.name for e in b.E]]\n"
            "SIGNATURE = str(inspect.signature(c.g))\n",
        },
    ),
    "subclasses of an abstract class": (
        "sorted(c.__name__ for c in B.__subclasses__()), isinstance(1, B), issubclass(Q, B)",
        {
            "a": "import abc\nclass B(abc.ABC):\n    v = {0}\n",
            "b": "from APP.a import B\nclass Q: w = {0}\nB.register(Q)\nclass S(B): pass\nclass S{0}(B): pass\n",
            "user": "from APP.a import B\nfrom APP.b import Q\nB.register(int)\n",
        },
    ),
    "subclasses of a generic class": (
        "sorted(c.__name__ for c in B.__subclasses__()), A().v",
        {
            "a": "import typing\nT = typing.TypeVar('T')\nclass B(typing.Generic[T]):\n    v = {0}\n",
            "b": "from APP.a import B\nclass S{0}(B[int]): pass\nclass U(B): pass\n",
            "user": "from APP.a import B\nimport APP.b\nA = B[str]\n",
        },
    ),
    "subclasses of an enum without members": (
        "sorted(c.__name__ for c in B.__subclasses__()), S.x.f()",
        {
            "a": "import enum\nclass B(enum.Enum):\n    def f(self): return ({0}, self.value)\n",
            "b": "from APP.a import B\nclass S(B):\n    x = {0}\nclass X{0}(B):\n    z = 1\n",
            "user": "from APP.a import B\nfrom APP.b import S\n",
        },
    ),
    "functions in values of a module": (
        "[f() for f in L], D['k'](), T[0]()(), P(), O.f()",
        {
            "a": "import functools\ndef f(): return {0}\ndef g():\n    def h(): return {0}\n    return h\nL = [f]\n"
            "D = {{'k': f}}\nT = (g,)\nP = functools.partial(f)\nclass Holder:\n    def __init__(self, f): self.f = f\n"
            "O = Holder(f)\nX = '{0}'\n",
            "user": "from APP.a import L, D, T, P, O\n",
        },
    ),
    "functions in values of a class": (
        "[f(0) for f in K.L], K.D['k'](0), K.T[0](0), K.P(), K.O.f(0), K.N.L[0](0), K.L[0] is K.f",
        {
            "a": "import functools\nclass Holder:\n    def __init__(self, f): self.f = f\n"
            "class K:\n    def f(self): return {0}\n    L = [f]\n    D = {{'k': f}}\n    T = (f,)\n"
            "    P = functools.partial(f, 0)\n    O = Holder(f)\n"
            "    class N:\n        def q(self): return {0}\n        L = [q]\n    X = '{0}'\n",
            "user": "from APP.a import K\n",
        },
    ),
    "lambdas and bound methods": (
        "[f(1) for f in L], K.D['x'](2), [m() for m in MS], C.m2(0)",
        {
            "a": "L = [lambda x: x + {0}, lambda x: x * {0}]\nclass K:\n    D = {{'x': lambda y: y - {0}}}\n"
            "    def m(self): return {0}\n    @classmethod\n    def c(cls): return ({0}, cls.__name__)\nk = K()\n"
            "MS = [k.m, K.c]\nclass C:\n    m2 = K.m\nX = '{0}'\n",
            "user": "from APP.a import L, K, MS, C\n",
        },
    ),
    "modules in a circle, one of which imports itself": (
        "a.f(), b.g(), [m.V for m in a.HELD], GIVEN",
        {
            "b": "from APP import a\nimport enum\nclass E(enum.Enum):\n    x{0} = 1\nW = {0} * 10\n"
            "def g(): return a.V\n",
            "a": "from APP import b\nfrom APP import a as me\nV = {0}\nHELD = [me]\nSHOWN = b.W + 1\n"
            "def f(): return b.W + V\n",
            "user": "from APP import a, b\nGIVEN = [a.SHOWN, [e.name for e in b.E]]\n",
        },
    ),
    "the default of a context variable": (
        "c.get(), TAKEN",
        {
            "a": "import contextvars\nc = contextvars.ContextVar('c', default={0})\n",
            "user": "from APP.a import c\nTAKEN = c.get()\n",
        },
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_edit_ends_as_a_fresh_process_would(app, kind):
    expression, sources = CASES[kind]
    sources = {name: textwrap.dedent(text) for name, text in sources.items()}
    a = app(**{name: text.format(1) for name, text in sources.items()})
    a("user")
    for number in (2, 3, 2, 4):
        result = a.edit(**{name: text.format(number) for name, text in sources.items() if "{0}" in text})
        assert not result.restart_required
        assert eval(expression, a("user").__dict__) == shown(
            expression, {name: text.format(number) for name, text in sources.items()}
        )
    for name, text in sources.items():
        if "{0}" in text:
            a.edit(**{name: text.format(5)})
    assert eval(expression, a("user").__dict__) == shown(
        expression, {name: text.format(5) for name, text in sources.items()}
    )


def test_a_name_changes_in_files_that_import_each_other_by_way_of_their_package(app):
    package = "from APP.p.a import Base{0}\nfrom APP.p.c import User\n"
    sources = {
        "p__s__b": "from APP.p import c\nclass Base{0}: pass\n",
        "p__a": "from APP.p.s.b import Base{0} as Under\nclass Base{0}(Under): pass\n",
        "p__c": "import APP.p\nclass User: pass\n",
    }
    a = app(
        {"p/__init__.py": package.format(1), "p/s/__init__.py": ""},
        **{name: text.format(1) for name, text in sources.items()},
    )
    a("p")
    for number in (2, 3, 4):
        texts = {name: text.format(number) for name, text in sources.items()}
        assert not a.edit("p/__init__.py", package.format(number), **texts).restart_required
        base = f"Base{number}"
        assert vars(a("p.a"))[base].__mro__[1] is vars(a("p.s.b"))[base]
        assert vars(a("p"))[base] is vars(a("p.a"))[base]


def test_what_waits_for_a_restart_is_told_again_with_the_next_edit(app):
    text = "import threading\nthreading.Thread(target=print).start()\nWORD = {0}\n"
    a = app(a=text.format(1), b="X = 1\n")
    a("a"), a("b")
    assert a.edit(a=text.format(2)).restart_required
    result = a.edit(b="X = 2\n")
    assert a("b").X == 2
    assert f"the last edit of {a.name}.a still needs a restart" in result.notes
    assert not a.edit(a=text.format(1), b="X = 3\n").notes
