"""Failures: all or nothing, reported once with file and line, and mended by the next edit."""

# ruff: noqa: F811, E501  (a fixture imported by name; sources on one line)

from __future__ import annotations

import importlib
import logging
import sys
import time

import pytest
from reload_app import app  # noqa: F401

from pyautoload import AutoLoader, ReloadError
from pyautoload.errors import ReloadingDisabled


def test_a_syntax_error_then_the_fix(app):
    a = app(a="def f():\n    return 1\n")
    f = a("a").f
    result = a.edit(a="def f(:\n    return 2\n")
    error = result.errors[0]
    assert (f(), error.module, error.file, error.line) == (1, f"{a.name}.a", str(a.root / "a.py"), 1)
    assert isinstance(error.__cause__, SyntaxError)
    a.edit(a="def f():\n    return 2\n")
    assert f() == 2


def test_an_exception_at_import_time_puts_everything_back(app):
    a = app(a="X = 1\nITEMS = [1]\nclass C:\n    V = 1\ndef f():\n    return 1\n")
    module = a("a")
    before = dict(vars(module))
    result = a.edit(
        a="X = 2\nITEMS = [2]\nclass C:\n    V = 2\n    def n(self): ...\ndef f():\n    return 2\nNEW = 1\nboom = 1 / 0\n"
    )
    assert dict(vars(module)) == before
    assert (module.f(), module.C.V, hasattr(module.C, "n")) == (1, 1, False)
    assert (result.errors[0].line, type(result.errors[0].__cause__)) == (9, ZeroDivisionError)


def test_a_library_that_a_failed_edit_has_loaded_is_what_it_is(app, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "late_library.py").write_text("class Base: pass\nclass Config(dict): pass\nclass Derived(Base): pass\n")
    a = app(a="class Config(dict): pass\n")
    try:
        a("a")
        assert a.edit(a="from late_library import Config as Under\nclass Config(Under): pass\n1 / 0\n").errors
        library = sys.modules["late_library"]
        assert library.Config.__mro__ == (library.Config, dict, object)
        assert library.Derived.__mro__ == (library.Derived, library.Base, object)
        a.edit(a="from late_library import Config as Under\nclass Config(Under): pass\n")
        assert a("a").Config.__mro__[1:] == library.Config.__mro__
    finally:
        sys.modules.pop("late_library", None)


def test_an_exception_in_a_dependent_halfway(app):
    a = app(
        a="X = 1\ndef f():\n    return X\n",
        b="from APP.a import X\nY = X * 2\n",
        c="from APP.b import Y\nZ = 10 // (4 - Y)\n",
        d="from APP.c import Z\nW = Z\n",
    )
    assert a("d").W == 5
    result = a.edit(a="X = 2\ndef f():\n    return -X\n")
    assert result.errors[0].module == f"{a.name}.c"
    assert (a("a").X, a("a").f(), a("b").X, a("b").Y, a("c").Z, a("d").W) == (1, 1, 1, 2, 5, 5)
    a.edit(c="from APP.b import Y\nZ = Y\n")
    assert (a("a").f(), a("b").Y, a("c").Z, a("d").W) == (-2, 4, 4, 4)


def test_a_deleted_symbol_that_is_still_imported(app):
    a = app(a="X = 1\ndef f():\n    return 1\n", b="from APP.a import f\ndef g():\n    return f()\n")
    g = a("b").g
    result = a.edit(a="X = 1\n")
    assert (result.errors[0].module, result.errors[0].line) == (f"{a.name}.b", 1)
    assert (g(), a("a").f()) == (1, 1)
    a.edit(b="def g():\n    return 2\n")
    assert g() == 2
    assert not hasattr(a("a"), "f")


def test_a_name_used_after_its_definition_was_deleted(app):
    a = app(a="X = 1\nY = X + 1\n")
    a("a")
    result = a.edit(a="Y = X + 1\n")
    assert isinstance(result.errors[0].__cause__, NameError)
    assert a("a").Y == 2


def test_a_name_used_before_its_definition(app):
    a = app(a="X = 1\nY = 5\n")
    a("a")
    result = a.edit(a="Y = X + 1\nX = 1\n")
    assert isinstance(result.errors[0].__cause__, NameError)
    assert a("a").Y == 5


def test_two_broken_files_heal_together(app):
    a = app(a="def f():\n    return 1\n", b="def g():\n    return 1\n")
    f, g = a("a").f, a("b").g
    a.edit(a="def f(:\n")
    a.edit(b="def g(:\n")
    assert (f(), g()) == (1, 1)
    a.edit(a="def f():\n    return 2\n", b="def g():\n    return 2\n")
    assert (f(), g()) == (2, 2)


def test_a_module_that_was_imported_on_the_way_to_the_failure_is_unloaded(app):
    a = app(a="X = 1\n", extra="Y = 1\n")
    a("a")
    a.edit(a="import APP.extra\nX = 2\n1 / 0\n")
    assert f"{a.name}.extra" not in sys.modules
    assert not hasattr(a("a"), "extra")


def test_reload_raises_and_the_result_tells(app):
    a = app(a="X = 1\n", options={"watch": False})
    a("a")
    a.write("a.py", "X = 2\nraise RuntimeError('no')\n")
    with pytest.raises(ReloadError, match="RuntimeError: no") as caught:
        a.loader.reload()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert caught.value.result.errors == [caught.value]
    assert a("a").X == 1


