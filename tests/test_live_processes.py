"""Worker processes of a live program: they find the same loader set up, and do not watch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

METHODS = ["spawn", *(["forkserver"] if sys.platform != "win32" else [])]
WORK = "class Address:\n    street = 'High Street'\n\n\ndef greet(name):\n    return f'hello {name}'\n"
# What a worker says of its loaders.
STATE = """
from pyautoload.loaders import all_loaders

def state(_):
    return [
        (sorted(loader.config.roots), [root.conventions for root in loader.config.roots.values()],
         loader.reloader is not None and loader.reloader.watches, "lib.work" in loader.loaded())
        for loader in all_loaders(set_up=True)
    ]
"""
PROGRAM = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor

if __name__ == "__main__":
    from pyautoload import AutoLoader, live
    loader = {make}
    from lib.state import state
    from lib.work import Address, greet
    context = multiprocessing.get_context({method!r})
    with context.Pool(1) as pool:
        print(pool.map(greet, ["pool"]), pool.apply(state, (None,)))
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        print(executor.submit(greet, "executor").result(), executor.submit(state, None).result())
        print(executor.submit(getattr, Address(), "street").result())
"""
MAKERS = ["live(os.getcwd())", "AutoLoader('.', conventions=False).enable_reloading().setup()"]


def ran(root: Path) -> list[str]:
    """What the program prints."""
    done = subprocess.run([sys.executable, "main.py"], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", MAKERS)
def test_a_worker_has_the_loader_and_does_not_watch(
    tree: Callable[[dict[str, str]], Path], method: str, make: str
) -> None:
    root = tree({"lib/work.py": WORK, "lib/state.py": STATE, "main.py": PROGRAM.format(make=make, method=method)})
    printed = ran(root)
    state = [([str(root)], [False], False, True)]
    assert printed == [f"['hello pool'] {state}", f"hello executor {state}", "High Street"]


@pytest.mark.parametrize("method", METHODS)
def test_live_in_every_process_watches_in_one(tree: Callable[[dict[str, str]], Path], method: str) -> None:
    """A main module without a guard around ``live()``: workers import it."""
    text = PROGRAM.format(make="live('.')", method=method).replace(
        "import multiprocessing", "from pyautoload import live\nlive('.')\nimport multiprocessing", 1
    )
    root = tree({"lib/work.py": WORK, "lib/state.py": STATE, "main.py": text})
    printed = ran(root)
    state = [([str(root)], [False], False, True)]
    assert printed[0] == f"['hello pool'] {state}"


LOKY = """
import os

if __name__ == "__main__":
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from pyautoload import AutoLoader, live
    loader = {make}
    from lib.state import state
    from lib.work import Address, greet
    def ask(function, *arguments):
        return Parallel(n_jobs=2, backend="loky")([delayed(function)(*arguments)])[0]
    print(ask(greet, "loky"), ask(state, None))
    print(ask(getattr, Address(), "street"))
    loader.on_reload(lambda result: get_reusable_executor().shutdown(wait=True))
    with open("lib/work.py", "a") as file:
        file.write("\\n\\ndef greet(name):\\n    return f'good-bye {{name}}'\\n")
    loader.reload()
    print(ask(greet, "loky"))
    get_reusable_executor().shutdown(wait=True)
"""


@pytest.mark.parametrize("make", MAKERS)
def test_a_worker_of_loky_has_the_loader_and_is_renewed(tree: Callable[[dict[str, str]], Path], make: str) -> None:
    pytest.importorskip("joblib", reason="joblib is not installed")
    root = tree({"lib/work.py": WORK, "lib/state.py": STATE, "main.py": LOKY.format(make=make)})
    state = [([str(root)], [False], False, True)]
    assert ran(root) == [f"hello loky {state}", "High Street", "good-bye loky"]
