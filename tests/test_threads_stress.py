"""32 threads that touch names and load eagerly inside the gate, reload inside and outside it, and unload: two loaders.

On a build without a GIL they really run at the same time: ``PYTHON_GIL=0``. ``PYAUTOLOAD_STRESS=200`` for as many
rounds with 500 names.
"""

from __future__ import annotations

import os

import pytest

ROUNDS = int(os.environ.get("PYAUTOLOAD_STRESS", "6"))
NAMES = 500 if ROUNDS >= 100 else 60

PROGRAM = """
import faulthandler, random, sys, threading, time
faulthandler.dump_traceback_later(LIMIT, exit=True)
sys.setswitchinterval(1e-5)
from pathlib import Path
from pyautoload import AutoLoader

NAMES, ROUNDS, THREADS = {names}, {rounds}, 32
TEXT = (
    "import threading\\nclass M{{n}}:\\n    value = {{v}}\\n    def get(self): return self.value, {{v}}\\n"
    "def made(x=1):\\n    def inner(): return {{v}}\\n    return inner\\n"
)

def write(root, number, version):
    path = Path(root, f"m{{number}}.py")
    other = path.with_suffix(".new")
    other.write_text(TEXT.format(n=number, v=version))
    other.replace(path)

for root in ("app", "lib"):
    Path(root).mkdir()
    for number in range(NAMES):
        write(root, number, 0)
app_loader = AutoLoader("app").enable_reloading(watch=False).setup()
lib_loader = AutoLoader("lib").setup()
import app, lib

errors, version = [], 0
kept = {{}}
editing = threading.Lock()
barrier = threading.Barrier(THREADS)

def touch(random):
    for number in random.sample(range(NAMES), 20):
        with app_loader.running():
            cls = getattr(app, f"M{{number}}")
            module = getattr(app, f"m{{number}}")
            assert module.__dict__[f"M{{number}}"] is cls, (number, "dict")
            one, two = cls().get()
            assert one == two, (number, one, two)
            assert kept.setdefault(number, cls) is cls, number
        assert getattr(lib, f"M{{number}}")().get() == (0, 0)

def edit(random):
    global version
    with editing:
        version += 1
        for number in random.sample(range(NAMES), 3):
            write("app", number, version)
        result = app_loader.reload()
        assert not result.restart_required, result

def inside(random):
    with app_loader.running():
        app_loader.reload_if_changed()

def unload(random):
    number = random.randrange(NAMES)
    lib_loader.unload(f"lib.m{{number}}")

def run(number):
    mine = random.Random(number)
    barrier.wait()
    try:
        for _ in range(ROUNDS):
            kind = mine.random()
            if number == 0:
                edit(mine)
            elif number == 1:
                unload(mine)
            elif kind < 0.1:
                with app_loader.running():
                    app_loader.eager_load()
            elif kind < 0.15:
                lib_loader.eager_load_namespace("lib")
            elif kind < 0.3:
                inside(mine)
            else:
                touch(mine)
    except BaseException as error:
        import traceback
        errors.append(traceback.format_exc()[-1500:])

threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not errors, errors[0]
app_loader.reload()
# Each class is the one that was seen first, and all of it is as its file says.
for number in range(NAMES):
    cls = getattr(app, f"M{{number}}")
    assert kept.get(number, cls) is cls
    written = f"value = {{cls.value}}\\n" in Path("app", f"m{{number}}.py").read_text()
    assert written and cls().get() == (cls.value, cls.value), number
print("fine")
"""


@pytest.mark.timeout(600)
def test_32_threads_touch_load_reload_and_unload(python, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = PROGRAM.format(names=NAMES, rounds=ROUNDS).replace("LIMIT", "100" if ROUNDS < 100 else "590")
    assert python(program).stdout == "fine\n"
