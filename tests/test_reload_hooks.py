"""What a module says about being run again: ``on_cleanup`` and ``keep``."""

# ruff: noqa: F811  (a fixture imported by name; sources on one line)

from __future__ import annotations

import builtins
import logging
import shutil
import sys
import threading

import pytest
from reload_app import app  # noqa: F401

import pyautoload
from pyautoload.errors import ReloadError

QUIET = {"watch": False}
CLEAN = "from pyautoload import on_cleanup\n"
KEEP = "from pyautoload import keep\n"
THREAD = """\
import threading
from pyautoload import on_cleanup
WORD = {word!r}
stop = threading.Event()
thread = threading.Thread(target=stop.wait, daemon=True)
thread.start()
THREADS.append(thread)
@on_cleanup
def end():
    stop.set()
    thread.join(5)
"""


@pytest.fixture
def log(monkeypatch):
    """What happened, in order: each test module says ``LOG.append(...)``."""
    found = []
    monkeypatch.setattr(builtins, "LOG", found, raising=False)
    return found


def reload(a, /, **files):
    """Write files, and apply that in this thread."""
    for stem, text in files.items():
        a.write(f"{stem.replace('__', '/')}.py", text)
    return a.loader.reload()


def noisy(name, value=1, extra=""):
    return (
        f"{CLEAN}X = {value}\nLOG.append('{name} runs {value}')\n"
        f"on_cleanup(lambda: LOG.append('{name} ends {value}'))\n{extra}"
    )


def test_a_clean_up_is_called_before_the_code_runs_again_and_each_time_once(app, log):
    a = app(options=QUIET, a=noisy("a"))
    a("a")
    for value in (2, 3):
        assert reload(a, a=noisy("a", value)).reexecuted == [f"{a.name}.a"]
    assert log == ["a runs 1", "a ends 1", "a runs 2", "a ends 2", "a runs 3"]


def test_clean_ups_are_called_the_last_first_while_the_names_are_there(app, log):
    text = CLEAN + "X = {}\n@on_cleanup\ndef first():\n    LOG.append(('first', X))\n"
    text += "@on_cleanup\ndef second():\n    LOG.append(('second', X, first.__name__))\n"
    a = app(options=QUIET, a=text.format(1))
    assert a("a").first.__name__ == "first"
    reload(a, a=text.format(2))
    reload(a, a=text.format(3))
    assert log == [("second", 1, "first"), ("first", 1), ("second", 2, "first"), ("first", 2)]


def test_dependents_that_run_again_clean_up_too(app, log):
    a = app(options=QUIET, a="X = 1\n", b=f"from APP.a import X\nY = X + 1\n{noisy('b')}")
    a("b")
    reload(a, a="X = 2\n")
    assert log == ["b runs 1", "b ends 1", "b runs 1"]


def test_modules_that_leave_together_clean_up_before_any_of_them_is_emptied(app, log):
    first = CLEAN + "X = {}\non_cleanup(lambda: LOG.append(('a', X)))\n"
    second = CLEAN + "from APP.a import X\nimport APP.a\nY = {}\non_cleanup(lambda: LOG.append(('b', APP.a.X, Y)))\n"
    a = app(options=QUIET, a=first.format(1), b=second.format(1))
    a("b")
    reload(a, a=first.format(2), b=second.format(2))
    assert log == [("b", 1, 1), ("a", 1)]


def test_nothing_is_called_where_only_a_body_changes(app, log):
    body = "def f():\n    return {}\n"
    a = app(options=QUIET, a=noisy("a", extra=body.format(1)))
    a("a")
    assert reload(a, a=noisy("a", extra=body.format(2))).patched == [f"{a.name}.a"]
    assert a("a").f() == 2
    assert log == ["a runs 1"]


@pytest.mark.parametrize("way", ["file removed", "unload", "fresh"])
def test_a_module_that_goes_cleans_up_and_keeps_nothing(app, log, way):
    text = noisy("a", extra=f"{KEEP}IT = keep('it', list)\n")
    a = app(options=QUIET, a=text, other="")
    before = a("a").IT
    if way == "unload":
        a.loader.unload(f"{a.name}.a")
    elif way == "fresh":
        a.loader.reload(fresh=True)
    else:
        a.write("a.py", None)
        a.loader.reload()
        a.write("a.py", text)
        a.loader.reload()
    assert log == ["a runs 1", "a ends 1"]
    assert a("a").IT is not before
    assert log == ["a runs 1", "a ends 1", "a runs 1"]


