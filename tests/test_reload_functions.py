"""Functions: their bodies, defaults, decorators, closures and caches follow an edit, and keep their identity."""

# ruff: noqa: F811, E501  (a fixture imported by name; sources on one line)

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import textwrap
import traceback
import types
import weakref

import pytest
from reload_app import app  # noqa: F401


def test_a_function_body_is_live_and_the_function_stays_the_same_object(app):
    a = app(a="def f():\n    return 1\n", b="from APP.a import f\n")
    held = a("b").f
    result = a.edit(a="def f():\n    return 2\n")
    assert held() == 2
    assert a("a").f is held
    assert a.names(result.patched) == ["a"]
    assert result.reexecuted == []


def test_nothing_else_runs_when_a_body_changes(app):
    a = app(a="LOG = []\nLOG.append('run')\ndef f():\n    return 1\n")
    log = a("a").LOG
    a.edit(a="LOG = []\nLOG.append('run')\ndef f():\n    return 2\n")
    assert a("a").LOG is log
    assert log == ["run"]


def test_changed_default_arguments_are_used(app):
    a = app(a="def f(x=1, *, y=2):\n    return x, y\n")
    held = a("a").f
    a.edit(a="def f(x=10, *, y=20):\n    return x, y\n")
    assert held() == (10, 20)
    assert a("a").f is held


def test_a_changed_signature_and_docstring_are_seen_through_a_held_reference(app):
    a = app(a="def f(x):\n    'old'\n    return x\n")
    held = a("a").f
    a.edit(a="def f(x, y=3):\n    'new'\n    return x + y\n")
    assert (held(1), held.__doc__) == (4, "new")
    assert list(inspect.signature(held).parameters) == ["x", "y"]


DECORATED = """
    import functools
    def twice(fn):
        @functools.wraps(fn)
        def wrapper(*args):
            return fn(*args) * 2
        return wrapper
    @twice
    def f():
        return {value}
"""


def test_the_body_of_a_decorated_function(app):
    a = app(a=DECORATED.format(value=1))
    held = a("a").f
    a.edit(a=DECORATED.format(value=5))
    assert held() == 10
    assert a("a").f is held


def test_a_changed_decorator_in_another_module(app):
    deco = "import functools\ndef deco(fn):\n    @functools.wraps(fn)\n    def wrapper():\n        return {} + fn()\n    return wrapper\n"
    a = app(deco=deco.format(100), a="from APP.deco import deco\n@deco\ndef f():\n    return 1\n")
    held = a("a").f
    assert held() == 101
    a.edit(deco=deco.format(200))
    assert held() == 201
    assert a("a").f is held


def test_a_decorator_that_calls_the_function_at_once(app):
    deco = "def now(fn):\n    return fn() + {}\n"
    a = app(deco=deco.format(1), a="from APP.deco import now\n@now\ndef value():\n    return 10\n")
    assert a("a").value == 11
    a.edit(deco=deco.format(2))
    assert a("a").value == 12


def test_a_decorator_added_and_taken_away(app):
    deco = "def deco(fn):\n    return lambda: -fn()\n"
    a = app(deco=deco, a="from APP.deco import deco\ndef f():\n    return 1\n", b="from APP.a import f\n")
    assert a("b").f() == 1
    a.edit(a="from APP.deco import deco\n@deco\ndef f():\n    return 1\n")
    assert a("b").f() == -1
    a.edit(a="from APP.deco import deco\ndef f():\n    return 3\n")
    assert a("b").f() == 3


def test_living_closures_follow(app):
    text = "def outer(x):\n    def inner():\n        return x + {}\n    return inner\n"
    a = app(a=text.format(1))
    held = a("a").outer(10)
    assert held() == 11
    a.edit(a=text.format(2))
    assert (held(), a("a").outer(10)()) == (12, 12)


def test_lru_cache_forgets_the_answers_of_the_old_code(app):
    text = "import functools\n@functools.lru_cache\ndef f(x):\n    return x * {}\n"
    a = app(a=text.format(2))
    held = a("a").f
    assert held(3) == 6
    a.edit(a=text.format(5))
    assert held(3) == 15


