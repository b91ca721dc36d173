"""lazy.module: a module that is imported on first access."""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
import threading
from types import ModuleType

import pytest

from pyautoload import lazy
from pyautoload.errors import LoadError


@pytest.fixture
def on_path(tree, monkeypatch):
    def write(files: dict[str, str]):
        monkeypatch.syspath_prepend(str(tree(files)))

    return write


def test_it_is_imported_on_first_access_and_takes_its_place(on_path):
    on_path({"late.py": "'doc'\nvalue = 3", "user.py": "from pyautoload import lazy\nlate = lazy.module('late')"})
    user = importlib.import_module("user")
    assert "late" not in sys.modules
    assert repr(user.late) == "<lazy module 'late'>"
    assert user.late.__name__ == "late"
    assert "late" not in sys.modules
    assert user.late.value == 3
    assert user.late is sys.modules["late"]


def test_kept_elsewhere_it_goes_on_standing_for_the_module(on_path):
    on_path({"late.py": "'doc'\nvalue = 3"})
    held = {"late": lazy.module("late")}
    stand_in = held["late"]
    assert isinstance(stand_in, ModuleType)
    assert (stand_in.value, stand_in.__doc__) == (3, "doc")
    stand_in.value = 4
    assert sys.modules["late"].value == 4
    del stand_in.value
    assert not hasattr(sys.modules["late"], "value")
    assert "__spec__" in dir(stand_in)
    assert vars(stand_in) is vars(sys.modules["late"])
    assert repr(stand_in) == repr(sys.modules["late"])


def test_a_dotted_name_gives_the_submodule(on_path):
    on_path({"top/__init__.py": "", "top/inner.py": "x = 1"})
    inner = lazy.module("top.inner")
    assert "top" not in sys.modules
    assert inner.x == 1


def test_a_module_that_is_imported_already_is_given_itself():
    assert lazy.module("sys") is sys


def test_a_missing_module_is_reported_at_first_access_with_the_place(on_path):
    missing = lazy.module("not_there_at_all")
    line = inspect.currentframe().f_lineno - 1
    with pytest.raises(ModuleNotFoundError, match=f"test_lazy_module.py:{line}") as caught:
        _ = missing.x
    assert caught.value.name == "not_there_at_all"
    with pytest.raises(ModuleNotFoundError):
        hasattr(missing, "x")


def test_what_fails_inside_reaches_the_user_unchanged(on_path):
    on_path({"needs.py": "import something_else_missing", "bad.py": "import os\nos.nope"})
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'something_else_missing'$"):
        _ = lazy.module("needs").x
    with pytest.raises(LoadError):
        hasattr(lazy.module("bad"), "x")


def test_probes_of_tools_load_nothing(on_path):
    on_path({"late.py": ""})
    late = lazy.module("late")
    inspect.unwrap(late)
    inspect.ismodule(late)
    assert "late" not in sys.modules


@pytest.mark.parametrize("bad", ["", ".rel", "a..b", "a b", "--x"])
def test_it_takes_dotted_names_only(bad):
    with pytest.raises(ValueError, match="absolute dotted name"):
        lazy.module(bad)


def test_threads_share_one_import(on_path):
    on_path({"late.py": "import time\ntime.sleep(0.05)\nvalue = object()"})
    late, got, start = lazy.module("late"), [], threading.Barrier(6)

    def use():
        start.wait()
        got.append(late.value)

    threads = [threading.Thread(target=use) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(got) == 6
    assert len(set(got)) == 1


@pytest.mark.skipif(not hasattr(builtins, "__lazy_import__"), reason="there are no native lazy imports")
def test_a_native_lazy_import_serves_as_a_global_variable_only(on_path):
    # Why lazy.module has a stand-in of its own.
    on_path({"late.py": "value = 3"})
    names = {"__name__": "one", "__builtins__": builtins, "kept": []}
    exec("kept.append(__lazy_import__('late', globals(), globals(), (), 0))", names)
    with pytest.raises(AttributeError):
        _ = names["kept"][0].value
    exec("late = kept[0]\nfound = late.value", names)
    assert names["found"] == 3
    assert lazy.module("late").value == 3
