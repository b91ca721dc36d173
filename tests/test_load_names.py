"""load: modules, objects and files by name."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest

import pyautoload
from pyautoload.errors import ConflictError, LoadError
from pyautoload.thirdparty.load import Load
from pyautoload.thirdparty.load import load as the_one
from pyautoload.thirdparty.load_errors import TargetError


@pytest.fixture
def load():
    return Load()


@pytest.fixture
def on_path(tree, monkeypatch):
    def write(files: dict[str, str]) -> Path:
        root = tree(files)
        monkeypatch.syspath_prepend(str(root))
        return root

    return write


def test_the_package_offers_it():
    assert pyautoload.load is the_one


def test_a_module_by_call_and_by_attribute(load):
    assert load("json") is json
    assert load.json is json
    assert load("os.path") is os.path


def test_an_object_within_a_submodule(load, on_path):
    on_path({"sk/__init__.py": "", "sk/linear.py": "class Regression:\n    class Inner: ..."})
    assert load("sk.linear.Regression").__name__ == "Regression"
    assert load("sk.linear.Regression.Inner").__name__ == "Inner"
    assert load.sk.linear is sys.modules["sk.linear"]


@pytest.mark.parametrize(
    "target", ["json.nope", "json.decoder.Nope", "json.dumps.nope", "a b", "", "--x", "a..b", "os;x"]
)
def test_what_cannot_be_had_is_an_import_error_that_names_it(load, target):
    with pytest.raises(TargetError, match="cannot load"):
        load(target)


def test_a_missing_module_says_what_to_do_and_installs_nothing(load, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("something was started"))
    with pytest.raises(ModuleNotFoundError, match="allow_install") as caught:
        load("no_such_module_anywhere")
    assert caught.value.name == "no_such_module_anywhere"
    with pytest.raises(ModuleNotFoundError):
        _ = load.no_such_module_anywhere


def test_what_a_module_itself_misses_is_not_mistaken_for_it(load, on_path):
    on_path({"needy.py": "import no_such_dependency", "bad.py": "import os\nos.nope"})
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'no_such_dependency'$"):
        load("needy")
    with pytest.raises(LoadError):
        _ = load.bad


def test_private_attributes_are_not_modules(load):
    for name in ("__wrapped__", "_repr_html_", "__path__"):
        assert not hasattr(load, name)


def test_a_file_beside_the_caller_or_in_the_working_directory(load, tree):
    root = tree({"app/main.py": "def get(load, path): return load(path)", "app/utils.py": "here = 'beside'",
                 "utils.py": "here = 'cwd'", "only.py": "here = 'only in cwd'"})  # fmt: skip
    main = load(str(root / "app/main.py"))
    assert main.get(load, "./utils.py").here == "beside"
    assert main.get(load, "../utils.py").here == "cwd"
    assert main.get(load, "./only.py").here == "only in cwd"


def test_an_alias_for_a_file_names_its_module(load, tree):
    tree({"config/settings.py": "DEBUG = True", "work/": ""})
    os.chdir("work")
    settings = load("../config/settings.py", alias="settings_of_test")
    assert settings.DEBUG
    assert settings.__name__ == "settings_of_test"
    assert load.settings_of_test is settings
    assert sys.modules["settings_of_test"] is settings


def test_a_file_does_not_take_the_name_of_another_module(load, tree):
    tree({"json.py": "mine = True", "other.py": ""})
    found = load("./json.py")
    assert found.mine
    assert sys.modules["json"] is json
    assert found.__name__.startswith("json_")
    with pytest.raises(ConflictError, match="another alias"):
        load("./other.py", alias="json")


def test_a_file_that_an_import_finds_too_is_the_same_module(load, on_path):
    on_path({"shared_by_both.py": "class Thing: ..."})
    import shared_by_both

    assert load("./shared_by_both.py") is shared_by_both


def test_a_missing_file_is_never_looked_for_elsewhere(load, tree):
    tree({})
    for target in ("./gone.py", "../x", "/no/such/file.py", "gone.py"):
        with pytest.raises(TargetError, match="no such file"):
            load(target)


def test_force_runs_a_module_again(load, on_path):
    root = on_path({"counter_mod.py": "import time\nstamp = object()\nold = 1\n"})
    first = load("counter_mod")
    stamp = first.stamp
    assert load("counter_mod").stamp is stamp
    (root / "counter_mod.py").write_text("stamp = object()\nnew_name = 2\n")
    again = load("counter_mod", force=True)
    assert again is first
    assert again.stamp is not stamp
    assert not hasattr(again, "old")
    assert load("counter_mod.new_name", force=True) == 2


def test_force_on_a_file_sees_an_edit_of_the_same_size_at_once(load, tree):
    root = tree({"conf.py": "value = 1"})
    assert load("./conf.py").value == 1
    (root / "conf.py").write_text("value = 2")
    assert load("./conf.py", force=True).value == 2


def test_a_failing_force_leaves_the_module_as_it_was(load, tree):
    root = tree({"conf.py": "value = 1"})
    conf = load("./conf.py")
    (root / "conf.py").write_text("value = 2\n1 / 0")
    with pytest.raises(ZeroDivisionError):
        load("./conf.py", force=True)
    assert conf.value == 1
    assert load("./conf.py") is conf


def test_force_keeps_submodules_and_extensions(load, on_path):
    on_path({"big/__init__.py": "x = 1", "big/part.py": "y = 1"})
    part = load("big.part")
    assert load("big", force=True).part is part
    import math

    assert load("math", force=True).sqrt(4) == math.sqrt(4) == 2


def test_import_aliases_come_in_order(load):
    decoder, system, js = load.import_aliases("json.decoder", "sys", "js=json")
    assert (decoder, system, js) == (json.decoder, sys, json)
    assert load.js is json


def test_an_alias_loads_nothing_by_itself(load, on_path):
    on_path({"late_one.py": "x = 1", "pack/__init__.py": "", "pack/deep.py": "y = 2"})
    load.alias("lo", "late_one")
    load.alias("pk", "pack")
    assert "late_one" not in sys.modules
    assert load.lo.x == 1
    assert load("lo") is load.lo
    assert load("pk.deep.y") == 2


@pytest.mark.parametrize("alias", ["a b", "_x", "info", "unload", "--np", ""])
def test_an_alias_must_be_a_free_name(load, alias):
    with pytest.raises(ValueError, match="cannot be an alias"):
        load.alias(alias, "json")


def test_threads_run_a_file_once(load, tree):
    tree(
        {"slow_file.py": "import sys, time\nsys.slow_runs = getattr(sys, 'slow_runs', 0) + 1\ntime.sleep(0.05)\nx = 1"}
    )
    start, got = threading.Barrier(6), []

    def use():
        start.wait()
        got.append(load("./slow_file.py"))

    threads = [threading.Thread(target=use) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(got) == 6
    assert len(set(got)) == 1
    assert sys.slow_runs == 1
    del sys.slow_runs


def test_nothing_is_printed_unless_asked_for(load, capsys):
    load("json")
    assert capsys.readouterr().out == ""
    load.enable_auto_print(limit=10)
    load("json")
    assert capsys.readouterr().out == f"json: {repr(json)[:10]}...\n"
    load.disable_auto_print()
    load("json")
    assert capsys.readouterr().out == ""
