"""An eager load imports without searching; all else is as the import statement does it: compared in two processes."""

from __future__ import annotations

import gc
import importlib
import json
import sys
import threading
import time

import pytest

from pyautoload import AutoLoader, EagerLoadError
from pyautoload.importing.direct_import import DirectImport

# One process loads directly; in the other a finder that finds nothing stands in front, which asks for the ordinary way.
DIRECT = ""
ORDINARY = """
class Nothing:
    @staticmethod
    def find_spec(name, path=None, target=None): return None
sys.meta_path.insert(0, Nothing)
"""
SETUP = """
import sys, importlib, json, warnings, gc, dataclasses, functools, threading, types
from pyautoload import AutoLoader, EagerLoadError
from pyautoload.importing import direct_import as direct
loader = AutoLoader("app").setup()
used = []
original = direct.DirectImport.load
def load(self, *arguments):
    used.append(True)
    used[-1] = done = original(self, *arguments)
    return done
direct.DirectImport.load = load
"""

FILES = {
    "app/__init__.py": "order = []\n",
    "app/a.py": "from app.models.user import User\nimport app\napp.order.append(__name__)\nclass A: ...\n",
    "app/b.py": "import app\napp.order.append(__name__)\nclass B: ...\n",
    "app/models/user.py": "import app\napp.order.append(__name__)\nclass User: ...\n",
    "app/models/post.py": "import app\napp.order.append(__name__)\nclass Post: ...\n",
    "app/shop/__init__.py": "import app\napp.order.append(__name__)\nfrom .cart import Cart\n",
    "app/shop/cart.py": "import app\napp.order.append(__name__)\nclass Cart: ...\n",
    "app/hotel.py": "import app\napp.order.append(__name__)\nclass Hotel: ...\n",
    "app/hotel/room.py": "import app\napp.order.append(__name__)\nclass Room: ...\n",
}


@pytest.fixture
def both(python, tree):
    """``both(code, files)``: what ``code`` prints when modules are loaded directly, and when ordinarily."""

    def run(code, files=FILES):
        tree(files)
        direct = python(SETUP + DIRECT + code + "\nassert any(used), used").stdout
        ordinary = python(SETUP + ORDINARY + code + "\nassert not any(used), used").stdout
        return direct, ordinary

    return run


FACTS = """
def facts(module):
    spec, loader = module.__spec__, module.__loader__
    return {
        "keys": list(vars(module)),
        "attributes": {k: repr(v) for k, v in vars(module).items() if k in (
            "__name__", "__file__", "__cached__", "__package__", "__path__", "__doc__")},
        "spec": {k: repr(v) for k, v in vars(spec).items() if k != "loader"},
        "spec repr": repr(spec).partition("0x")[0],
        "loader": [type(loader).__name__, getattr(loader, "name", None), getattr(loader, "path", None)],
        "same": spec.loader is loader, "initializing": spec._initializing, "parent": spec.parent,
        "cached": spec.cached, "has_location": spec.has_location,
    }
"""


def test_modules_specs_and_bindings_are_the_same(both):
    code = FACTS + (
        "before = set(sys.modules)\n"
        "print(loader.eager_load())\n"
        "names = [name for name in sys.modules if name not in before]\n"
        "print(names, sys.modules['app'].order)\n"
        "print(json.dumps({name: facts(sys.modules[name]) for name in names}, indent=1))\n"
        "for name in names:\n"
        "    parent, _, stem = name.rpartition('.')\n"
        "    print(name, not parent or vars(sys.modules[parent])[stem] is sys.modules[name])\n"
    )
    direct, ordinary = both(code)
    assert direct == ordinary
    assert "app.hotel.room True" in direct


def test_the_state_seen_from_inside_a_file_is_the_same(both):
    inside = (
        "import sys, app\nspec = __spec__\n"
        "app.order.append((__name__, sys.modules[__name__].__dict__ is globals(), spec._initializing,"
        " list(sys.modules)[-1], sorted(k for k in globals() if k.startswith('__')),"
        " __name__.rpartition('.')[2] in vars(sys.modules[__name__.rpartition('.')[0] or 'app']),"
        " list(getattr(sys.modules[__spec__.parent].__spec__, '_uninitialized_submodules', []))))\n"
    )
    files = {name: inside for name in FILES if name != "app/__init__.py"} | {"app/__init__.py": "order = []\n"}
    direct, ordinary = both("loader.eager_load()\nprint(*sys.modules['app'].order, sep='\\n')", files)
    assert direct == ordinary


def test_a_file_that_imports_its_own_package_in_a_circle_sees_the_same(both):
    files = {
        "app/__init__.py": "seen = []\n",
        "app/a.py": "import app.b\nfrom app import b\napp.seen.append(hasattr(b, 'B'))\nclass A: ...",
        "app/b.py": "import app.a\nfrom app import a\napp.seen.append(hasattr(a, 'A'))\nclass B: ...",
    }
    direct, ordinary = both("loader.eager_load()\nprint(sys.modules['app'].seen)", files)
    assert direct == ordinary == "[False, True]\n"


