"""Classes: living instances, subclasses and references follow an edit; identity stays wherever Python allows it."""

# ruff: noqa: F811, E501, SIM300  (a fixture imported by name; sources on one line)

from __future__ import annotations

import copy
import gc
import pickle
import sys
import textwrap

import pytest
from reload_app import app  # noqa: F401

PLAIN = "class C:\n    X = {0}\n    def m(self):\n        return {0}\n"


def test_a_method_body_with_living_instances_and_bound_methods(app):
    a = app(a=PLAIN.format(1))
    cls, obj = a("a").C, a("a").C()
    bound = obj.m
    a.edit(a=PLAIN.format(1).replace("return 1", "return 2"))
    assert (obj.m(), bound()) == (2, 2)
    assert a("a").C is cls
    assert type(obj) is cls


MEMBERS = [
    ("def m(self): return 1", "def m(self): return 1\n    def n(self): return 2", lambda o: o.n() == 2),
    ("def m(self): return 1\n    def n(self): return 2", "def m(self): return 1", lambda o: not hasattr(o, "n")),
    ("X = 1", "X = 2", lambda o: o.X == 2),
    ("X = 1\n    Y = 2", "X = 1", lambda o: not hasattr(o, "Y")),
    ("X = []", "X = [1]", lambda o: o.X == [1]),
    ("@property\n    def p(self): return 1", "@property\n    def p(self): return 2", lambda o: o.p == 2),
    ("def p(self): return 1", "@property\n    def p(self): return 2", lambda o: o.p == 2),
    (
        "@property\n    def p(self): return self._p\n    @p.setter\n    def p(self, v): self._p = v",
        "@property\n    def p(self): return self._p\n    @p.setter\n    def p(self, v): self._p = v * 2",
        lambda o: (setattr(o, "p", 3), o.p)[1] == 6,
    ),
    ("@staticmethod\n    def s(): return 1", "@staticmethod\n    def s(): return 2", lambda o: o.s() == 2),
    (
        "@classmethod\n    def s(cls): return 1",
        "@classmethod\n    def s(cls): return cls, 2",
        lambda o: o.s() == (type(o), 2),
    ),
    ("def s(self): return 1", "@classmethod\n    def s(cls): return cls", lambda o: o.s() is type(o)),
    ("def m(self, x=1): return x", "def m(self, x=2, *, y=3): return x + y", lambda o: o.m() == 5),
    (
        "def m(self): return self.__v()\n    def __v(self): return 1",
        "def m(self): return self.__w()\n    def __w(self): return 2",
        lambda o: o.m() == 2,
    ),
    ("'old'", "'new'", lambda o: type(o).__doc__ == "new"),
    (
        "class In:\n        X = 1",
        "class In:\n        X = 2\n        def f(self): return 3",
        lambda o: (o.In.X, o.In().f()) == (2, 3),
    ),
    ("def __len__(self): return 1", "def __len__(self): return 2", lambda o: len(o) == 2),
    ("def __call__(self): return 1", "def __call__(self): return 2", lambda o: o() == 2),
    ("X: int = 1", "X: int = 1\n    Y: str = 'y'", lambda o: (o.Y, set(type(o).__annotations__)) == ("y", {"X", "Y"})),
    ("A = 1\n    B = A + 1", "A = 5\n    B = A + 1", lambda o: o.B == 6),
    (
        "def __repr__(self): return 'x'",
        "def __repr__(self): return f'<{super().__repr__()[:2]}>'",
        lambda o: repr(o) == "<<a>",
    ),
]


@pytest.mark.parametrize(("old", "new", "check"), MEMBERS)
def test_members_of_a_class(app, old, new, check):
    a = app(a=f"class C:\n    {old}\n", b="from APP.a import C\n")
    obj, cls = a("b").C(), a("b").C
    a.edit(a=f"class C:\n    {new}\n")
    assert check(obj)
    assert check(a("a").C())
    assert a("b").C is a("a").C is cls


def test_super_and_subclasses_in_a_dependent(app):
    base = "class Base:\n    def m(self):\n        return [{}]\n"
    a = app(
        a=base.format(1),
        b="from APP.a import Base\nclass Child(Base):\n    def m(self):\n        return super().m() + ['child']\n",
    )
    obj = a("b").Child()
    result = a.edit(a=base.format(2))
    assert obj.m() == [2, "child"]
    assert result.reexecuted == []