def test_reload_if_changed_raises_once_for_one_state_of_the_files(app):
    a = app(a="X = 1\n", options={"watch": False})
    a("a")
    a.write("a.py", "X = \n")
    with pytest.raises(ReloadError):
        a.loader.reload_if_changed()
    assert a.loader.reload_if_changed() is None
    a.write("a.py", "X = 5\n")
    assert a.loader.reload_if_changed()
    assert a("a").X == 5


def test_the_watcher_logs_the_failure(app, caplog):
    a = app(a="X = 1\n")
    a("a")
    with caplog.at_level(logging.WARNING, "pyautoload"):
        a.edit(a="X = (\n")
    assert "SyntaxError" in caplog.text


def test_a_callback_that_fails_puts_everything_back(app):
    a = app(a="X = 1\n")
    a("a")

    def refuse(name, value, path):
        raise RuntimeError("not now")

    a.loader.on_load(refuse)
    result = a.edit(a="X = 2\n")
    assert result.errors
    assert a("a").X == 1


def test_an_on_reload_function_that_fails_does_not_stop_reloading(app):
    a = app(a="def f():\n    return 1\n")
    f = a("a").f
    a.loader.on_reload(lambda result: 1 / 0)
    a.edit(a="def f():\n    return 2\n")
    a.edit(a="def f():\n    return 3\n")
    assert f() == 3


def test_reloading_must_be_enabled(app):
    a = app(a="")
    a.loader.disable_reloading()
    with pytest.raises(ReloadingDisabled):
        a.loader.reload()
    with pytest.raises(ReloadingDisabled):
        a.loader.dependency_graph()


def test_a_module_that_is_not_loaded_cannot_be_reloaded(app):
    a = app(a="")
    with pytest.raises(ValueError, match="is not a loaded module"):
        a.loader.reload("nowhere.at.all")


def test_system_exit_at_import_time_is_a_failure_as_any(app):
    a = app(a="X = 1\n")
    a("a")
    result = a.edit(a="X = 2\nraise SystemExit(3)\n")
    assert isinstance(result.errors[0].__cause__, SystemExit)
    assert a("a").X == 1


@pytest.mark.parametrize("broken", ["X = 2\n1 / 0", "X = 2\ndef (:"])
def test_a_file_that_fails_does_not_hold_up_others(app, broken):
    a = app(a="X = 1", b="Y = 1", c="from APP.a import X\nfrom APP.b import Y\nZ = X + Y")
    assert a("c").Z == 2
    assert a.edit("a.py", broken).errors
    result = a.edit("b.py", "Y = 10")
    assert not result.errors
    assert not result.ok
    assert "left as it was: reloading" in str(result)
    assert (a("a").X, a("b").Y, a("c").Z) == (1, 10, 11)
    result = a.edit("a.py", "X = 2")
    assert result.ok
    assert (a("a").X, a("b").Y, a("c").Z) == (2, 10, 12)


def test_another_failure_is_told_while_one_still_holds(app):
    a = app(a="X = 1", b="Y = 1")
    a("a"), a("b")
    a.edit("a.py", "1 / 0")
    result = a.edit("b.py", "Y = nowhere")
    assert "nowhere" in str(result.errors[0])
    result = a.edit("b.py", "Y = 2")
    assert a("b").Y == 2
    assert "ZeroDivisionError" in str(result.still_failing[0])


def test_the_other_half_of_a_change_heals_what_failed(app):
    a = app(a="X = 1", b="from APP.a import X", c="Y = 1")
    a("b"), a("c")
    assert a.edit("b.py", "from APP.a import Z").errors
    assert a.edit("c.py", "Y = 2").still_failing
    assert a.edit("a.py", "X = 1\nZ = 3").ok
    assert a("b").Z == 3


def test_reload_tells_again_what_fails_when_there_is_nothing_else(app):
    a = app(a="X = 1", b="Y = 1", options={"watch": False})
    a("a"), a("b")
    a.write("a.py", "1 / 0")
    for _ in range(2):
        with pytest.raises(ReloadError):
            a.loader.reload()
    assert a.loader.reload_if_changed() is None
    a.write("b.py", "Y = 2 * 1")
    result = a.loader.reload_if_changed()
    assert (a("b").Y, result.still_failing[0].module) == (2, f"{a.name}.a")
    assert a.loader.reload_if_changed() is None
    a.write("a.py", "X = 3 * 1")
    assert a.loader.reload_if_changed().ok
    assert a("a").X == 3


@pytest.mark.parametrize("others", [["b.py"], ["new.py"], ["b.py", "new.py"], ["a.py"]], ids=" ".join)
def test_a_failure_is_told_although_other_files_are_saved_meanwhile(tree, others):
    root = tree({"app/a.py": "X = 1\n", "app/b.py": "Y = 1\n"})
    told: list[ReloadError] = []
    loader = AutoLoader(root / "app", top_level="failing_app")
    loader.enable_reloading(on_reload=lambda result: told.extend([*result.errors, *result.still_failing])).setup()
    failing_app = importlib.import_module("failing_app")
    assert (failing_app.a.X, failing_app.b.Y) == (1, 1)
    for _ in range(3):
        for end in range(0, 200, 10):  # some of these come just after the first attempt
            (root / "app/a.py").write_text("X = 2\n1 / 0\n")
            for name in others:
                (root / "app" / name).write_text("X = 2\n1 / 0\n" if name == "a.py" else f"Y = {end}\n")
                time.sleep(0.01)
        deadline = time.monotonic() + 20
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [error.line for error in told[:1]] == [2]
        (root / "app/a.py").write_text("X = 1\n")
        while loader.status().failing and time.monotonic() < deadline:
            time.sleep(0.01)
        told.clear()
    loader.unregister()