def test_a_clean_up_that_raises_is_logged_and_stops_nothing(app, log, caplog):
    text = noisy("a", extra="X = {}\non_cleanup(lambda: 1 / 0)\n")
    a = app(options=QUIET, a=text.format(1))
    a("a")
    with caplog.at_level(logging.WARNING, "pyautoload"):
        assert reload(a, a=text.format(2)).ok
    assert "ZeroDivisionError" in caplog.text
    assert log == ["a runs 1", "a ends 1", "a runs 1"]


@pytest.mark.parametrize("fault", ["1 / 0\n", "import APP.missing\n", "undefined\n"])
def test_after_a_failure_everything_is_as_before(app, log, fault):
    good = "REGISTERED.append(X)\non_cleanup(lambda value=X: REGISTERED.remove(value))\n"
    builtins.REGISTERED = []
    try:
        a = app(options=QUIET, a=noisy("a", extra=good), b="import APP.a\nY = APP.a.X\n")
        a("b")
        with pytest.raises(ReloadError):
            reload(a, a=noisy("a", 2, good + fault))
        assert (a("a").X, builtins.REGISTERED) == (1, [1])
        with pytest.raises(ReloadError):  # a dependent fails
            reload(a, a=noisy("a", 2, good), b="import APP.a\nY = APP.a.X\n" + fault)
        assert (a("a").X, a("b").Y, builtins.REGISTERED) == (1, 1, [1])
        reload(a, b="import APP.a\nY = APP.a.X\n")
        assert (a("a").X, a("b").Y, builtins.REGISTERED) == (2, 2, [2])
    finally:
        del builtins.REGISTERED


def test_a_failed_first_import_cleans_up(app, log):
    a = app(options=QUIET, a=noisy("a", extra="1 / 0\n"))
    with pytest.raises(ZeroDivisionError):
        a("a")
    assert log == ["a runs 1", "a ends 1"]


def test_a_thread_with_a_clean_up_asks_for_no_restart(app, monkeypatch):
    monkeypatch.setattr(builtins, "THREADS", [], raising=False)
    a = app(options=QUIET, a=THREAD.format(word="one"))
    a("a")
    result = reload(a, a=THREAD.format(word="two"))
    first, second = builtins.THREADS
    assert result.ok
    assert (a("a").WORD, first.is_alive(), second.is_alive()) == ("two", False, True)
    assert a("a").thread is second
    a("a").end()
    assert not second.is_alive()


def test_a_socket_with_a_clean_up_is_opened_again(app):
    text = """
        import socket
        from pyautoload import on_cleanup
        WORD = {!r}
        SERVER = socket.create_server(("127.0.0.1", 0))
        on_cleanup(SERVER.close)
    """
    a = app(options=QUIET, a=text.format("one"), b="from APP.a import SERVER\n")
    first = a("b").SERVER
    assert reload(a, a=text.format("two")).ok
    assert first.fileno() == -1
    assert a("a").SERVER is a("b").SERVER is not first
    assert a("a").SERVER.fileno() >= 0
    a("a").SERVER.close()


def test_others_enter_again_what_they_had_entered_into_a_module_that_cleaned_up(app, log):
    a = app(
        options=QUIET,
        a=noisy("a", extra="ENTRIES = {}\n"),
        b="from APP.a import ENTRIES\nENTRIES['b'] = 1\n",
    )
    entries = a("b").ENTRIES
    reload(a, a=noisy("a", 2, "ENTRIES = {}\n"))
    assert a("a").ENTRIES == a("b").ENTRIES == {"b": 1}
    assert entries is a("a").ENTRIES


def test_a_thread_without_one_asks(app, monkeypatch):
    monkeypatch.setattr(builtins, "THREADS", [], raising=False)
    text = THREAD.replace("@on_cleanup\n", "")
    a = app(options=QUIET, a=text.format(word="one"))
    a("a")
    result = reload(a, a=text.format(word="two"))
    assert "starts a thread" in result.restart_required[f"{a.name}.a"]
    a("a").end()