@pytest.mark.parametrize(
    "source",
    [
        "1 / 0",
        "import sys; sys.modules[__name__] = types = type(sys)('other'); types.word = 'replaced'",
        "import sys; del sys.modules[__name__]",
        "import sys; sys.modules[__name__] = None",
        "def broken(:",
        "raise KeyError('x') from ValueError('cause')",
        "import app.missing",
        "from app.b import Missing",
        "[].wrong",
        "__spec__ = None",
        "del __spec__",
        "__path__ = []",
        "__name__ = 'other'",
        "__loader__ = __package__ = None",
        "import app; app.broken = 'set by hand'",
        "import app; del app.__spec__",
        "import sys; del sys.modules['app']",
        "raise SystemExit(2)",
        "raise BaseException('x')",
    ],
)
def test_errors_and_odd_files_have_the_same_outcome(both, source):
    code = (
        "try:\n"
        "    loader.eager_load()\n"
        "except EagerLoadError as group:\n"
        "    for name, error in group.failures.items():\n"
        "        print(name, type(error).__name__, error, repr(error.__cause__))\n"
        "except BaseException as error:\n"
        "    print(type(error).__name__, error)\n"
        "print([name for name in sys.modules if name.startswith('app')])\n"
        "print({n: type(sys.modules[n]).__name__ for n in sys.modules if n.startswith('app')})\n"
        "print(loader.loaded())\n"
        "app = sys.modules.get('app')\n"
        "print(sorted(k for k in vars(app) if not k.startswith('__')) if app else None)\n"
        "print(type(vars(app).get('broken')).__name__ if app else None)\n"
    )
    files = {"app/__init__.py": "", "app/a.py": "", "app/b.py": "class B: ...", "app/broken.py": source, "app/z.py": ""}
    direct, ordinary = both(code, files)
    assert direct == ordinary


def test_a_parent_that_refuses_attributes_gives_the_same_warning(both):
    files = {
        "app/__init__.py": "import sys, types\nclass Closed(types.ModuleType):\n"
        "    def __setattr__(self, name, value):\n        raise AttributeError(name)\n"
        "sys.modules[__name__].__class__ = Closed\n",
        "app/helpers.py": "",
    }
    code = (
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    loader.eager_load()\n"
        "print([(str(w.message), w.category.__name__) for w in caught], 'app.helpers' in sys.modules)\n"
    )
    direct, ordinary = both(code, files)
    assert direct == ordinary


def test_callbacks_come_in_the_same_order_with_the_same_values(both):
    code = (
        "told = []\n"
        "loader.on_load(lambda name, value, path: told.append((name, str(value)[:30], path)))\n"
        "import app\n"
        "loader.on_load('app.B', lambda value, path: told.append(('special', value.__name__, app.A.__name__)))\n"
        "loader.eager_load()\n"
        "print(*told, sep='\\n')\n"
    )
    direct, ordinary = both(code)
    assert direct == ordinary


def test_a_callback_that_fails_leaves_the_same(both):
    code = (
        "loader.on_load('app.b', lambda value, path: 1 / 0)\n"
        "try:\n    loader.eager_load()\nexcept EagerLoadError as group:\n    print(group)\n"
        "print([name for name in sys.modules if name.startswith('app')])\n"
        "print(loader.loaded(), sorted(vars(sys.modules['app'])))\n"
    )
    direct, ordinary = both(code)
    assert direct == ordinary
    assert "ZeroDivisionError" in direct


def test_warnings_at_the_top_of_files_are_the_same_in_number_and_text(both):
    files = {
        "app/__init__.py": "",
        "app/a.py": "import warnings\nwarnings.warn('deprecated', UserWarning)\nx = '\\d'\n",
    }
    code = (
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    loader.eager_load()\n"
        "print([(str(w.message), w.filename, w.lineno) for w in caught if w.category is UserWarning])\n"
    )
    direct, ordinary = both(code, files)
    assert direct == ordinary


def test_audit_events_are_the_same(both):
    code = (
        "import os; here = os.path.realpath('') + os.sep\n"
        "events = []\n"
        "def hook(event, args):\n"
        "    if event in ('import', 'exec') or (event == 'open' and '.py' in str(args[0])):\n"
        "        events.append((event, str(args[0]).replace(here, '').partition(' at ')[0]))\n"
        "sys.addaudithook(hook)\n"
        "loader.eager_load()\n"
        "del hook\n"
        "print(*[e for e in events if 'app' in e[1] or 'code' in e[1]], sep='\\n')\n"
    )
    both(code)  # writes the bytecode
    direct, ordinary = both(code, {})
    assert direct == ordinary
    assert direct.count("('open', ") == 9


def test_another_thread_that_imports_meanwhile_waits_for_the_finished_module(both):
    files = {
        "app/__init__.py": "started = __import__('threading').Event()\n",
        "app/slow.py": "import app, time\napp.started.set()\ntime.sleep(0.2)\nclass Slow: ...\n",
    }
    code = (
        "import app\nseen = []\n"
        "def work():\n    app.started.wait()\n    from app import slow\n    seen.append(hasattr(slow, 'Slow'))\n"
        "    seen.append(app.Slow.__name__)\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "for t in threads: t.start()\n"
        "loader.eager_load()\n"
        "for t in threads: t.join()\n"
        "print(seen)\n"
    )
    direct, ordinary = both(code, files)
    for shown in (direct, ordinary):
        assert shown.count("True") == shown.count("'Slow'") == 8


