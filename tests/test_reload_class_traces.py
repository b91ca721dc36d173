"""What classes leave behind: entries of ``__subclasses__()``, and what abstract classes remember of them."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from reload_app import App, app  # noqa: F401

from pyautoload import ReloadError

# What a class may be laid out like: the base that is asked, and the bases of the one that is edited.
_LAYOUTS = {
    "plain": ("class Root: pass", "Root"),
    "slots": ("class Root:\n    __slots__ = ('a',)", "Root"),
    "one slot": ("class Root:\n    __slots__ = 'a'", "Root"),
    "slots in slots": ("class Low:\n    __slots__ = ('a',)\nclass Root(Low):\n    __slots__ = ('b',)", "Root"),
    "private slots": ("class Root:\n    __slots__ = ('__a',)", "Root"),
    "exception": ("class Root(Exception): pass", "Root"),
    "two exceptions": ("class Root(Exception): pass", "Root, PermissionError"),
    "int": ("class Root(int): pass", "Root"),
    "dict": ("class Root(dict): pass", "Root"),
    "abstract": ("import abc\nclass Root(abc.ABC): pass", "Root"),
    "metaclass": ("class Meta(type): pass\nclass Root(metaclass=Meta): pass", "Root"),
    "generic": ("import typing\nT = typing.TypeVar('T')\nclass Root(typing.Generic[T]): pass", "Root[int]"),
}


@pytest.mark.parametrize(("root", "bases"), _LAYOUTS.values(), ids=_LAYOUTS)
def test_each_subclass_is_listed_once(app: Callable[..., App], root: str, bases: str) -> None:
    def leaf(code: int, more: str = "") -> str:
        return f"from APP.low import Root\nclass Leaf({bases}):\n    code = {code}\n{more}"

    at = app(low=root, leaf=leaf(1), options={"watch": False})

    def listed() -> list[str]:
        return [cls.__name__ for cls in at("low").Root.__subclasses__()]

    kept = at("leaf").Leaf
    assert listed() == ["Leaf"]
    at.write("leaf.py", leaf(2))
    assert at.loader.reload().ok
    assert listed() == ["Leaf"]
    at.write("leaf.py", leaf(3, "raise ValueError(1)"))
    with pytest.raises(ReloadError) as failure:
        at.loader.reload()
    assert listed() == ["Leaf"]
    at.write("leaf.py", leaf(3, "import threading\nt = threading.Thread(target=int)\nt.start()\nt.join()"))
    at.loader.reload()
    at.write("leaf.py", leaf(4, "import threading\nt = threading.Thread(target=int)\nt.start()\nt.join()"))
    assert at.loader.reload().restart_required
    assert listed() == ["Leaf"]
    assert at("leaf").Leaf.code == 3
    assert at("leaf").Leaf is kept
    del failure


def test_an_edit_that_asks_when_all_has_run_leaves_no_class(app: Callable[..., App]) -> None:
    low = "class Root:\n    __slots__ = ('a',)\n"
    at = app(low=low, leaf="from APP.low import Root\nclass Leaf(Root): pass\nleaf = Leaf()", options={"watch": False})
    at("leaf")
    at.write("leaf.py", "from APP.low import Root\nclass Leaf(Root):\n    __slots__ = ('b',)\nleaf = Leaf()")
    assert at.loader.reload().restart_required
    assert [cls.__name__ for cls in at("low").Root.__subclasses__()] == ["Leaf"]


def test_an_exception_that_was_raised_at_import_keeps_no_class(app: Callable[..., App]) -> None:
    hand = "from APP.err import Root\nclass Denied(Root, PermissionError):\n    code = {}\nPRE = Root('x')"
    at = app(
        err="class Root(Exception): pass",
        hand=hand.format(1),
        user="from APP.hand import PRE, Denied\ntry:\n    raise PRE\nexcept Exception:\n    X = Denied.code",
        options={"watch": False},
    )
    at("user")
    for code in (2, 3):
        at.write("hand.py", hand.format(code))
        assert at.loader.reload().ok
        assert code == at("user").X
        assert [cls.__name__ for cls in at("err").Root.__subclasses__()] == ["Denied"]


@pytest.mark.parametrize("made", ["type(name, (Base,), {})", "types.new_class(name, (Base,))"])
def test_classes_that_a_function_makes_are_there_once(app: Callable[..., App], made: str) -> None:
    def factory(more: str) -> str:
        return f"import types\nclass Base: pass\ndef build(name):\n    {more}\n    return {made}\n"

    at = app(
        factory=factory("pass"),
        made="from APP.factory import build as b\nDyn = b('Dyn')\nALL = [b('D0'), b('D1')]\nBY = {'x': b('D2')}",
        user="from APP.made import Dyn, ALL",
        star="from APP.made import *",
        options={"watch": False},
    )
    for name in ("user", "star"):
        at(name)
    for number in (1, 2):
        at.write("factory.py", factory(f"zq = {number}"))
        assert at.loader.reload().ok
        listed = sorted(cls.__name__ for cls in at("factory").Base.__subclasses__())
        assert listed == ["D0", "D1", "D2", "Dyn"]


def _shape(check: str) -> str:
    return (
        "import abc\nclass Shape(abc.ABC):\n    @classmethod\n    def __subclasshook__(cls, other):\n"
        f"        return {check} or NotImplemented\n"
    )


# An abstract class, a class before and after, and an expression that asks.
_ANSWERS = {
    "of its own": (_shape("hasattr(other, 'area')"), "def area(self): pass", "pass", "Shape"),
    "of its own, later": (_shape("hasattr(other, 'area')"), "pass", "def area(self): pass", "Shape"),
    "Sized": ("from collections.abc import Sized as Shape", "def __len__(self): return 0", "pass", "Shape"),
    "Iterable": ("from collections.abc import Iterable as Shape", "pass", "def __iter__(self): pass", "Shape"),
    "PathLike": ("from os import PathLike as Shape", "def __fspath__(self): pass", "pass", "Shape"),
    "Protocol": (
        "import typing\n@typing.runtime_checkable\nclass Shape(typing.Protocol):\n    def area(self): ...",
        "def area(self): pass",
        "pass",
        "Shape",
    ),
}


@pytest.mark.parametrize(("abstract", "before", "after", "asked"), _ANSWERS.values(), ids=_ANSWERS)
def test_what_abstract_classes_remember_follows(
    app: Callable[..., App], abstract: str, before: str, after: str, asked: str
) -> None:
    at = app(
        low=abstract,
        duck=f"class Duck:\n    {before}\n",
        heir="from APP.duck import Duck\nclass Heir(Duck): pass",
        user=f"from APP.low import Shape\nfrom APP.duck import Duck\nCHECK = issubclass(Duck, {asked})",
        options={"watch": False},
    )

    def answers() -> Iterable[bool]:
        shape, duck, heir = at("low").Shape, at("duck").Duck, at("heir").Heir
        return {at("user").CHECK, issubclass(duck, shape), isinstance(duck(), shape), issubclass(heir, shape)}

    first = before != "pass"
    assert answers() == {first}
    at.write("duck.py", f"class Duck:\n    {after}\n")
    assert at.loader.reload().ok
    assert answers() == {not first}
    at.write("duck.py", f"class Duck:\n    {before}\nraise ValueError\n")
    with pytest.raises(ReloadError):
        at.loader.reload()
    assert answers() == {not first}


def test_a_subclass_hook_that_is_patched_answers_anew(app: Callable[..., App]) -> None:
    at = app(
        low=_shape("hasattr(other, 'area')"), duck="class Duck:\n    def area(self): pass", options={"watch": False}
    )
    shape, duck = at("low").Shape, at("duck").Duck
    assert issubclass(duck, shape)
    at.write("low.py", _shape("hasattr(other, 'size')"))
    assert at.loader.reload().ok
    assert not issubclass(duck, shape)


# What a failed attempt counts in a class of another module, and what of that class is looked at.
_COUNTERS = {
    "a class attribute": ("class Field:\n    n = 0\n    def __init__(self): Field.n += 1", "Field.n"),
    "by type(self)": ("class Field:\n    n = 0\n    def __init__(self): type(self).n += 1", "Field.n"),
    "a text": ("class Field:\n    n = ''\n    def __init__(self): Field.n += 'x'", "Field.n"),
    "a tuple": ("class Field:\n    n = ()\n    def __init__(self): Field.n += (1,)", "Field.n"),
    "a global": ("N = 0\nclass Field:\n    def __init__(self):\n        global N\n        N += 1", "N"),
    "a metaclass": (
        "class Meta(type):\n    n = 0\n    def __call__(cls):\n        Meta.n += 1\n        return super().__call__()\n"
        "class Field(metaclass=Meta): pass",
        "Meta.n",
    ),
}


@pytest.mark.parametrize(("code", "looked_at"), _COUNTERS.values(), ids=_COUNTERS)
def test_what_a_failed_attempt_counted_in_a_class_is_put_back(
    app: Callable[..., App], code: str, looked_at: str
) -> None:
    model = "from APP.low import Field\nage = Field()\nNAME = 1\n"
    at = app(low=code, model=model, user="from APP.model import NAME", options={"watch": False})
    at("user")

    def count() -> object:
        return eval(looked_at, dict(vars(at("low"))))

    first = count()
    at.write("model.py", model.replace("NAME = 1", "OTHER = 1"))
    with pytest.raises(ReloadError):
        at.loader.reload()
    assert count() == first
    at.write("model.py", model)
    assert at.loader.reload().ok
    assert count() == first


@pytest.mark.parametrize(
    ("holder", "listed"),
    [
        ("refs = []\ndef add(f):\n    refs.append(weakref.ref(f))\n    return f", "[r() for r in refs if r()]"),
        ("refs = weakref.WeakValueDictionary()\ndef add(f):\n    refs[f.__name__] = f\n    return f", "refs.values()"),
    ],
    ids=["references", "a dictionary"],
)
def test_a_function_that_is_held_weakly_stays_there(app: Callable[..., App], holder: str, listed: str) -> None:
    log = "import weakref\nLOG = []\n" + holder
    at = app(
        hub=log,
        one="from APP.hub import add\n@add\ndef on(): return 'on'",
        two="from APP.hub import LOG\nLOG.append(1)",
        user="from APP import one, two",
        options={"watch": False},
    )
    at("user")

    def answers() -> list[str]:
        return [function() for function in eval(listed, dict(vars(at("hub"))))]

    assert answers() == ["on"]
    at.write("two.py", "from APP.hub import LOG\nLOG.append(2)")
    assert at.loader.reload().ok
    assert answers() == ["on"]
    at.write("one.py", "from APP.hub import add\nX = 1\n@add\ndef on(): return 'anew'")
    assert at.loader.reload().ok
    assert answers() == ["anew"]
