"""What the library assumes of Python itself, each with the place that relies on it.

A new Python that changes one of these fails here first, and says what has to be looked at.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import marshal
import os
import sys
import threading
import traceback
import types
import warnings
from pathlib import Path

import pytest


@pytest.fixture
def plain(tree, monkeypatch):
    """Files that the ordinary import finds, the working directory being on ``sys.path``; no loader is involved."""

    def write(files):
        root = tree(files)
        monkeypatch.syspath_prepend(str(root))
        importlib.invalidate_caches()
        return root

    return write


def module_with(name, **names):
    module = types.ModuleType(name)
    vars(module).update(names)
    return module


# Attribute access: importing/namespace_access.py


def test_an_attribute_error_from_a_modules_getattr_means_that_there_is_no_such_attribute():
    # Hence a file's own AttributeError is raised again as LoadError, and a missing expected name is an ImportError.
    def lookup(name):
        raise AttributeError("the reason")

    module = module_with("m", __getattr__=lookup)
    assert not hasattr(module, "x")
    assert getattr(module, "x", 1) == 1


def test_an_import_error_from_a_modules_getattr_is_not_swallowed():
    def lookup(name):
        raise ImportError("the reason")

    module = module_with("m", __getattr__=lookup)
    for ask in (lambda: hasattr(module, "x"), lambda: getattr(module, "x", 1), lambda: module.x):
        with pytest.raises(ImportError, match="the reason"):
            ask()


def test_a_from_import_asks_getattr_again_after_an_attribute_error_and_drops_its_cause(monkeypatch):
    # Hence such an error would run the file twice and lose the reason.
    asked = []

    def lookup(name):
        asked.append(name)
        raise AttributeError("the reason")

    monkeypatch.setitem(sys.modules, "m", module_with("m", __getattr__=lookup, __path__=[]))
    with pytest.raises(ImportError) as caught:
        exec("from m import thing")
    assert asked.count("thing") == 2
    assert "the reason" not in str(caught.value)


def test_what_is_stored_in_a_modules_dict_never_passes_getattr():
    # Hence a resolved name is stored, and costs what any attribute costs.
    module = module_with("m", __getattr__=lambda name: pytest.fail(name), x=1)
    assert module.x == 1


def test_getattr_and_dir_of_a_module_are_looked_up_in_its_dict_each_time():
    # Hence the hooks can be put in and taken out at any time.
    module = types.ModuleType("m")
    vars(module)["__getattr__"] = lambda name: name
    vars(module)["__dir__"] = lambda: ["a"]
    assert (module.x, dir(module)) == ("x", ["a"])
    del vars(module)["__getattr__"]
    assert not hasattr(module, "x")


def test_the_error_of_a_missing_attribute_carries_the_module():
    # Hence an AttributeError at import time can be told to be about an unfinished module:
    # importing/cycle_explanation.py
    module = types.ModuleType("m")
    with pytest.raises(AttributeError) as caught:
        module.x  # noqa: B018
    assert caught.value.obj is module
    assert caught.value.name == "x"


def test_a_star_import_takes_all_from_getattr(monkeypatch):
    # Hence an implicit namespace answers for ``__all__``.
    answers = {"__all__": ["x"], "x": 1}

    def lookup(name):
        if name in answers:
            return answers[name]
        raise AttributeError(name)

    monkeypatch.setitem(sys.modules, "m", module_with("m", __getattr__=lookup))
    names = {}
    exec("from m import *", names)
    assert names["x"] == 1


def test_a_class_name_is_bound_after_its_body():
    names = {}
    exec("class A:\n    seen = 'A' in globals()\n", names)
    assert names["A"].seen is False


def test_a_from_import_copies_the_reference(monkeypatch):
    module = module_with("m", x=1)
    monkeypatch.setitem(sys.modules, "m", module)
    names = {}
    exec("from m import x", names)
    module.x = 2
    assert names["x"] == 1


# The import protocol: importing/direct_import.py, importing/loader.py, importing/cycle_explanation.py


def test_a_module_is_in_sys_modules_while_it_runs_and_leaves_when_it_fails(plain):
    plain({"one.py": "import sys\nassert sys.modules[__name__].__dict__ is globals()\n1 / 0"})
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("one")
    assert "one" not in sys.modules


def test_a_spec_says_whether_its_module_is_still_being_imported(plain):
    # cycles.is_initializing
    plain({"one.py": "seen = __spec__._initializing"})
    module = importlib.import_module("one")
    assert (module.seen, module.__spec__._initializing) == (True, False)


def test_a_module_is_bound_on_its_parent_after_it_ran(plain):
    # namespace.stored binds it a moment earlier, before the hook that would have answered for it goes.
    plain({"pkg/__init__.py": "", "pkg/one.py": "import pkg\nseen = hasattr(pkg, 'one')"})
    module = importlib.import_module("pkg.one")
    assert module.seen is False
    assert sys.modules["pkg"].one is module


def test_what_a_module_puts_in_its_place_is_what_an_import_gives(plain):
    # binder.loaded, hidden_frames.imported
    plain({"one.py": "import sys\nsys.modules[__name__] = 'other'"})
    assert importlib.import_module("one") == "other"


def test_the_error_of_a_circular_import_names_the_unfinished_module(plain):
    # cycles.explained
    plain({"one.py": "from two import x\ny = 1", "two.py": "from one import y\nx = 1"})
    with pytest.raises(ImportError) as caught:
        importlib.import_module("one")
    assert caught.value.name == "one"
    assert str(caught.value).startswith("cannot import name 'y'")
    assert getattr(caught.value, "name_from", "y") == "y"


def test_a_finder_may_raise_module_not_found_to_keep_the_others_from_being_asked(monkeypatch):
    # finder.find_spec, for what the rules exclude
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "one":
                raise ModuleNotFoundError(name, name=name)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("one")


def test_the_statement_does_not_say_that_another_threads_import_failed(plain):
    # hidden_frames.imported looks into sys.modules after the statement and imports once more where the name is missing.
    plain(
        {
            "pkg/__init__.py": "import threading\ngo, up = threading.Event(), threading.Event()",
            "pkg/one.py": "import pkg, time\npkg.up.set()\npkg.go.wait(10)\ntime.sleep(0.05)\n1 / 0",
        }
    )
    pkg = importlib.import_module("pkg")

    def work():
        with pytest.raises(ZeroDivisionError):
            importlib.import_module("pkg.one")

    thread = threading.Thread(target=work)
    thread.start()
    pkg.up.wait(10)
    pkg.go.set()
    try:
        __import__("pkg.one")
    except ZeroDivisionError:
        pass
    thread.join()
    assert "pkg.one" not in sys.modules


def test_a_thread_that_imports_what_another_one_is_importing_waits_for_it(plain):
    plain(
        {
            "pkg/__init__.py": "import threading\nup = threading.Event()",
            "pkg/one.py": "import pkg, time\npkg.up.set()\ntime.sleep(0.1)\nx = 1",
        }
    )
    pkg = importlib.import_module("pkg")
    thread = threading.Thread(target=lambda: importlib.import_module("pkg.one"))
    thread.start()
    pkg.up.wait(10)
    assert importlib.import_module("pkg.one").x == 1
    thread.join()


def test_the_import_statement_survives_a_deadlock_between_module_locks(plain):
    # Two threads in a circular import: one sees an unfinished module, none hangs. hidden_frames.imported uses the
    # statement, as ``import_module`` may raise the deadlock's error.
    plain(
        {
            "pkg/__init__.py": "import threading\nmeet = threading.Barrier(2)",
            "pkg/one.py": "import pkg\npkg.meet.wait(10)\nimport pkg.two",
            "pkg/two.py": "import pkg\npkg.meet.wait(10)\nimport pkg.one",
        }
    )
    importlib.import_module("pkg")
    threads = [threading.Thread(target=__import__, args=(name,)) for name in ("pkg.one", "pkg.two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert {"pkg.one", "pkg.two"} <= set(sys.modules)


def test_the_stock_loader_runs_in_frames_that_tracebacks_and_warnings_leave_out(plain):
    # importing/hidden_frames.py
    name = importlib.machinery.SourceFileLoader.exec_module.__code__.co_filename
    assert "importlib" in name
    assert "_bootstrap" in name
    plain({"one.py": "import two", "two.py": "import warnings\nwarnings.warn('x', stacklevel=2)\n1 / 0"})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ZeroDivisionError) as error:
            exec("import one")
    assert Path(caught[0].filename).name == "one.py"
    files = [Path(frame.filename).name for frame in traceback.extract_tb(error.value.__traceback__)]
    assert files[-2:] == ["one.py", "two.py"]


def test_a_function_counts_as_the_import_systems_by_its_file_name_alone():
    # importing/hidden_frames.py
    from pyautoload.frames.hidden_frames import part_of_import

    @part_of_import
    def between(function):
        return function()

    def warn():
        warnings.warn("x", stacklevel=2)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        between(warn)
    assert caught[0].filename == __file__


# Bytecode: importing/bytecode.py


def test_a_cache_file_begins_with_magic_number_flags_seconds_and_size(plain):
    root = plain({"one.py": "x = 1\n"})
    code = compile("x = 1\n", "one.py", "exec")
    status = os.stat(root / "one.py")
    path = Path(importlib.util.cache_from_source(str(root / "one.py")))
    path.parent.mkdir()
    header = importlib.util.MAGIC_NUMBER + b"\0\0\0\0"
    header += int(status.st_mtime).to_bytes(4, "little") + status.st_size.to_bytes(4, "little")
    path.write_bytes(header + marshal.dumps(compile("x = 'planted'", "one.py", "exec")))
    assert len(header) == 16
    assert importlib.import_module("one").x == "planted"
    assert code.co_filename == "one.py"


def test_an_edit_of_the_same_size_in_the_same_second_serves_the_old_code(python, tree):
    # Hence bytecode counts while reloading only where it was surely written later: bytecode.cached_code
    tree({"one.py": "x = 'old'\n"})
    python("import one")
    code = """
        import os
        status = os.stat("one.py")
        with open("one.py", "w") as file: file.write("x = 'new'\\n")
        os.utime("one.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    """
    python(code)
    assert python("import one; print(one.x)").stdout == "old\n"


def test_the_place_of_a_cache_file_is_the_one_that_is_put_together_here(plain, monkeypatch):
    from pyautoload.importing.bytecode import cache_path

    path = str(Path.cwd() / "dir" / "one.py")
    assert cache_path(path) == importlib.util.cache_from_source(path)
    monkeypatch.setattr(sys, "pycache_prefix", str(Path.cwd() / "elsewhere"))
    assert cache_path(path) == importlib.util.cache_from_source(path)


def test_reload_keeps_names_that_the_new_source_does_not_have(plain):
    # Hence reloading reconciles by itself.
    root = plain({"one.py": "x = 1\ny = 2\n"})
    module = importlib.import_module("one")
    (root / "one.py").write_text("x = 10\n")
    os.utime(root / "one.py", (1, 1))
    importlib.reload(module)
    assert (module.x, module.y) == (10, 2)


# Modules and packages


def test_an_ordinary_namespace_package_has_a_file_of_none(plain):
    # NamespaceDirectoryLoader.exec_module
    plain({"space/one.py": ""})
    module = importlib.import_module("space")
    assert module.__file__ is None
    assert type(module.__path__).__name__.lstrip("_") == "NamespacePath"


def test_the_loader_of_namespace_packages_takes_name_path_and_finder():
    # NamespaceDirectoryLoader
    from pyautoload.importing.loader import NamespaceLoader

    loader = NamespaceLoader("space", ["here"], lambda name, path: None)
    assert list(loader._path) == ["here"]
    assert type(loader._path).__name__.lstrip("_") == "NamespacePath"


def test_exec_module_of_a_stock_loader_is_looked_up_on_the_instance():
    # loader.with_after_exec puts a function of its own there, for extension modules and bytecode without source.
    loader = importlib.machinery.SourceFileLoader("one", "one.py")
    loader.exec_module = lambda module: vars(module).update(ran=True)
    spec = importlib.util.spec_from_loader("one", loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.ran


def test_names_of_identifiers_are_normalised_in_source_but_not_on_disk(plain):
    # inflector.normalized
    plain({"\ufb01.py": "x = 1"})  # the ligature "fi"
    with pytest.raises(ModuleNotFoundError, match="No module named 'fi'"):
        exec("import \ufb01")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_keeps_locks_held_and_loses_the_threads_that_hold_them():
    # Hence our locks are made anew in the child: tree._after_fork, known_loaders._after_fork
    lock, held, done = threading.Lock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if lock.locked() and threading.active_count() == 1 else 1)
    assert os.waitpid(pid, 0)[1] == 0
    done.set()
    thread.join()


def test_our_locks_are_made_anew_after_a_fork(autoload):
    from pyautoload import known_loaders
    from pyautoload.tree import managed_tree

    loader = autoload({"app/user.py": ""})
    before = (loader.tree._lock, loader.registry._lock, known_loaders._lock)
    managed_tree._after_fork()
    known_loaders._after_fork()
    after = (loader.tree._lock, loader.registry._lock, known_loaders._lock)
    assert not any(one is other for one, other in zip(before, after, strict=True))


def test_what_is_private_in_the_import_system_and_used_is_there():
    # importing/direct_import.py and module_locks.py do without any of these that is missing, at the cost of speed only.
    from importlib import _bootstrap

    from pyautoload.importing import direct_import as direct
    from pyautoload.importing import module_locks

    assert hasattr(_bootstrap, "_get_module_lock")
    assert hasattr(_bootstrap, "_DeadlockError")
    assert module_locks.available()
    assert direct._modules_can_be_made()


def test_builtins_import_is_what_the_statement_calls(monkeypatch):
    # hidden_frames.imported calls it by name, so that what others have put in its place is used.
    asked = []
    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", lambda name, *rest: asked.append(name) or original(name, *rest))
    exec("import json")
    assert "json" in asked
