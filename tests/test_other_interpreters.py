"""Subinterpreters and PyPy: what works there does, and what cannot says so in one line."""

import os
import sys
import threading

import pytest

FILES = {"app/user.py": "class User:\n    def name(self): return 'first'\n", "app/deep/x.py": "X = 1\n"}

IN_A_SUBINTERPRETER = """
import sys, warnings
sys.path[:] = {path!r}
from pyautoload import AutoLoader
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    loader = AutoLoader({root!r}).enable_reloading().setup()
assert [str(each.message).partition(":")[0] for each in told] == [
    "this subinterpreter may not have threads in the background"
], [str(each.message) for each in told]
import app
user = app.User()
assert user.name() == "first"
with open({file!r}, "w") as file:
    file.write("class User:\\n    def name(self): return 'another'\\n")
result = loader.reload_if_changed()
assert user.name() == "another", result
"""


def test_in_subinterpreters_changes_are_looked_for_on_demand(python, tree):
    pytest.importorskip("concurrent.interpreters", reason="Python 3.14 has it")
    base = tree(FILES)
    texts = []
    for name in ("one", "two"):
        tree({f"{name}/{file}": text for file, text in FILES.items()})
        place = {"root": str(base / name / "app"), "file": str(base / name / "app" / "user.py")}
        texts.append(IN_A_SUBINTERPRETER.format(path=sys.path, **place))
    code = f"""
        import threading
        from concurrent import interpreters

        errors = []

        def run(text):
            interpreter = interpreters.create()
            try:
                interpreter.exec(text)
            except BaseException as error:
                errors.append(str(error))
            finally:
                interpreter.close()

        threads = [threading.Thread(target=run, args=(text,)) for text in {texts!r}]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(errors or "fine")
    """
    assert python(code).stdout == "fine\n"


def test_where_no_thread_may_run_in_the_background_nothing_is_watched(autoload, tree, monkeypatch):
    loader = autoload(FILES)
    begin = threading.Thread.__init__

    def refuse(self, *arguments, daemon=None, **more):
        if daemon:
            raise RuntimeError("daemon threads are disabled in this (sub)interpreter")
        begin(self, *arguments, daemon=daemon, **more)

    monkeypatch.setattr(threading.Thread, "__init__", refuse)
    with pytest.warns(RuntimeWarning, match="reload_if_changed"):
        loader.enable_reloading()
    import app

    user = app.User()
    tree({"app/user.py": "class User:\n    def name(self): return 'another'\n"})
    loader.reload_if_changed()
    assert user.name() == "another"


AS_PYPY = """
import gc, sys
sys.implementation.name = "pypy"
del gc.get_freeze_count, gc.freeze, gc.unfreeze, sys.getrefcount
from pyautoload import AutoLoader
from pyautoload.errors import SetupError
loader = AutoLoader("app").setup()
import app
assert app.User().name() == "first"
assert loader.eager_load() and loader.eager_load(freeze=True) == []
assert sys.modules["app.deep.x"].X == 1
try:
    loader.enable_reloading()
except SetupError as error:
    print(error)
"""


def test_without_what_only_cpython_has_all_is_loaded_and_reloading_says_so(python, tree):
    tree(FILES)
    said = python(AS_PYPY).stdout
    assert said.startswith("reloading needs CPython, and this is pypy")
    assert said.count(os.linesep) <= 1