def test_super_introduced_into_a_method(app):
    a = app(
        a="class Base:\n    def m(self):\n        return 1\nclass Child(Base):\n    def m(self):\n        return 2\n",
    )
    obj = a("a").Child()
    a.edit(
        a="class Base:\n    def m(self):\n        return 1\nclass Child(Base):\n    def m(self):\n        return super().m() + 10\n"
    )
    assert obj.m() == 11


def test_isinstance_and_pickling_of_old_instances(app):
    a = app(a=PLAIN.format(1), b="from APP.a import C\ndef check(x):\n    return isinstance(x, C)\n")
    obj = a("a").C()
    a.edit(a=PLAIN.format(2))
    assert a("b").check(obj)
    assert type(pickle.loads(pickle.dumps(obj))) is type(copy.deepcopy(obj)) is a("a").C


DATACLASS = "from dataclasses import dataclass, field\n@dataclass\nclass D:\n    x: int = 1\n"


def test_a_dataclass_with_a_new_field(app):
    a = app(
        a=DATACLASS,
        b="from APP.a import D\nfrom dataclasses import dataclass\n@dataclass\nclass E(D):\n    z: int = 9\n",
    )
    obj, cls, sub = a("a").D(5), a("a").D, a("b").E
    a.edit(a=DATACLASS + "    y: list = field(default_factory=list)\n")
    assert repr(a("a").D(1, [2])) == "D(x=1, y=[2])"
    assert isinstance(obj, a("a").D)
    assert a("a").D is cls
    assert repr(a("b").E(1, [], 3)) == "E(x=1, y=[], z=3)"
    assert a("b").E is sub


ENUM = "import enum\nclass Color(enum.Enum):\n    RED = 1\n    GREEN = 2\n"


def test_an_enum_with_a_new_member_keeps_the_old_ones(app):
    a = app(a=ENUM, b="from APP.a import Color\nNAMES = [c.name for c in Color]\n")
    red, color = a("a").Color.RED, a("b").Color
    assert a("b").NAMES == ["RED", "GREEN"]
    a.edit(a=ENUM + "    BLUE = 3\n")
    assert a("a").Color is color
    assert red is color.RED is color(1) is color["RED"]
    assert (color.BLUE.value, color(3), len(color)) == (3, color.BLUE, 3)
    assert isinstance(color.BLUE, color)
    assert a("b").NAMES == ["RED", "GREEN", "BLUE"]


def test_an_enum_whose_value_changes_or_that_loses_a_member(app):
    a = app(a=ENUM)
    color, red = a("a").Color, a("a").Color.RED
    a.edit(a=ENUM.replace("RED = 1", "RED = 10").replace("    GREEN = 2\n", ""))
    assert (red.value, color(10) is red, list(color)) == (10, True, [red])
    assert not hasattr(color, "GREEN")


def test_an_enum_and_a_namedtuple_beside_an_edited_function_are_left_alone(app):
    text = ENUM + "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\nX = 1\ndef f():\n    return {}\n"
    a = app(a=text.format(1))
    module = a("a")
    before = module.Color, module.P, module.Color.RED
    a.edit(a=text.format(2))
    assert (module.Color, module.P, module.Color.RED) == before
    a.edit(a=text.format(2).replace("X = 1", "X = 2"))
    assert (module.Color, module.P, module.Color.RED) == before
    assert module.f() == 2


def test_int_enums_and_flags(app):
    text = "import enum\nclass L(enum.IntEnum):\n    LOW = 1\nclass F(enum.Flag):\n    A = 1\n"
    a = app(a=text)
    low, flag = a("a").L.LOW, a("a").F.A
    a.edit(a=text.replace("LOW = 1", "LOW = 1\n    HIGH = 2") + "    B = 2\n")
    assert a("a").L(1) is low
    assert a("a").L.HIGH > low
    assert (a("a").F.A is flag, (flag | a("a").F.B).value) == (True, 3)


def test_exception_classes_that_others_catch(app):
    base = "class Oops(Exception):\n    def hint(self):\n        return {}\ndef fail():\n    raise Oops\n"
    a = app(
        a=base.format(1),
        b="from APP.a import Oops, fail\ndef f():\n    try:\n        fail()\n    except Oops as e:\n        return e.hint()\n",
    )
    assert a("b").f() == 1
    a.edit(a="CODE = 5\n" + base.format(2))
    assert a("b").f() == 2


def test_abstract_classes(app):
    base = "import abc\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def m(self): ...\n"
    a = app(a=base, b="from APP.a import Base\nclass Impl(Base):\n    def m(self):\n        return 1\n")
    impl = a("b").Impl()
    a.edit(a=base + "    @abc.abstractmethod\n    def n(self): ...\n")
    with pytest.raises(TypeError):
        a("b").Impl()
    assert isinstance(impl, a("a").Base)
    a.edit(a=base)
    assert a("b").Impl().m() == 1