def test_lru_cache_of_a_dependent_forgets_too(app):
    text = "def g():\n    return {}\n"
    a = app(a=text.format(1), b="import functools\nfrom APP.a import g\n@functools.cache\ndef f():\n    return g()\n")
    assert a("b").f() == 1
    a.edit(a=text.format(2))
    assert a("b").f() == 2


def test_a_lambda_and_a_partial_held_elsewhere(app):
    text = "import functools\nkey = lambda x: x + {0}\ndef f(x, y):\n    return (x, y, {0})\n"
    a = app(a=text.format(1))
    held, partial = a("a").key, functools.partial(a("a").f, 7)
    a.edit(a=text.format(2))
    assert held(1) == 3
    assert partial(8) == (7, 8, 2)


def test_singledispatch_registered_in_a_dependent(app):
    base = "import functools\n@functools.singledispatch\ndef show(x):\n    return 'any{}'\n"
    text = "from APP.a import show\n@show.register(int)\ndef _(x):\n    return 'int{0}'\n@show.register(str)\ndef _(x):\n    return 'str{0}'\n"
    a = app(a=base.format(1), b=text.format(1))
    a("b")
    show = a("a").show
    a.edit(b=text.format(2))
    assert (show(1), show("x"), show([])) == ("int2", "str2", "any1")
    a.edit(a=base.format(2))
    assert (show(1), show("x"), show([])) == ("int2", "str2", "any2")


def test_a_function_called_at_import_time_is_called_again(app):
    text = "def make():\n    return [{}]\n"
    a = app(a=text.format(1), b="from APP.a import make\nMADE = make()\ndef use():\n    return MADE\n")
    assert a("b").MADE == [1]
    result = a.edit(a=text.format(2))
    assert a("b").use() == [2]
    assert a.names(result.reexecuted) == ["b"]


def test_a_function_called_at_import_time_through_two_modules(app):
    a = app(
        a="def low():\n    return 1\n",
        b="from APP import a\ndef middle():\n    return a.low() + 10\n",
        c="from APP.b import middle\nVALUE = middle()\n",
    )
    assert a("c").VALUE == 11
    a.edit(a="def low():\n    return 2\n")
    assert a("c").VALUE == 12


def test_a_function_that_is_only_passed_on_at_import_time_needs_no_run(app):
    text = "HANDLERS = []\ndef f():\n    return {}\nHANDLERS.append(f)\nTABLE = dict(f=f)\n"
    a = app(a=text.format(1))
    handlers, table = a("a").HANDLERS, a("a").TABLE
    a.edit(a=text.format(2))
    assert a("a").HANDLERS is handlers
    assert (handlers[0](), len(handlers), table["f"]()) == (2, 1, 2)


def test_running_generators_and_coroutines_end_on_the_old_code_and_new_ones_run_the_new(app):
    text = "import asyncio\ndef gen():\n    yield {0}\n    yield {0}\nasync def co(gate):\n    await gate.wait()\n    return {0}\n"
    a = app(a=text.format(1))
    running = a("a").gen()
    assert next(running) == 1

    async def work():
        gate = asyncio.Event()
        task = asyncio.ensure_future(a("a").co(gate))
        await asyncio.sleep(0)
        a.edit(a=text.format(2))
        gate.set()
        return await task, await a("a").co(gate)

    assert asyncio.run(work()) == (1, 2)
    assert (next(running), next(a("a").gen())) == (1, 2)


def test_tracebacks_and_getsource_show_the_new_lines(app):
    a = app(a="def f():\n    raise ValueError('old')\n")
    held = a("a").f
    a.edit(a="# one line\n# and another\ndef f():\n    raise ValueError('new')\n")
    assert inspect.getsource(held) == "def f():\n    raise ValueError('new')\n"
    try:
        held()
    except ValueError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
    assert (frame.lineno, frame.line) == (4, "raise ValueError('new')")


