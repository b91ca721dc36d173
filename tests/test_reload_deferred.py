"""What is read, compressed and looked at after loading, when there is time: nothing that users see depends on when."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import os
import time

import pytest
from reload_app import App, app  # noqa: F401

from pyautoload.reloading.code.code_packing import shell_of, whole_code
from pyautoload.reloading.dependencies.index import Index
from pyautoload.reloading.records import signature
from pyautoload.reloading.records.text_block import Block


@pytest.fixture
def old_files(monkeypatch):
    """Files count as old enough for their sources to be read later, though the test has just written them."""
    monkeypatch.setattr(signature, "_SURELY_OLD_NS", -(1 << 62))


@pytest.fixture
def no_idling(monkeypatch):
    """Nothing is looked at after loading."""
    monkeypatch.setattr("pyautoload.reloading.watching.watching.Watching._idle", lambda self: None)


def settled(a: App) -> None:
    """Wait until everything that was loaded has been looked at."""
    kept = a.loader.reloader.records
    end = time.monotonic() + 20
    while kept.fresh or kept.untidy or kept.roomy:
        assert time.monotonic() < end
        time.sleep(0.005)


MODULES = {f"m{number}": f"STATE = object()\nX = {number}\ndef f():\n    return X\n" for number in range(5)}


def test_sources_are_read_when_there_is_time_and_edits_change_no_more_than_ever(app, old_files):
    a = app(**MODULES)
    states = [a(name).STATE for name in MODULES]
    settled(a)
    a.edit(m3="STATE = object()\nX = 30\ndef f():\n    return X\n")
    assert (a("m3").f(), a("m2").f()) == (30, 2)
    assert [a(name).STATE for name in MODULES] == states


def test_a_file_edited_before_its_source_was_read_is_executed_again_in_full(app, old_files, no_idling):
    a = app(a="STATE = object()\nOLD = 1\ndef f():\n    return 1\n", b="from APP.a import f\n")
    f, state = a("b").f, a("a").STATE
    result = a.edit(a="STATE = object()\ndef f():\n    return 2\n")
    assert f() == 2
    assert a("a").f is f
    assert not hasattr(a("a"), "OLD")
    assert a("a").STATE is state
    assert a.names(result.reexecuted)[0] == "a"


def test_a_body_edited_before_its_source_was_read_is_patched_all_the_same(app, old_files, no_idling):
    a = app(a="STATE = object()\ndef f():\n    return 1\n")
    f, state = a("a").f, a("a").STATE
    result = a.edit(a="STATE = object()\ndef f():\n    return 2\n")
    assert f() == 2
    assert a("a").STATE is state
    assert a.names(result.patched) == ["a"]


def test_a_name_used_above_its_definition_fails_also_where_the_old_source_is_not_known(app, old_files, no_idling):
    a = app(a="X = 1\nY = X\n")
    assert a("a").Y == 1
    result = a.edit(a="Y = X\nX = 1\n")
    assert "NameError" in str(result.errors[0])
    assert a("a").X == 1


def test_a_touch_before_the_source_was_read_changes_nothing(app, old_files, no_idling):
    a = app(a="STATE = object()\n")
    state = a("a").STATE
    path = a.write("a.py", "STATE = object()\n")
    os.utime(path, (1, 1))
    assert a.quiet()
    assert a("a").STATE is state


def test_a_file_that_was_just_written_is_read_at_once(app, no_idling):
    a = app(a="STATE = object()\nX = 1\n")
    state = a("a").STATE
    a.edit(a="STATE = object()\nX = 2\n")
    assert a("a").X == 2
    assert a("a").STATE is state


def test_closures_are_found_after_their_module_s_code_was_compressed(app, old_files):
    a = app(**{**MODULES, "make": "def make(n):\n    def inner():\n        return n + 1\n    return inner\n"})
    inner = a("make").make(1)
    for name in MODULES:
        a(name)
    settled(a)
    a.edit(make="def make(n):\n    def inner():\n        return n + 2\n    return inner\n")
    assert (inner(), a("make").make(1)()) == (3, 3)


SOURCE = """
'''Doc.'''
import os
LIMITS = (1, (2, 3), ..., b"x", None, 1.5, frozenset({1}))
class A:
    '''Of A.'''
    x = [os.sep for _ in range(3)]
    def method(self, y=LIMITS):
        def inner():
            return y, self
        return inner
    class B:
        f = lambda self: self
def function():
    yield from (n for n in range(3))
"""


def test_code_without_its_functions_is_put_together_as_it_was():
    code = compile(SOURCE, "file.py", "exec")
    shell, functions = shell_of(code)
    again = whole_code(shell, functions)
    assert again == code
    assert {function.co_name for function in functions} >= {"method", "<lambda>", "function"}
    assert all(function in _codes(again) for function in functions)
    assert b"inner" not in shell


def _codes(code):
    found = []
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            found += [const, *_codes(const)]
    return found


def test_the_functions_in_code_put_together_are_the_same_objects():
    code = compile("def f():\n    pass\n", "file.py", "exec")
    shell, functions = shell_of(code)
    assert any(const is functions[0] for const in whole_code(shell, functions).co_consts)


def test_texts_come_out_of_a_block_as_they_went_in():
    texts = {f"m{number}": os.urandom(number * 7) for number in range(40)}
    blocks = [Block(list(texts), list(texts.values())) for _ in range(6)]
    assert all(block.text(name) == text for name, text in texts.items() for block in blocks)


def test_an_index_keeps_few_and_many_names():
    index = Index()
    for number in range(20):
        index.add("many", f"n{number}")
        index.add("many", "n0")
    index.add("few", "a")
    index.add("few", "b")
    index.discard("few", "a")
    index.discard("few", "unknown")
    index.discard("many", "n3")
    assert list(index.get("few")) == ["b"]
    assert set(index.get("many")) == {f"n{number}" for number in range(20)} - {"n3"}
    index.discard("few", "b")
    assert set(index.keys()) == {"many"}
    assert set(index.pop("many"))
    assert not index.get("many")