def test_another_thread_that_imports_what_fails_gets_its_error_too(both):
    files = {
        "app/__init__.py": "started = __import__('threading').Event()\n",
        "app/slow.py": "import app, time\napp.started.set()\ntime.sleep(0.1)\n1 / 0\n",
    }
    code = (
        "import app\nseen = []\n"
        "def work():\n    app.started.wait()\n"
        "    try:\n        importlib.import_module('app.slow')\n"
        "    except ZeroDivisionError as error:\n        seen.append(1)\n"
        "thread = threading.Thread(target=work)\nthread.start()\n"
        "try:\n    loader.eager_load()\nexcept EagerLoadError as group:\n    print(group)\n"
        "thread.join()\nprint(seen, 'app.slow' in sys.modules)\n"
    )
    direct, ordinary = both(code, files)
    assert direct == ordinary
    assert "[1] False" in direct


def test_a_module_that_is_blocked_is_not_imported(autoload):
    loader = autoload({"app/__init__.py": "", "app/user.py": "class User: ...", "app/x.py": "X = 1"})
    loader.unload()
    sys.modules["app.user"] = None
    with pytest.raises(EagerLoadError, match=r"app\.user: ModuleNotFoundError: import of app\.user halted"):
        loader.eager_load()
    assert sys.modules["app.user"] is None
    assert "app.x" in sys.modules


def test_a_finder_in_front_of_ours_is_asked(tree):
    root = tree({"app/user.py": "class User: ...", "app/x.py": ""})
    loader = AutoLoader(root / "app").setup()
    asked = []

    class Curious:
        @staticmethod
        def find_spec(name, path=None, target=None):
            asked.append(name)

    sys.meta_path.insert(0, Curious)
    loader.eager_load()
    assert asked == ["app", "app.user", "app.x"]


def test_what_cannot_be_imported_directly_is_left_to_the_ordinary_import(autoload):
    loader = autoload({"app/user.py": "class User: ..."})
    loader.unload()
    direct = DirectImport(loader.lifecycle.finder)
    path = loader.where("app.user")
    assert direct.load("app.user", path, None) is False  # its parent is not there
    importlib.import_module("app")
    assert direct.load("app.user", path + "c", None) is False
    assert "app.user" not in sys.modules
    assert direct.load("app.user", path, None) is True
    assert direct.load("app.user", path, None) is True
    assert json.dumps(loader.loaded()) == '["app", "app.user"]'


def test_the_collector_is_on_again_after_a_failure(autoload):
    loader = autoload({"app/a.py": "import gc; assert not gc.isenabled()\n1 / 0"})
    with pytest.raises(Exception, match="could not be loaded"):
        loader.eager_load()
    assert gc.isenabled()


def test_a_lock_that_another_thread_waits_for_stays_the_modules_lock():
    from importlib import _bootstrap

    from pyautoload.importing import module_locks

    held = module_locks.HeldLock()
    held.acquire("some.module")
    mine = _bootstrap._module_locks["some.module"]()
    theirs, taken, done = [], threading.Event(), threading.Event()

    def wait():
        lock = _bootstrap._get_module_lock("some.module")
        theirs.append(lock)
        with_lock = lock.acquire()
        taken.set()
        done.wait(20)
        lock.release()
        return with_lock

    thread = threading.Thread(target=wait)
    thread.start()
    while not theirs:
        time.sleep(0.001)
    held.release("some.module")
    taken.wait(20)

    assert theirs == [mine]
    assert _bootstrap._get_module_lock("some.module") is mine
    done.set()
    thread.join()
    del mine
    theirs.clear()
    gc.collect()
    assert "some.module" not in _bootstrap._module_locks


def test_a_lock_that_nobody_saw_serves_again_and_one_that_somebody_has_does_not():
    from importlib import _bootstrap

    from pyautoload.importing.module_locks import HeldLock

    def seen(name):
        return _bootstrap._module_locks[name]()

    held = HeldLock()
    held.acquire("first.module")
    first = id(seen("first.module"))
    held.release("first.module")
    assert "first.module" not in _bootstrap._module_locks
    held.acquire("second.module")
    kept = seen("second.module")
    if sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)():
        assert id(kept) == first
    assert kept.name == "second.module"
    held.release("second.module")
    assert seen("second.module") is kept  # whoever has it can take it now
    held.acquire("third.module")
    assert seen("third.module") is not kept
    kept.acquire()
    kept.release()
    held.release("third.module")


def test_no_module_locks_are_left_behind(autoload):
    from importlib import _bootstrap

    loader = autoload({"app/user.py": "class User: ...", "app/bad.py": "1 / 0"})
    with pytest.raises(EagerLoadError):
        loader.eager_load()
    gc.collect()
    assert [name for name in _bootstrap._module_locks if name.startswith("app")] == []