def test_functions_below_a_comment_get_their_new_lines_though_nothing_is_reported(app):
    a = app(a="def f():\n    raise ValueError\ndef g():\n    return 1\n")
    held = a("a").f
    a.write("a.py", "# comment\n\ndef f():\n    raise ValueError\ndef g():\n    return 1\n")
    assert a.quiet()
    assert held.__code__.co_firstlineno == 3


def test_a_new_function_and_its_import_leave_the_rest_alone(app):
    a = app(a="STATE = object()\ndef f():\n    return 1\n")
    module, state = a("a"), a("a").STATE
    result = a.edit(a="import math\nSTATE = object()\ndef f():\n    return 1\ndef g():\n    return math.floor(2.5)\n")
    assert module.g() == 2
    assert module.STATE is state
    assert a.names(result.reexecuted) == ["a"]


def test_a_removed_function_is_gone(app):
    a = app(a="def f():\n    return 1\ndef g():\n    return 2\n")
    a("a")
    a.edit(a="def g():\n    return 2\n")
    assert not hasattr(a("a"), "f")


def test_async_functions_follow(app):
    a = app(a="async def f():\n    return 1\n")
    held = a("a").f
    a.edit(a="async def f():\n    return 2\n")
    assert asyncio.run(held()) == 2


def test_a_function_that_was_defined_again_takes_further_edits(app):
    text = "import os.path\ndef f(a=1):\n    return os.path.join('a', 'b') + 'X'\n"
    a = app(a=text, b="import functools\ndef deco(f):\n    return f\ndef g():\n    return functools.reduce(max, [1])\n")
    f, g = a("a").f, a("b").g
    a.edit("a.py", text.replace("a=1", "a=2"))
    a.edit("a.py", text.replace("a=1", "a=2").replace("X", "Y"))
    assert f().endswith("Y")
    more = "import functools\ndef deco(f):\n    return f\n@deco\ndef g():\n    return functools.reduce(max, [1])\n"
    a.edit("b.py", more)
    a.edit("b.py", more.replace("[1]", "[2]"))
    assert (g(), a("b").g()) == (2, 2)


TAKERS = {
    "a name": "from APP.a import value\n        return value",
    "a name under another one": "from APP.a import value as v\n        return v",
    "a module": "from APP import a\n        return a.value",
    "a module by its full name": "import APP.a\n        return APP.a.value",
    "a name, two calls down": "return deeper()\n    def deeper():\n        from APP.a import value\n        return value",
}


@pytest.mark.parametrize("body", TAKERS.values(), ids=TAKERS)
def test_what_a_function_imports_while_a_module_is_imported_counts_as_used(app, body):
    maker = textwrap.dedent(f"    def make():\n        {body}\n")
    a = app(a="value = [1]\n", b=maker, c="from APP.b import make\nmade = [make()]\n")
    assert a("c").made == [[1]]
    a.edit(a="value = (2, 3)\n")
    assert a("c").made == [(2, 3)]


GOES = {
    "a function": ("def mark():\n    pass\n", "def marked():\n    pass\n"),
    "a method": (
        "class K:\n    def mark(self): pass\nmark = K.mark\n",
        "class L:\n    def mark(self): pass\nmarked = L.mark\n",
    ),
    "a class": ("class mark:\n    pass\n", "class marked:\n    pass\n"),
}


@pytest.mark.parametrize(("before", "after"), GOES.values(), ids=GOES)
def test_what_has_gone_is_not_in_registries_that_hold_it_weakly(app, signal, before, after):
    a = app(a=f"{before}from weak_registry import signal\nsignal.connect(mark)\n")
    a("a")
    result = a.edit(a=f"{after}from weak_registry import signal\nsignal.connect(marked)\n")
    assert result.ok, result
    held = [a("a").marked]
    assert [reference() for reference in signal.receivers.values()] == held


class Signal:
    """Holds weakly what is connected, as those of blinker and Django do."""

    def __init__(self):
        self.receivers = {}

    def connect(self, receiver):
        key = id(receiver)
        self.receivers[key] = weakref.ref(receiver, lambda reference: self.receivers.pop(key, None))


@pytest.fixture
def signal(monkeypatch):
    module = types.ModuleType("weak_registry")
    module.signal = Signal()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.signal
