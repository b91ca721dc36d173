"""Verified reloads: what is described of modules, how three states are compared, what happens to what is stale."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from pyautoload import AutoLoader, ReloadError
from pyautoload.warm.comparison import changed, differences
from pyautoload.warm.fingerprint import Fingerprint

Tree = Callable[[dict[str, str]], Path]
PATIENCE = 60


def described(tree: Tree, source: str) -> dict[str, str]:
    """The fingerprint of a module with this source, imported anew."""
    root = tree({"described.py": source})
    sys.modules.pop("described", None)
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        with mock.patch.object(
            sys, "dont_write_bytecode", True
        ):  # Python takes what is saved twice in a second for same
            importlib.import_module("described")
        fingerprint = Fingerprint(["described"])
        fingerprint.module("described")
        return fingerprint.found
    finally:
        sys.path.remove(str(root))
        sys.modules.pop("described", None)


# Two versions of a module → a path at which they differ.
EDITS = {
    "a value": ("x = 1", "x = 2", "x"),
    "its type": ("x = 1", "x = True", "x"),
    "a name comes": ("", "x = 1", "x"),
    "a docstring": ("'one'", "'two'", "__doc__"),
    "a nested value": ("x = {'a': [1, (2, 3)]}", "x = {'a': [1, (2, 4)]}", "x['a'][1][1]".replace("'a'", "'a'")),
    "a set": ("x = {'a', 'b'}", "x = {'a', 'c'}", "x"),
    "a body": ("def f(): return 1", "def f(): return 2", "f#code"),
    "an inner body": (
        "def f():\n  def g(): return 1\n  return g",
        "def f():\n  def g(): return 2\n  return g",
        "f#code",
    ),
    "lines": ("def f(): pass", "\n\ndef f(): pass", "f#lines"),
    "a default": ("def f(a=1): pass", "def f(a=2): pass", "f#__defaults__[0]"),
    "a keyword's default": ("def f(*, a=1): pass", "def f(*, a=2): pass", "f#__kwdefaults__['a']"),
    "an annotation": ("def f(a: int): pass", "def f(a: str): pass", "f#__annotations__"),
    "a docstring of a function": ("def f(): 'one'", "def f(): 'two'", "f#__doc__"),
    "an attribute of a function": ("def f(): pass\nf.x = 1", "def f(): pass\nf.x = 2", "f#.x"),
    "a closure": (
        "def f(n):\n  def g(): return n\n  return g\ng = f(1)",
        "def f(n):\n  def g(): return n\n  return g\ng = f(2)",
        "g#cell n",
    ),
    "a method": ("class C:\n  def f(self): return 1", "class C:\n  def f(self): return 2", "C.f#code"),
    "a member": ("class C:\n  x = 1", "class C:\n  x = 2", "C.x"),
    "members": ("class C: pass", "class C:\n  x = 2", "C#members"),
    "a property": (
        "class C:\n  @property\n  def f(self): return 1",
        "class C:\n  @property\n  def f(self): return 2",
        "C.f#fget#code",
    ),
    "a static method": (
        "class C:\n  @staticmethod\n  def f(): return 1",
        "class C:\n  @staticmethod\n  def f(): return 2",
        "C.f#__func__#code",
    ),
    "bases": ("class A: pass\nclass C: pass", "class A: pass\nclass C(A): pass", "C#bases"),
    "subclasses": ("class A: pass\nclass C: pass", "class A: pass\nclass C(A): pass", "A#subclasses"),
    "a metaclass": ("class M(type): pass\nclass C: pass", "class M(type): pass\nclass C(metaclass=M): pass", "C#type"),
    "fields": (
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n  a: int",
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n  b: int",
        "C#fields",
    ),
    "an enumeration": (
        "import enum\nclass E(enum.Enum):\n  A = 1",
        "import enum\nclass E(enum.Enum):\n  A = 2",
        "E.A",
    ),
    "a registry of functions": (
        "R = {}\ndef f(): pass\ndef g(): pass\nR['x'] = f",
        "R = {}\ndef f(): pass\ndef g(): pass\nR['x'] = g",
        "R['x']",
    ),
    "an instance": (
        "class C:\n  def __init__(self): self.x = 1\nc = C()",
        "class C:\n  def __init__(self): self.x = 2\nc = C()",
        "c.x",
    ),
    "slots": (
        "class C:\n  __slots__ = ('x',)\nc = C()\nc.x = 1",
        "class C:\n  __slots__ = ('x',)\nc = C()\nc.x = 2",
        "c.x",
    ),
    "an old class in a registry": (
        "class C: pass\nR = [C]",
        "class C: pass\nR = [C]\nclass C: pass",
        "R[0]",
    ),
    "an alias": ("def f(): pass\ndef g(): pass\nh = f", "def f(): pass\ndef g(): pass\nh = g", "h"),
    "a partial": (
        "import functools\np = functools.partial(print, 1)",
        "import functools\np = functools.partial(print, 2)",
        "p#args[0]",
    ),
    "a cached function": (
        "import functools\n@functools.lru_cache\ndef f(): return 1",
        "import functools\n@functools.lru_cache\ndef f(): return 2",
        "f#__wrapped__#code",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_fingerprint_shows(tree: Tree, edit: str) -> None:
    before, after, path = EDITS[edit]
    one, two = described(tree, before), described(tree, after)
    assert one.get(f"described.{path}") != two.get(f"described.{path}"), sorted(one.items() ^ two.items())


STABLE = """
    import abc, collections, dataclasses, decimal, enum, functools, logging, re, threading, typing, weakref

    lock, log, pattern = threading.Lock(), logging.getLogger("x"), re.compile("a+")
    things = {object(), 1, "a", ("b", frozenset({"c", "d"}))}
    made = object()
    made_of = [made, made, lambda: 0]
    T = typing.TypeVar("T")
    circle = []
    circle.append(circle)
    counts = collections.defaultdict(list, {"a": [1]})


    class Base(abc.ABC):
        held = weakref.WeakSet()
        @abc.abstractmethod
        def f(self) -> "list[Later]": ...


    class Later(Base, typing.Generic[T]):
        def f(self): return super().f()
        def __repr__(self): raise RuntimeError("nobody may ask")
        def __eq__(self, other): raise RuntimeError("nobody may ask")
        __hash__ = object.__hash__
        @property
        def p(self): raise RuntimeError("nobody may ask")
        @functools.cached_property
        def c(self): raise RuntimeError("nobody may ask")


    @dataclasses.dataclass(frozen=True)
    class Point:
        x: int = 1
        tags: list[str] = dataclasses.field(default_factory=list)


    class Color(enum.Flag):
        RED, BLUE = enum.auto(), enum.auto()


    later, point, colors = Later(), Point(), {Color.RED: Later}
    by_object = {later: 1, Later: 3, Color.RED: 4}