def test_changed_slots_ask_for_a_restart_where_instances_live(app):
    a = app(a="class S:\n    __slots__ = ('x',)\n", b="from APP.a import S\nclass T(S):\n    __slots__ = ()\n")
    old, kind = a("a").S(), a("a").S
    result = a.edit(a="class S:\n    __slots__ = ('x', 'y')\n")
    assert "cannot take its new layout" in result.restart_required[f"{a.name}.a"]
    assert (a("a").S, type(old)) == (kind, kind)


def test_changed_slots_give_a_new_class_where_no_instance_lives(app):
    a = app(a="class S:\n    __slots__ = ('x',)\n", b="from APP.a import S\nclass T(S):\n    __slots__ = ()\n")
    assert a("b").T
    result = a.edit(a="class S:\n    __slots__ = ('x', 'y')\n")
    assert result.ok
    a("a").S().y = 1
    a("b").T().y = 2
    assert a("b").S is a("a").S
    assert issubclass(a("b").T, a("a").S)


def test_equal_slots_are_updated_in_place(app):
    text = "class S:\n    __slots__ = ('x', '__y')\n    def m(self):\n        return {}\n    Z = {}\n"
    a = app(a=text.format(1, 1))
    obj = a("a").S()
    obj.x = 5
    a.edit(a=text.format(2, 2))
    assert (obj.m(), obj.Z, obj.x) == (2, 2, 5)


def test_a_changed_base_class(app):
    text = "class A:\n    def m(self):\n        return 'a'\nclass B:\n    def m(self):\n        return 'b'\nclass C({}):\n    pass\n"
    a = app(a=text.format("A"), b="from APP.a import C\nclass D(C):\n    pass\n")
    obj, sub = a("a").C(), a("b").D()
    a.edit(a=text.format("B"))
    assert (obj.m(), sub.m()) == ("b", "b")
    assert isinstance(obj, a("a").C)


def test_a_base_class_given_to_a_class_that_had_none_moves_its_instances(app):
    text = "class A:\n    def m(self):\n        return 'a'\nclass C{}:\n    pass\n"
    a = app(a=text.format(""), b="from APP.a import C\nclass D(C):\n    pass\n")
    obj, sub = a("a").C(), a("b").D()
    obj.kept = 1
    a.edit(a=text.format("(A)"))
    assert (obj.m(), obj.kept, sub.m()) == ("a", 1, "a")
    assert isinstance(obj, a("a").C)
    assert isinstance(sub, a("a").C)


@pytest.mark.parametrize("base", ["", "(abc.ABC)"])
def test_a_class_that_loses_its_base_class_keeps_what_its_instances_hold(app, base):
    text = f"import abc\nclass A{base}:\n    pass\n" + "class C{}:\n    def m(self):\n        return {}\n"
    a = app(a=text.format("(A)", 1))
    obj = a("a").C()
    obj.kept = 1
    a.edit(a=text.format(base, 2))
    assert (obj.m(), vars(obj), isinstance(obj, a("a").C)) == (2, {"kept": 1}, True)


def test_a_registry_filled_by_init_subclass_has_no_duplicates(app):
    base = "REGISTRY = []\nclass Plugin:\n    def __init_subclass__(cls):\n        REGISTRY.append(cls)\n"
    text = "from APP.a import Plugin\nclass One(Plugin):\n    X = {0}\n    def m(self):\n        return {0}\n"
    a = app(a=base, b=text.format(1))
    one = a("b").One
    a.edit(b=text.format(2))
    assert a("a").REGISTRY == [one]
    assert a("b").One is one
    assert one().m() == one.X == 2
    assert a("a").Plugin.__subclasses__() == [one]


def test_a_user_metaclass_that_refuses_is_reported_and_not_silently_stale(app):
    text = (
        "class Frozen(type):\n    def __setattr__(cls, name, value):\n        raise TypeError('frozen')\n"
        "class C(metaclass=Frozen):\n    X = {0}\n    def m(self):\n        return {1}\n"
    )
    a = app(a=text.format(1, 1))
    obj = a("a").C()
    a.edit(a=text.format(1, 2))
    assert obj.m() == 2
    result = a.edit(a=text.format(5, 2))
    assert obj.X == 5 or f"{a.name}.a" in result.restart_required