@pytest.mark.parametrize("does", ["socket.socket().bind(('127.0.0.1', 0))", "threading.Thread(target=print).start()"])
def test_what_a_library_does_while_it_is_imported_asks_for_nothing(app, monkeypatch, tmp_path, does):
    (tmp_path / "library_of_others.py").write_text(f"import socket, threading\n{does}\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = "import library_of_others\nWORD = {!r}\n"
    a = app(a=text.format("one"), b=f"import socket, threading\nexec({does!r}, globals())\nWORD = 1\n")
    a("a")
    a("b")
    assert not reload(a, a=text.format("two")).restart_required
    assert a("a").WORD == "two"
    asking = reload(a, b=f"import socket, threading\nexec({does!r}, globals())\nWORD = 2\n")
    assert f"{a.name}.b" in asking.restart_required


def test_statements_that_a_clean_up_undoes_may_be_edited(app, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = (
        "import sys\nimport pyautoload\nsys.path.append({0!r})\npyautoload.on_cleanup(lambda: sys.path.remove({0!r}))\n"
    )
    a = app(options=QUIET, a=text.format("/one"))
    a("a")
    assert reload(a, a=text.format("/two")).ok
    assert [path for path in sys.path if path in ("/one", "/two")] == ["/two"]


def test_a_function_that_a_clean_up_puts_back_may_be_replaced_again(app, monkeypatch):
    monkeypatch.setattr(shutil, "which", shutil.which)
    before = shutil.which
    text = """
        import shutil
        from pyautoload import on_cleanup
        X = {}
        former = shutil.which
        def which(*arguments):
            return former(*arguments), X
        shutil.which = which
        @on_cleanup
        def put_back():
            shutil.which = former
    """
    a = app(options=QUIET, a=text.format(1))
    a("a")
    assert reload(a, a=text.format(2)).ok
    assert shutil.which("no such program") == (None, 2)
    reload(a, a="")
    assert shutil.which is before


def test_what_is_kept_is_made_once(app, log):
    text = KEEP + "X = {0}\ndef make():\n    LOG.append({0})\n    return [{0}]\nIT = keep('it', make)\n"
    a = app(options=QUIET, a=text.format(1), b="from APP.a import IT\nHELD = [IT]\n")
    held = a("b").HELD[0]
    held.append("of the program")
    for value in (2, 3):
        reload(a, a=text.format(value))
        assert a("a").IT is held is a("b").HELD[0]
    assert (a("a").X, held, log) == (3, [1, "of the program"], [1])


def test_a_kept_object_is_of_the_class_as_it_is_now(app):
    text = KEEP + "class Pool:\n    size = {0}\n    def get(self):\n        return {0}\nPOOL = keep('pool', Pool)\n"
    a = app(options=QUIET, a=text.format(1))
    pool = a("a").POOL
    reload(a, a=text.format(2))
    assert a("a").POOL is pool
    assert (pool.get(), pool.size, type(pool) is a("a").Pool) == (2, 2, True)


def test_each_module_keeps_its_own(app):
    text = KEEP + "X = {}\nIT = keep('it', list)\nSAME = keep('it', list)\nOTHER = keep('other', list)\n"
    a = app(options=QUIET, a=text.format(1), b=text.format(1))
    assert a("a").IT is not a("b").IT
    assert a("a").IT is a("a").SAME is not a("a").OTHER


def test_what_a_failed_attempt_made_is_not_kept(app, log):
    a = app(options=QUIET, a="X = 1\n")
    a("a")
    text = KEEP + "X = {0}\nIT = keep('it', lambda: [{0}])\n"
    with pytest.raises(ReloadError):
        reload(a, a=text.format(2) + "1 / 0\n")
    reload(a, a=text.format(3))
    assert a("a").IT == [3]


def test_two_loaders_know_which_module_is_executed(app, log):
    inner = app(options=QUIET, a=noisy("inner"))
    outer = app(options=QUIET, a=f"import {inner.name}.a\n{noisy('outer')}")
    outer("a")
    reload(inner, a=noisy("inner", 2))
    assert log == ["inner runs 1", "outer runs 1", "inner ends 1", "inner runs 2"]
    reload(outer, a=noisy("outer", 2))
    assert log[4:] == ["outer ends 1", "outer runs 2"]


def test_without_reloading_nothing_is_kept_or_called(log):
    function = pyautoload.on_cleanup(lambda: log.append("called"))
    function()
    assert pyautoload.keep("it", list) is not pyautoload.keep("it", list)
    assert log == ["called"]


def test_another_thread_that_is_not_importing_has_no_module(app, log):
    text = KEEP + CLEAN + "X = 1\nimport threading\nmade = []\n"
    text += "def work():\n    made.append(keep('it', list))\n    on_cleanup(lambda: LOG.append('no'))\n"
    a = app(options=QUIET, a=text)
    for _ in range(2):
        thread = threading.Thread(target=a("a").work)
        thread.start()
        thread.join()
    first, second = a("a").made
    assert first is not second
    reload(a, a=text.replace("X = 1", "X = 2"))
    assert log == []


def test_the_functions_bring_in_no_reload_engine(python):
    out = python("""
        import sys
        from pyautoload import keep, on_cleanup
        keep("it", on_cleanup(list))
        print([name for name in sys.modules if name.startswith("pyautoload.reloading")])
    """).stdout
    assert out.strip() == "[]"
    assert "pyautoload.reload_hooks" in sys.modules
