"""Loaders in processes that are forked or spawned, in interpreters started by ``.pth``, ``-m`` and test runners."""

from __future__ import annotations

import multiprocessing
import os
import sys
import textwrap

import pytest

FILES = {
    "app/__init__.py": "",
    "app/user.py": "class User:\n    def __init__(self, name): self.name = name\n"
    "    def __eq__(self, other): return type(self) is type(other) and self.name == other.name\n",
    "app/tasks.py": "import app\ndef work(name):\n    return app.User(name)\n\n"
    "def fail(name):\n    from app import Broken\n\ndef cycle(name):\n    import app.first\n",
    "app/broken.py": "None.wrong\n",
    "app/first.py": "from app.second import Second\nclass First: ...\n",
    "app/second.py": "from app.first import First\nclass Second: ...\n",
    "app/sub/thing.py": "class Thing: ...\n",
}
MAIN = """
import multiprocessing, sys
from pyautoload import AutoLoader

loader = AutoLoader("app").setup()

def main(method):
    import app
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        users = pool.map(app.tasks.work, ["ann", "bob"] * 10)
        print([user.name for user in users[:2]], all(type(user) is app.User for user in users))
        for task in (app.tasks.fail, app.tasks.cycle):
            try:
                pool.map(task, ["x"])
            except Exception as error:
                print(type(error).__name__, str(error).splitlines()[0].partition(" (")[0])

if __name__ == "__main__":
    main(sys.argv[1])
"""


