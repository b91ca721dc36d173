"""Many threads that use a loader for the first time at once: each file runs once, everybody sees the same."""

from __future__ import annotations

import pytest

# Runs in a process of its own: a deadlock there ends by itself and shows where every thread stands.
PRELUDE = """
import faulthandler, random, sys, threading, time
faulthandler.dump_traceback_later(60, exit=True)
sys.setswitchinterval(1e-6)
from pyautoload import AutoLoader
loader = AutoLoader("app").setup()
import app
COUNT, THREADS = {count}, 32
errors, seen = [], [None] * THREADS
barrier = threading.Barrier(THREADS)

def together(work):
    def run(number):
        barrier.wait()
        try:
            seen[number] = work(number)
        except BaseException as error:
            errors.append(repr(error)[:300])
    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def runs():
    return [line.strip() for line in open("runs")]

def order(number):
    names = list(range(COUNT))
    random.Random(number).shuffle(names)
    return names
"""


def forest(count, line):
    """Modules that note each run of theirs and use a few others by ``line``."""
    files = {}
    for index in range(count):
        imports = "".join(
            line.format(n=other) + "\n" for other in {index // 2, index // 3, index - 1} if 0 <= other < index
        )
        note = f"with open('runs', 'a') as file: file.write('m{index}\\n')\n"
        files[f"app/m{index}.py"] = f"import time\n{note}{imports}time.sleep(0)\n\nclass M{index}:\n    done = True\n"
    return files


@pytest.mark.parametrize(
    "line",
    [
        "from app.m{n} import M{n}",
        "import app\napp.M{n}.done",
        "from app import M{n}",
        "import app.m{n}\napp.m{n}.M{n}",
    ],
)
@pytest.mark.parametrize(
    "touch",
    [
        "getattr(app, f'M{i}')",
        "__import__(f'app.m{i}', fromlist=['x']).__dict__[f'M{i}']",
        "getattr(app, f'm{i}').M{i}".replace(".M{i}", ".__dict__[f'M{i}']"),
        "loader.resolve(f'app.M{i}')",
    ],
)
def test_32_threads_touch_200_names_and_each_file_runs_once(python, tree, line, touch):
    tree(forest(200, line))
    code = (
        PRELUDE.format(count=200)
        + f"""
together(lambda number: {{i: {touch} for i in order(number)}})
assert not errors, errors[:3]
assert sorted(runs()) == sorted(f"m{{i}}" for i in range(COUNT))
first = seen[0]
assert all(all(one[i] is first[i] and one[i].done for i in range(COUNT)) for one in seen)
assert len(loader.loaded()) == COUNT + 1
assert app.__getattr__.__self__.completion._to_come == set()
loader.eager_load(freeze=True)
assert ("__getattr__" in vars(app)) is (not getattr(sys, "_is_gil_enabled", lambda: True)())
print("fine")
"""
    )
    assert python(code).stdout == "fine\n"


def test_threads_that_touch_names_in_implicit_and_explicit_namespaces(python, tree):
    files = {}
    for index in range(40):
        note = f"with open('runs', 'a') as file: file.write('m{index}\\n')\n"
        init = {f"app/p{index}/__init__.py": "import app\nstarted = True\n"} if index % 2 else {}
        other = (index * 7) % 40
        uses = f"def late():\n    return app.p{other}.M{other}\n"
        files |= {f"app/p{index}/m{index}.py": f"import app\n{note}class M{index}: ...\n{uses}", **init}
    tree(files)
    code = PRELUDE.format(count=40) + (
        "together(lambda number: {i: getattr(getattr(app, f'p{i}'), f'M{i}') for i in order(number)})\n"
        "assert not errors, errors[:3]\n"
        "assert sorted(runs()) == sorted(f'm{i}' for i in range(COUNT))\n"
        "assert all(one == seen[0] for one in seen)\n"
        "assert all(sys.modules[f'app.p{i}.m{i}'].late() for i in range(COUNT))\n"
        "print('fine')\n"
    )
    assert python(code).stdout == "fine\n"


def test_circular_imports_from_many_threads_do_not_hang(python, tree):
    # Each module imports the next one in a ring, which Python tolerates; names are used later only.
    tree(
        {
            f"app/m{i}.py": f"with open('runs', 'a') as file: file.write('m{i}\\n')\nimport app.m{(i + 1) % 20}\n"
            f"class M{i}:\n    def next(self):\n        import app\n        return app.M{(i + 1) % 20}\n"
            for i in range(20)
        }
    )
    # Python may tell a thread of a deadlock that it has avoided, with a stock import too; then that one asks again.
    code = PRELUDE.format(count=20) + (
        "def load(number):\n"
        "    while True:\n"
        "        try:\n"
        "            return {i: __import__(f'app.m{i}', fromlist=['x']) for i in order(number)}\n"
        "        except RuntimeError as error:\n"
        "            if 'deadlock detected' not in str(error): raise\n"
        "together(load)\n"
        "assert not errors, errors[:3]\n"
        "assert sorted(runs()) == sorted(f'm{i}' for i in range(COUNT))\n"
        "assert all(one == seen[0] for one in seen)\n"
        "assert app.M3().next() is app.M4\n"
        "print('fine')\n"
    )
    assert python(code).stdout == "fine\n"


def test_circular_imports_by_attribute_from_many_threads_end(python, tree):
    # One thread may see a module that another has not finished: Python's own imports give no more. None may hang.
    tree(
        {
            f"app/m{i}.py": f"import app\nclass M{i}: ...\nimport time; time.sleep(0)\napp.M{(i + 1) % 6}\n"
            for i in range(6)
        }
    )
    code = PRELUDE.format(count=6) + (
        "together(lambda number: [getattr(app, f'M{i}') for i in order(number)])\n"
        "assert all('ImportError' in e or 'Circular' in e for e in errors), errors[:3]\n"
        "for i in range(COUNT): assert getattr(app, f'M{i}').__name__ == f'M{i}'\n"
        "print('fine')\n"
    )
    assert python(code).stdout == "fine\n"


def test_a_failing_file_fails_for_each_thread_and_hangs_none(python, tree):
    tree({"app/bad.py": "import time; time.sleep(0.001)\nclass Bad: ...\n1 / 0\n", "app/good.py": "class Good: ..."})
    code = PRELUDE.format(count=1) + (
        "together(lambda number: app.Bad)\n"
        "assert len(errors) == THREADS and set(errors) == {\"ZeroDivisionError('division by zero')\"}, set(errors)\n"
        "assert app.Good and 'app.bad' not in sys.modules\n"
        "print('fine')\n"
    )
    assert python(code).stdout == "fine\n"


def test_an_eager_load_beside_threads_that_load_by_name(python, tree):
    tree(forest(100, "import app\napp.M{n}.done"))
    code = PRELUDE.format(count=100) + (
        "def work(number):\n"
        "    loader.eager_load() if number % 4 == 0 else [getattr(app, f'M{i}').done for i in order(number)]\n"
        "together(work)\n"
        "assert not errors, errors[:3]\n"
        "assert sorted(runs()) == sorted(f'm{i}' for i in range(COUNT))\n"
        "import gc; assert gc.isenabled()\n"
        "print('fine')\n"
    )
    assert python(code).stdout == "fine\n"


@pytest.mark.parametrize(
    ("first", "second"), [("lambda: app.Slow", "loader.eager_load()"), ("loader.eager_load", "from app import slow")]
)
def test_an_import_and_an_eager_load_wait_for_what_the_other_is_loading(first, second, python, tree):
    tree({"app/slow.py": "import time\nwith open('runs', 'a'): ...\ntime.sleep(0.3)\nclass Slow: ...\n"})
    code = PRELUDE.format(count=1) + (
        "import os\n"
        f"thread = threading.Thread(target={first})\n"
        "thread.start()\n"
        "while not os.path.exists('runs'): time.sleep(0.001)\n"
        f"{second}\n"
        "print('Slow' in vars(sys.modules['app.slow']))\n"
        "thread.join()\n"
    )
    assert python(code).stdout == "True\n"


def test_no_lock_of_ours_is_held_while_a_file_runs(python, tree):
    # The file waits for another thread that needs the loader's data for something else.
    tree(
        {
            "app/user.py": "import threading, app\nfound = []\n"
            "thread = threading.Thread(target=lambda: found.extend([app.Post, app.sub.X, dir(app)]))\n"
            "thread.start()\nthread.join(20)\nassert not thread.is_alive()\nassert len(found) == 3\nclass User: ...\n",
            "app/post.py": "class Post: ...",
            "app/sub/x.py": "class X: ...",
        }
    )
    for statement in ("app.User", "import app.user", "loader.eager_load()"):
        assert python(PRELUDE.format(count=1) + statement + "\nprint('fine')").stdout == "fine\n"


def test_names_come_and_go_while_others_read(python, tree):
    tree({f"app/m{i}.py": f"class M{i}: ..." for i in range(20)})
    code = PRELUDE.format(count=20) + (
        "def work(number):\n"
        "    for turn in range(30):\n"
        "        if number == 0:\n"
        "            loader.unload()\n"
        "        else:\n"
        "            __import__('app')\n"
        "            dir(sys.modules.get('app', app)), loader.loaded(), loader.registry.entries('app')\n"
        "            __import__(f'app.m{number % 20}')\n"
        "together(work)\n"
        "# A package that goes while one of its modules is imported: Python's own KeyError, nothing of ours.\n"
        "assert set(errors) <= {\"KeyError('app')\"}, errors[:3]\n"
        "print('fine')\n"
    )
    result = python(code, check=False)
    assert result.stdout == "fine\n", result.stderr[-2000:]
