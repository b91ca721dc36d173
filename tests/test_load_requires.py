"""load.requires: names for one function."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys

import pytest

from pyautoload.thirdparty.load import Load

load = Load()
COUNT = 1


def helper():
    return "of the module"


def test_names_are_seen_by_this_function_alone():
    @load.requires("json", "dec=json.decoder")
    def use():
        return json_of_globals(), dec.JSONDecoder, helper(), len([1])  # noqa: F821

    @load.requires("js=json")
    def nested(texts):
        return [js.loads(text) for text in texts], (lambda: js)()  # noqa: F821

    with pytest.raises(NameError):
        use()
    assert nested(["1"]) == ([1], json)
    assert "js" not in globals()
    assert "dec" not in globals()


def test_it_sees_the_globals_of_its_module_live():
    @load.requires("js=json")
    def use():
        return js.dumps(COUNT)  # noqa: F821

    global COUNT
    COUNT = 2
    assert use() == "2"
    COUNT = 1


def test_parameters_of_that_name_get_the_object():
    @load.requires("json", "dec=json.decoder")
    def use(text, json, *, dec):
        return json.loads(text), dec

    assert use("1") == (1, json.decoder)
    assert use("1", dec="given")[1] == "given"
    assert use("2", json) == (2, json.decoder)


def test_nothing_is_loaded_before_the_first_call(tree, monkeypatch):
    monkeypatch.syspath_prepend(str(tree({"needed_later.py": "x = 5"})))

    @load.requires("later=needed_later")
    def use():
        return later.x  # noqa: F821

    assert "needed_later" not in sys.modules
    assert use() == 5


def test_a_missing_module_stops_the_call_before_it_begins():
    began = []

    @load.requires("no_such_module_here")
    def use():
        began.append(1)

    with pytest.raises(ModuleNotFoundError):
        use()
    assert began == []


def test_the_function_stays_what_it_was():
    @load.requires("js=json")
    def use(a: int, b: int = 2) -> str:
        """Doc."""
        return js.dumps([a, b])  # noqa: F821

    @load.requires("js=json")
    async def later():
        return js.dumps(1)  # noqa: F821

    @load.requires("js=json")
    def each():
        yield js.dumps(1)  # noqa: F821

    assert (use.__name__, use.__doc__, list(inspect.signature(use).parameters)) == ("use", "Doc.", ["a", "b"])
    assert use(1) == "[1, 2]"
    assert inspect.iscoroutinefunction(later)
    assert asyncio.run(later()) == "1"
    assert list(each()) == ["1"]


def test_methods_and_closures_and_imports_work():
    outside = "kept"

    class Thing:
        @load.requires("js=json")
        def use(self):
            from os import path

            return js.dumps(outside), path, __name__, isinstance(self, Thing)  # noqa: F821

    text, path, name, own = Thing().use()
    assert (text, own, name) == ('"kept"', True, __name__)
    assert path is sys.modules["os.path"]


def test_assigning_globals_is_refused_with_a_remedy():
    def use():
        global COUNT
        COUNT = 3
        return js  # noqa: F821

    with pytest.raises(TypeError, match=r"take them as parameters, def use\(\.\.\., \*, js\)"):
        load.requires("js=json")(use)


def test_only_functions_and_only_names():
    with pytest.raises(TypeError, match="written with def"):
        load.requires("json")(len)
    with pytest.raises(ValueError, match="not a name for a variable"):
        load.requires("json.decoder")
    with pytest.raises(ValueError, match="must be a name"):
        load.requires("a-b=json")