def run_file(python, *arguments, **environment):
    """Run ``main.py``: a process that is spawned has to find its main module again."""
    code = "import runpy, subprocess, sys; sys.exit(subprocess.call([sys.executable, 'main.py', *sys.argv[1:]]))"
    # `-c` comes last in the fixture, so what the program gets is handed over in the code.
    return python(code.replace("*sys.argv[1:]", f"*{list(arguments)!r}"), **environment)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_work_is_done_in_other_processes(python, tree, method):
    tree({**FILES, "main.py": MAIN})
    assert run_file(python, method).stdout.splitlines() == [
        "['ann', 'bob'] True",
        "LoadError loading app.broken",
        "CircularDependencyError circular dependency: app.first → app.second → app.first",
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_after_an_eager_load_shares_what_is_loaded(python, tree):
    tree({key: FILES[key] for key in ("app/__init__.py", "app/user.py", "app/sub/thing.py")})
    code = """
        import os, sys
        from pyautoload import AutoLoader
        loader = AutoLoader("app").setup()
        loader.eager_load(freeze=True)
        import app
        before = set(sys.modules)
        pid = os.fork()
        if pid == 0:
            app.User("x"), app.sub.Thing
            os._exit(0 if set(sys.modules) == before and loader.loaded() else 1)
        print(os.waitpid(pid, 0)[1])
    """
    assert python(code).stdout == "0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_while_other_threads_list_and_load_leaves_no_lock_behind(python, tree):
    # Threads hold our locks for moments only: forks in quick succession meet some of them held.
    tree({f"app/p{i}/m{i}.py": f"class M{i}: ...\n" for i in range(300)})
    code = """
        import faulthandler, os, signal, sys, threading, warnings
        warnings.simplefilter("ignore")
        faulthandler.dump_traceback_later(80, exit=True)
        sys.setswitchinterval(1e-5)
        from pyautoload import AutoLoader
        loader = AutoLoader("app").setup()
        import app
        stop = []
        def work(number):
            while not stop:
                for i in range(number, 300, 4):
                    loader.tree.relist("app")
                    loader.tree.relist(f"app.p{i}")
                    loader.registry.entries(f"app.p{i}")
                    loader.loaded(), AutoLoader().all_dirs()
                    if stop: break
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads: thread.start()
        codes = []
        for turn in range(40):
            pid = os.fork()
            if pid == 0:
                signal.alarm(20)
                name = f"m{299 - turn}"
                value = getattr(getattr(app, "p" + name[1:]), name.upper())
                AutoLoader.all_dirs(), loader.registry.entries("app"), dir(app)
                other = AutoLoader(); other.unregister()
                os._exit(0 if value.__name__ == name.upper() else 2)
            codes.append(os.waitpid(pid, 0)[1])
        stop.append(1)
        for thread in threads: thread.join()
        print(codes == [0] * 40, codes)
    """
    assert python(code).stdout.startswith("True")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_is_forked_by_a_file_while_it_is_loaded_can_load_more(python, tree):
    tree(
        {
            "app/forker.py": "import os, app\npid = os.fork()\nif pid == 0:\n    app.Other\n    os._exit(7)\n"
            "status = os.waitpid(pid, 0)[1]\nclass Forker: ...\n",
            "app/other.py": "class Other: ...\n",
        }
    )
    code = (
        "from pyautoload import AutoLoader\nAutoLoader('app').setup()\nimport app, os\n"
        "app.Forker\nprint(os.waitstatus_to_exitcode(app.forker.status))"
    )
    assert python(code).stdout == "7\n"


# Started by somebody else

CUSTOMIZE = "from pyautoload import AutoLoader\nAutoLoader('app').setup()\n"


def run_module(python, tree, *arguments, files, check=True, **environment):
    """``python -m ...`` in a process whose ``sitecustomize`` sets a loader up, as a ``.pth`` file would."""
    root = tree({**files, "site/sitecustomize.py": CUSTOMIZE})
    source = os.path.dirname(os.path.dirname(sys.modules["pyautoload"].__file__))
    code = textwrap.dedent(
        f"""
        import os, subprocess, sys
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([{str(root / "site")!r}, {source!r}]))
        sys.exit(subprocess.call([sys.executable, *{list(arguments)!r}], env=environment))
        """
    )
    return python(code, check=check, **environment)


TOOL = {
    "app/__init__.py": "",
    "app/tool.py": "import sys, app\nfrom .user import User\nif __name__ == '__main__':\n"
    "    same = __file__ == __spec__.origin\n"
    "    print(__name__, __spec__.name, __package__, same, sys.argv[1:], app.User is User)\n",
    "app/user.py": "class User: ...\n",
    "app/cli/__init__.py": "",
    "app/cli/__main__.py": "import app\nprint('main of', __package__, app.User.__name__, __spec__.name)\n",
    "app/plain/__main__.py": "print('plain', __package__)\n",
}


def test_a_module_is_run_with_the_m_switch(python, tree):
    result = run_module(python, tree, "-m", "app.tool", "x", files=TOOL)
    assert result.stdout == "__main__ app.tool app True ['x'] True\n"


def test_packages_are_run_with_the_m_switch(python, tree):
    assert run_module(python, tree, "-m", "app.cli", files=TOOL).stdout == "main of app.cli User app.cli.__main__\n"
    assert run_module(python, tree, "-m", "app.plain", files=TOOL).stdout == "plain app.plain\n"


def test_a_missing_module_of_the_m_switch_gives_the_ordinary_message(python, tree):
    result = run_module(python, tree, "-m", "app.nothing", files=TOOL, check=False)
    assert "No module named app.nothing" in result.stderr


def test_runpy_runs_modules_without_leaving_them(autoload):
    import runpy

    autoload({"app/tool.py": "name = __name__\nimport app\nuser = app.User\n", "app/user.py": "class User: ..."})
    names = runpy.run_module("app.tool", run_name="other")
    assert names["name"] == "other"
    assert names["user"].__module__ == "app.user"


def test_the_standard_profiler_tracer_and_debugger_run_a_module(python, tree):
    for tool in (["cProfile", "-m"], ["trace", "--trace", "--module"], ["pdb", "-c", "continue", "-c", "quit", "-m"]):
        result = run_module(python, tree, "-m", *tool, "app.tool", files=TOOL, check=False)
        assert "app True [] True" in result.stdout, (tool, result.stdout[-500:], result.stderr)


# Test runners and tools

TESTED = {
    "app/__init__.py": "",
    "app/user.py": "class User:\n    def name(self):\n        return 'ann'\n    def no(self):\n        return 'bob'\n",
    "app/doc.py": "class Doc:\n    '''\n    >>> import app\n    >>> app.User().name()\n    'ann'\n    '''\n",
    "app/tests/__init__.py": "",
    "app/tests/test_user.py": "import unittest\nfrom unittest import mock\nimport app\n"
    "class UserTest(unittest.TestCase):\n"
    "    def test_name(self):\n        self.assertEqual(app.User().name(), 'ann')\n"
    "    @mock.patch('app.user.User.name', return_value='eve')\n"
    "    def test_mock(self, name):\n        self.assertEqual(app.User().name(), 'eve')\n"
    "    @mock.patch('app.User')\n    def test_class(self, user):\n        self.assertIs(app.User, user)\n",
}


def test_unittest_discovers_tests_below_a_root(python, tree):
    result = run_module(python, tree, "-m", "unittest", "discover", "-s", "app", "-t", ".", "-v", files=TESTED)
    assert "Ran 3 tests" in result.stderr
    assert "OK" in result.stderr


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_pytest_discovers_tests_below_a_root(python, tree, mode):
    files = {
        **TESTED,
        "pytest.ini": "[pytest]\n",
        "app/tests/test_plain.py": "import app, pytest\n"
        "def test_user(monkeypatch):\n    monkeypatch.setattr('app.user.User.name', lambda self: 'zoe')\n"
        "    assert app.User().name() == 'zoe'\n",
    }
    result = run_module(
        python,
        tree,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--doctest-modules", f"--import-mode={mode}", "app"),
        files=files,
        check=False,
        # To load those of others takes three times as long as all the rest.
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert "5 passed" in result.stdout, result.stdout[-3000:]


def test_coverage_counts_the_same_lines(python, tree):
    pytest.importorskip("coverage")
    files = {**TESTED, "main.py": "import app.user, app.doc\napp.user.User().name()\nimport app.tests.test_user\n"}
    tree(files)
    measure = (
        "import coverage, json\n"
        "cov = coverage.Coverage(data_file=None, source=['app'], branch=True)\n"
        "cov.start()\n{setup}\nimport runpy; runpy.run_path('main.py')\ncov.stop()\n"
        "data = cov.get_data()\n"
        "for f in sorted(data.measured_files()): print(f, sorted(data.lines(f) or []), sorted(data.arcs(f) or []))\n"
    )
    stock = python(measure.format(setup="pass")).stdout
    ours = python(measure.format(setup=CUSTOMIZE)).stdout
    assert ours == stock
    assert "user.py" in stock


def test_a_debugger_stops_in_a_managed_file(python, tree):
    tree(TESTED)
    code = CUSTOMIZE + textwrap.dedent(
        """
        import bdb, os, sys
        class Debugger(bdb.Bdb):
            stops = []
            def user_line(self, frame):
                if self.break_here(frame):
                    name = os.path.basename(frame.f_code.co_filename)
                    self.stops.append((name, frame.f_lineno, frame.f_locals.get("self") is not None))
                self.set_continue()
        debugger = Debugger()
        print(debugger.set_break(os.path.abspath("app/user.py"), 3))
        def main():
            import app
            app.User().name()
        debugger.runcall(main)
        print(debugger.stops)
        seen = set()
        def trace(frame, event, arg):
            if event == "line" and "app" + os.sep in frame.f_code.co_filename: seen.add((frame.f_lineno))
            return trace
        sys.settrace(trace)
        import app.doc
        sys.settrace(None)
        print(sorted(seen))
        """
    )
    lines = python(code).stdout.splitlines()
    assert lines[:2] == ["None", "[('user.py', 3, True)]"]
    assert lines[2].startswith("[1")


def test_a_breakpoint_in_a_file_stops_in_that_file(python, tree):
    tree({"app/user.py": "class User:\n    before = 1\n    breakpoint()\n    after = 2\n"})
    code = CUSTOMIZE + textwrap.dedent(
        """
        import sys
        def hook():
            frame = sys._getframe(1)
            print(frame.f_code.co_name, frame.f_lineno, frame.f_locals["before"])
        sys.breakpointhook = hook
        import app
        app.User
        """
    )
    assert python(code).stdout == "User 3 1\n"


def test_a_subinterpreter_has_loaders_of_its_own(python, tree):
    tree(TESTED)
    code = CUSTOMIZE + textwrap.dedent(
        """
        import app
        try:
            import concurrent.interpreters as interpreters
        except ImportError:
            print("User")
        else:
            assert app.User
            other = interpreters.create()
            other.exec("import sys; sys.path[:] = " + repr(__import__("sys").path))
            other.exec("from pyautoload import AutoLoader; AutoLoader('app').setup()")
            other.exec("import app; print(app.User.__name__)")
            other.close()
        """
    )
    assert python(code).stdout == "User\n"