def test_generic_and_protocol_classes(app):
    text = "from typing import Generic, Protocol, TypeVar\nT = TypeVar('T')\nclass Box(Generic[T]):\n    X = {0}\n    def m(self):\n        return {0}\nclass P(Protocol):\n    def m(self): ...\n"
    a = app(a=text.format(1), b="from APP.a import Box\nclass IntBox(Box[int]):\n    pass\n")
    obj, box = a("b").IntBox(), a("a").Box
    a.edit(a=text.format(2))
    assert (obj.m(), obj.X, a("a").Box is box) == (2, 2, True)


# Without a GIL Python 3.13 makes functions and classes immortal once a second thread has been started.
IMMORTAL = sys.version_info[:2] == (3, 13) and not getattr(sys, "_is_gil_enabled", lambda: True)()


@pytest.mark.skipif(IMMORTAL, reason="without a GIL this Python frees no class at all")
def test_twenty_reloads_leak_no_class(app):
    text = "from dataclasses import dataclass\n@dataclass\nclass D:\n    x: int = {0}\nclass E(D):\n    Y = [{0}]\n    Z: list = None\n"
    a = app(a=text.format(0))
    module = a("a")
    for number in range(1, 21):
        a.edit(a=text.format(number))
    gc.collect()
    alive = [o for o in gc.get_objects() if issubclass(type(o), type) and o.__module__ == module.__name__]
    assert sorted(o.__name__ for o in alive) == ["D", "E"]
    assert (module.D().x, module.E.Y) == (20, [20])


def test_an_enum_member_that_was_another_name_of_one_becomes_its_own(app):
    text = "import enum\nclass Color(enum.Enum):\n    BLUE = 2\n    RED = {}\n"
    a = app(a=text.format(1))
    blue = a("a").Color.BLUE
    a.edit("a.py", text.format(2))
    assert a("a").Color.RED is blue
    a.edit("a.py", text.format(3))
    assert [(each.name, each.value) for each in a("a").Color] == [("BLUE", 2), ("RED", 3)]
    assert a("a").Color.BLUE is blue


@pytest.mark.parametrize(
    "text",
    [
        "from collections import namedtuple\nP = namedtuple('P', 'x y{0}')\n",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int\n    z{0}: int = 0\n",
    ],
)
def test_living_named_tuples_ask_for_a_restart_when_their_fields_change(app, text):
    a = app(a=text.format(""))
    kind = a("a").P
    held = kind(1, 2)
    result = a.edit(a=text.format(" w" if "{0}'" in text else "z"))
    assert "cannot get the fields" in result.restart_required[f"{a.name}.a"]
    assert (a("a").P, type(held)) == (kind, kind)


def test_a_class_that_loses_its_slots_after_it_was_made(app):
    text = "class U:\n    __slots__ = ('x',)\n    def m(self): return {}\n    def n(self, b=1): return b\nclass V(U): ...\ndef f(base=U): return base\ndel U.__slots__\n"
    a = app(a=text.format(1))
    held = a("a").U()
    a.edit(a=text.format(2) + "Z = 1\n")
    module = a("a")
    assert (held.m(), module.U().m(), module.f() is module.U, issubclass(module.V, module.U)) == (2, 2, True, True)
    assert [cls.__name__ for cls in module.U.__subclasses__()] == (["V", "V"] if IMMORTAL else ["V"])
    assert isinstance(held, module.U)