"""


def test_unions_that_are_equal_are_described_alike(tree: Tree) -> None:
    """``typing`` remembers what it has made: ``Sequence[Union[A, B]]`` is what somebody has made of ``[B | A]``."""
    hints = ["Union[int, str]", "Union[str, int]", "int | str", "Optional[Union[int, str]]"]
    source = "from typing import *\nx = Sequence[{0}]\ndef f(a: Mapping[str, {0}]): ...\n"
    one, two, three, other = (described(tree, source.format(hint)) for hint in hints)
    assert one == two == three
    assert {path for path in one if one[path] != other[path]} == {"described.x", "described.f#__annotations__"}


def test_a_fingerprint_is_the_same_each_time_and_asks_nobody(tree: Tree) -> None:
    one, two = described(tree, STABLE), described(tree, STABLE)
    assert one == two
    assert not [path for path, text in one.items() if "0x" in text and "0x'" not in text and len(text) > 60]


# Three states

B, N = {"m.f#code": "1", "m.x": "1"}, {"m.f#code": "2", "m.x": "2"}
THREE = [
    # fresh before, fresh now, living → what is not as it should be
    (B, N, N, []),
    (B, N, B, ["f#code", "x"]),
    (B, N, {"m.f#code": "3", "m.x": "3"}, ["f#code"]),
    (B, B, {"m.f#code": "3", "m.x": "3"}, []),
    (B, {}, B, ["f#code", "x"]),
    (B, {}, {}, []),
    ({}, N, {}, ["f#code", "x"]),
]


@pytest.mark.parametrize(("before", "now", "living", "wrong"), THREE)
def test_three_states(before: Any, now: Any, living: Any, wrong: list[str]) -> None:
    paths = dict.fromkeys(changed(before, now, []), "m")
    assert [each.name for each in differences(before, now, living, paths)] == wrong


def test_what_differs_by_chance_is_left_out() -> None:
    assert changed(B, N, ["m.x"]) == {"m.f#code"}


# A program

FILES = {
    "app/settings.py": "LIMIT = 1\nCACHE = {}\n",
    "app/order.py": "import time\nfrom app import settings\nNOW = time.time()\ndef limit(): return settings.LIMIT\n",
}
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the test would take very long")


class Verified:
    """A loader that verifies, and what it has told.

    Args:
        configure: the loader.
        options: of ``enable_reloading``.
    """

    def __init__(self, configure: Callable[[AutoLoader], object] = lambda loader: None, **options: Any) -> None:
        self.outcomes: list[Any] = []
        self.loader = AutoLoader("app")
        configure(self.loader)
        self.loader.setup()
        importlib.import_module("app.order")
        self.spoil: Callable[[], object] = lambda: None
        self.loader.enable_reloading(watch=False, on_reload=lambda result: self.spoil(), verify=True, **options)
        self.loader.on_verified(self.outcomes.append)
        verifier: Any = self.loader._verifier
        self.until(lambda: verifier._before is not None, "knows how it was before")

    def until(self, check: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, f"not {what}"
            time.sleep(0.02)

    def edit(self, file: str, text: str) -> Any:
        """Edit, reload; what the verification said."""
        count = len(self.outcomes)
        Path(file).write_text(textwrap.dedent(text))
        self.loader.reload()
        self.until(lambda: len(self.outcomes) > count, "verified")
        return self.outcomes[-1]


@pytest.fixture
def verified(tree: Tree) -> Iterator[Verified]:
    tree(FILES)
    program = Verified()
    yield program
    program.loader.disable_reloading()


def test_a_reload_that_is_right_is_verified_and_state_stays(verified: Verified) -> None:
    sys.modules["app.settings"].CACHE["filled"] = 1
    outcome = verified.edit("app/settings.py", "LIMIT = 2\nCACHE = {}\n")
    assert outcome.ok
    assert not outcome.healed
    assert not outcome.differences
    assert outcome.duration > 0


def test_a_stale_value_is_healed(verified: Verified) -> None:
    settings = sys.modules["app.settings"]

    def spoil() -> None:
        settings.LIMIT = 1  # as a reload would leave it that has missed the edit
        verified.spoil = lambda: None

    verified.spoil = spoil
    outcome = verified.edit("app/settings.py", "LIMIT = 2\nCACHE = {}\n")
    assert outcome.ok
    assert outcome.healed == ["app.settings"]
    assert settings.LIMIT == 2


def test_stale_code_is_healed(verified: Verified) -> None:
    order = sys.modules["app.order"]
    old = order.limit.__code__

    def spoil() -> None:
        order.limit.__code__ = old
        verified.spoil = lambda: None

    verified.spoil = spoil
    outcome = verified.edit("app/order.py", FILES["app/order.py"].replace("settings.LIMIT", "settings.LIMIT + 1"))
    assert outcome.healed == ["app.order"]
    assert outcome.ok
    assert order.limit() == 2


def test_what_does_not_heal_is_told(verified: Verified) -> None:
    settings = sys.modules["app.settings"]
    verified.spoil = lambda: setattr(settings, "LIMIT", 1)
    outcome = verified.edit("app/settings.py", "LIMIT = 2\nCACHE = {}\n")
    assert not outcome.ok
    (difference,) = outcome.differences
    assert (difference.module, difference.name, difference.living, difference.fresh) == (
        "app.settings",
        "LIMIT",
        "1",
        "2",
    )
    assert "app.settings" in str(difference)


def test_each_of_several_edits_is_compared_with_the_one_before(verified: Verified) -> None:
    for number in range(2, 5):
        assert verified.edit("app/settings.py", f"LIMIT = {number}\nCACHE = {{}}\n").ok
        assert sys.modules["app.order"].limit() == number


def test_what_a_fresh_process_cannot_load_is_not_taken_for_stale(verified: Verified) -> None:
    refuses = "import sys\nassert 'fresh_process' not in getattr(sys.modules['__main__'], '__file__', '')\n"
    Path("app/settings.py").write_text(f"{refuses}LIMIT = 2\nCACHE = {{}}\n")
    verified.loader.reload()
    assert verified.edit("app/settings.py", "LIMIT = 3\nCACHE = {}\n").ok
    assert len(verified.outcomes) == 1


def test_a_file_that_cannot_be_loaded_is_not_compared(verified: Verified) -> None:
    Path("app/order.py").write_text("def limit(:")
    with pytest.raises(ReloadError):
        verified.loader.reload()
    assert verified.edit("app/order.py", FILES["app/order.py"].replace("settings.LIMIT", "7")).ok
    assert len(verified.outcomes) == 1


def test_nothing_is_left_when_it_is_switched_off(verified: Verified) -> None:
    thread = verified.loader._verifier._thread  # type: ignore[union-attr]
    verified.loader.enable_reloading(watch=False)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_what_is_stale_is_written_down_and_can_be_seen_again(tree: Tree, tmp_path_factory: Any) -> None:
    tree(FILES)
    reports = tmp_path_factory.mktemp("reports") / "stale"
    program = Verified(report_stale=str(reports))
    settings = sys.modules["app.settings"]

    def spoil() -> None:
        settings.LIMIT = 1
        program.spoil = lambda: None

    program.spoil = spoil
    try:
        assert program.edit("app/settings.py", "LIMIT = 2\nCACHE = {}\n").ok
    finally:
        program.loader.disable_reloading()
    (report,) = reports.iterdir()
    assert (report / "before/app/settings.py").read_text() == FILES["app/settings.py"]
    assert (report / "after/app/settings.py").read_text() == "LIMIT = 2\nCACHE = {}\n"
    told = json.loads((report / "report.json").read_text())
    assert told["files"] == ["app/settings.py"]
    (difference,) = told["differences"]
    assert difference == {"module": "app.settings", "name": "LIMIT", "living": "1", "fresh": "2"}
    done = subprocess.run([sys.executable, str(report / "replay.py")], capture_output=True, text=True, timeout=PATIENCE)
    assert "right app.settings LIMIT 2 2" in done.stdout, "nobody has spoilt it this time"
    assert done.returncode == 0


def test_a_report_has_what_the_loader_was_told(tree: Tree, tmp_path_factory: Any) -> None:
    files = {"app/concerns/html_page.py": "class HTMLPAGE:\n  x = 1\n", "app/order.py": "from app import HTMLPAGE\n"}
    tree({**FILES, **files})
    reports = tmp_path_factory.mktemp("reports") / "stale"
    program = Verified(
        lambda loader: loader.collapse("app/concerns").inflect({"html_page": "HTMLPAGE"}), report_stale=str(reports)
    )
    program.spoil = lambda: setattr(sys.modules["app.html_page"].HTMLPAGE, "x", 1)
    try:
        assert not program.edit("app/concerns/html_page.py", "class HTMLPAGE:\n  x = 2\n").ok
    finally:
        program.loader.disable_reloading()
    replay = next(reports.iterdir()) / "replay.py"
    done = subprocess.run([sys.executable, str(replay)], capture_output=True, text=True, timeout=PATIENCE)
    assert "right app.html_page HTMLPAGE.x 2 2" in done.stdout, done.stdout + done.stderr


def test_a_reload_that_asks_for_a_restart_is_not_compared_and_the_next_ones_are(tree: Tree) -> None:
    tree(FILES)
    program = Verified(lambda loader: loader.do_not_reload("app/settings.py"))
    verifier: Any = program.loader._verifier
    try:
        known = verifier._before
        Path("app/settings.py").write_text("LIMIT = 2\nCACHE = {}\n")
        assert program.loader.reload().restart_required
        program.until(lambda: verifier._before not in (None, known), "knows how it is now")
        assert not program.outcomes
        outcome = program.edit("app/order.py", FILES["app/order.py"].replace("settings.LIMIT", "7"))
        assert outcome.ok
        assert not outcome.healed, "settings are as they were, and that is known"
    finally:
        program.loader.disable_reloading()


def test_a_file_that_is_saved_again_and_not_reloaded_yet_is_no_difference(verified: Verified) -> None:
    looks: list[object] = []
    verifier: Any = verified.loader._verifier
    look = verifier._fresh.look
    verifier._fresh.look = lambda names: (looks.append(1), look(names))[1]

    def save_again() -> None:
        Path("app/settings.py").write_text("LIMIT = 3\nCACHE = {}\nMORE = 1\n")
        verified.spoil = lambda: None

    verified.spoil = save_again
    Path("app/settings.py").write_text("LIMIT = 2\nCACHE = {}\n")
    verified.loader.reload()
    verified.until(lambda: len(looks) >= 2, "compared")
    time.sleep(1)
    assert sys.modules["app.settings"].LIMIT == 2, "nobody has asked for another reload"
    assert not verified.outcomes
    outcome = verified.edit("app/settings.py", "LIMIT = 3\nCACHE = {}\nMORE = 1\n")
    assert outcome.ok
    assert not outcome.healed


def test_modules_that_are_loaded_meanwhile_are_no_difference(verified: Verified) -> None:
    Path("app/base.py").write_text("class Base: pass\n")
    Path("app/late.py").write_text("from app.base import Base\nclass Late(Base): pass\n")
    importlib.import_module("app.base")
    assert verified.edit("app/base.py", "class Base: x = 1\n").ok
    verified.spoil = lambda: importlib.import_module("app.late")
    outcome = verified.edit("app/base.py", "class Base: x = 2\n")
    assert outcome.ok
    assert not outcome.healed
