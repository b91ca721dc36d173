"""Waiting for a module that another thread imports: only a deadlock that is one keeps a thread from it."""

from __future__ import annotations

import importlib._bootstrap as _bootstrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(_bootstrap, "_ModuleLock"), reason="module locks of another build")

# The main thread holds the lock `mine` and wants `a`. The thread `first` holds `a` and waits for `b`, which `second`
# holds. While the main thread looks, `second` releases `b` and waits for `mine`: no circle at any time.
SCENE = """
import faulthandler, importlib._bootstrap as bootstrap, sys, threading, time
faulthandler.dump_traceback_later(60, exit=True)
from _thread import get_ident
from pyautoload.importing import deadlocks
mine, a, b = [bootstrap._ModuleLock(name) for name in ("mine", "a", "b")]
waits, looked, ready = bootstrap._blocking_on, threading.Event(), threading.Barrier(3)
get = waits.get

def until(condition):
    while not condition(): time.sleep(0.001)

def wanted(ident):
    found = get(ident) or []
    return list(found) if isinstance(found, list) else [found]

def first():
    a.acquire(); ready.wait(); b.acquire(); b.release(); a.release()

def second():
    b.acquire(); ready.wait(); looked.wait(); b.release(); mine.acquire(); mine.release()

threads = [threading.Thread(target=first, daemon=True), threading.Thread(target=second, daemon=True)]
for thread in threads: thread.start()
mine.acquire(); ready.wait()
until(lambda: b in wanted(threads[0].ident))

class Slowly:
    def __getattr__(self, name):
        return getattr(waits, name)
    def __getitem__(self, key): return waits[key]
    def __setitem__(self, key, value): waits[key] = value
    def __delitem__(self, key): del waits[key]
    def get(self, ident, default=None):
        if ident == threads[1].ident and get_ident() == threading.main_thread().ident and not looked.is_set():
            looked.set()
            until(lambda: mine in wanted(ident))
        return get(ident, default)

bootstrap._blocking_on = Slowly()
"""


def test_a_circle_that_never_was_is_no_deadlock(python):
    code = SCENE + "deadlocks.look_twice()\nprint(a.acquire(), looked.is_set())\na.release(); mine.release()\n"
    code += "for thread in threads: thread.join()\nprint('fine')"
    assert python(code).stdout == "True True\nfine\n"


@pytest.mark.parametrize("line", ["from app.m{n} import M{n}", "from app import M{n}"])
def test_a_search_for_deadlocks_that_takes_long_fails_no_import(python, tree, line):
    files = {
        f"app/m{n}.py": "".join(line.format(n=other) + "\n" for other in {n // 2, n - 1} if 0 <= other < n)
        + f"class M{n}: ..."
        for n in range(100)
    }
    tree(files)
    code = """
import faulthandler, importlib._bootstrap as bootstrap, random, sys, threading, time
faulthandler.dump_traceback_later(60, exit=True)
sys.setswitchinterval(1e-6)
waits = bootstrap._blocking_on

class Slowly:
    def __getattr__(self, name): return getattr(waits, name)
    def __getitem__(self, key): return waits[key]
    def __setitem__(self, key, value): waits[key] = value
    def __delitem__(self, key): del waits[key]
    def get(self, ident, default=None):
        found = waits.get(ident, default)
        time.sleep(0.0001)
        return found

bootstrap._blocking_on = Slowly()
from pyautoload import AutoLoader
AutoLoader("app").setup()
import app
errors, barrier = [], threading.Barrier(16)

def work(number):
    names = list(range(100))
    random.Random(number).shuffle(names)
    barrier.wait()
    try:
        for n in names: getattr(app, f"M{n}")
    except Exception as error:
        errors.append(str(error))

threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(errors[:1])
"""
    assert python(code).stdout == "[]\n"


def test_a_deadlock_is_one_at_the_second_look_too(python):
    # `a` waits for `mine`, which the main thread holds, and the main thread wants `a`.
    code = (
        "import faulthandler, importlib._bootstrap as bootstrap, threading, time\n"
        "faulthandler.dump_traceback_later(60, exit=True)\n"
        "from pyautoload.importing import deadlocks\n"
        "deadlocks.look_twice()\n"
        "mine, a = bootstrap._ModuleLock('mine'), bootstrap._ModuleLock('a')\n"
        "taken = threading.Event()\n"
        "def other():\n"
        "    a.acquire(); taken.set(); mine.acquire(); mine.release(); a.release()\n"
        "thread = threading.Thread(target=other); mine.acquire(); thread.start(); taken.wait()\n"
        "while deadlocks.circle_to(a) is None: time.sleep(0.001)\n"
        "print(deadlocks.circle_to(a) == [(thread.ident, mine)])\n"
        "try:\n"
        "    a.acquire()\n"
        "except bootstrap._DeadlockError as error:\n"
        "    print('deadlock')\n"
        "mine.release(); thread.join()\n"
    )
    assert python(code).stdout == "True\ndeadlock\n"


def test_the_import_system_has_its_own_search_back_when_no_loader_is_left(python, tree):
    tree({"app/user.py": "class User: ..."})
    code = (
        "import importlib._bootstrap as bootstrap\n"
        "before = bootstrap._ModuleLock.has_deadlock\n"
        "from pyautoload import AutoLoader\n"
        "loader = AutoLoader('app').setup()\n"
        "print(bootstrap._ModuleLock.has_deadlock is before)\n"
        "loader.unregister()\n"
        "print(bootstrap._ModuleLock.has_deadlock is before)\n"
    )
    assert python(code).stdout == "False\nTrue\n"