SHARING = """
    from __future__ import annotations
    import functools
    from typing import Optional

    LIMIT = {limit}

    class Hook:
        def __init__(self, function):
            self.function = function

        def __get__(self, obj, kind=None):
            return self

    class File:
        {extra}
        def _made(self, way: Optional[int] = None) -> "File":
            \"\"\"Make it.\"\"\"
            return {limit}

        by_property = property(_made)
        by_cached_property = functools.cached_property(_made)
        by_partial = functools.partialmethod(_made, 1)
        by_cache = functools.lru_cache(maxsize=4)(_made)
        by_hook = Hook(_made)
        by_static = staticmethod(_made)
        in_list = [_made]
        in_dict = {{"it": _made}}
        same = _made
"""
HOLDERS = {
    "by_property": lambda value: value.fget,
    "by_cached_property": lambda value: value.func,
    "by_partial": lambda value: value.func,
    "by_cache": lambda value: value.__wrapped__,
    "by_hook": lambda value: value.function,
    "by_static": lambda value: value.__func__,
    "in_list": lambda value: value[0],
    "in_dict": lambda value: value["it"],
    "same": lambda value: value,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_all_that_a_class_makes_of_one_function_goes_on_sharing_it(app, holder):
    text = textwrap.dedent(SHARING)
    lines = [line for line in text.splitlines() if not line.strip().startswith(tuple(HOLDERS)) or holder in line]
    text = "\n".join(lines) + "\n"
    a = app(a=text.format(limit=1, extra="Y = 1"))
    a("a")
    for limit, extra in ((2, "Y = 1"), (2, "Y = 2"), (3, "def other(self): pass"), (1, "")):
        assert not a.edit(a=text.format(limit=limit, extra=extra)).restart_required
        names = vars(a("a").File)
        held = HOLDERS[holder](names[holder])
        assert held is names["_made"]
        assert held(None) == limit
        cached = getattr(names.get("by_cache"), "__dict__", {})
        assert cached.get("__annotations__", held.__annotations__) is held.__annotations__


def test_what_a_class_makes_of_its_descriptors_holds_those_that_it_has(app):
    text = """
        class Option:
            def __init__(self, default):
                self.default = default

            def __set_name__(self, owner, name):
                self.name = name

            def __get__(self, obj, owner=None):
                return self if obj is None else self.default

        class Config:
            def __init_subclass__(cls):
                cls.schema = tuple((name, value) for name, value in vars(cls).items() if isinstance(value, Option))
                cls.by_name = dict(cls.schema)

        class Own(Config):
            width = Option(1)
            height = Option(2)

        class Plugin:
            scheme = Own.schema

            def f(self):
                return {0}
    """
    text = textwrap.dedent(text)
    a = app(a=text.format(1))
    a("a")
    for number in (2, 3):
        a.edit(a=text.format(number) + f"\nX = {number}\n")
        own, plugin = a("a").Own, a("a").Plugin
        assert plugin.scheme is own.schema
        assert all(option is vars(own)[name] is own.by_name[name] for name, option in own.schema)
        assert plugin().f() == number


def test_one_object_in_attributes_of_two_classes_goes_on_being_one(app):
    text = """
        class Own:
            schema = [["width", 1]]

        class Plugins:
            def __init_subclass__(cls):
                cls.scheme = Own.schema

        class Plugin(Plugins):
            def f(self):
                return {0}{1}
    """
    text = textwrap.dedent(text)
    a = app(a=text.format(1, ""))
    schema = a("a").Own.schema
    for number in (2, 3):
        a.edit(a=text.format(number, f"\n\nclass More{number}(Plugins): pass"))
        assert a("a").Plugin.scheme is a("a").Own.schema is schema
        assert a("a").Plugin().f() == number


MADE_BY_CALL = {
    "a named tuple": "import typing\nX = typing.NamedTuple('X', [('{0}a', int)])\n",
    "namedtuple": "import collections\nX = collections.namedtuple('X', '{0}a b')\n",
    "a typed dict": "import typing\nX = typing.TypedDict('X', {{'{0}a': int}})\n",
    "an enum": "import enum\nX = enum.Enum('X', '{0}a B')\n",
    "a dataclass": "import dataclasses\nX = dataclasses.make_dataclass('X', ['{0}a'])\n",
    "type": "X = type('X', (), {{'{0}a': 1}})\n",
    "new_class": "import types\nX = types.new_class('X', (), {{}}, lambda names: names.update({0}a=1))\n",
    "a factory": "def make():\n    class X:\n        {0}a = 1\n    return X\nX = make()\n",
    "a decorator": "def same(cls): return type(cls.__name__, (), dict(vars(cls)))\n@same\nclass X:\n    {0}a = 1\n",
}


@pytest.mark.parametrize("way", MADE_BY_CALL)
def test_classes_that_a_call_makes_are_one_wherever_they_are_held(app, way):
    text = MADE_BY_CALL[way] + "HERE = [X]\n"
    holder = "from APP.a import X\nLIST = [X]\nDICT = {'x': (X,)}\nclass C:\n    kind = X\ndef f(cls=X): return cls\n"
    a = app(a=text.format("q"), b=holder, c="from APP import b\nALL = [b.LIST[0], b.C.kind]\nclass D(b.C): pass\n")
    a("c")
    for prefix in "rst":
        assert not a.edit(a=text.format(prefix)).restart_required
        cls, b, c = a("a").X, a("b"), a("c")
        held = [*a("a").HERE, b.X, *b.LIST, *b.DICT["x"], b.C.kind, b.f(), *c.ALL, c.D.kind]
        assert all(item is cls for item in held), held
        names = {*dir(cls), *getattr(cls, "__annotations__", {})}
        assert f"{prefix}a" in names
        assert "qa" not in names
