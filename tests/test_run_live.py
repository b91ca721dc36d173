"""``pyautoload run``: programs that know nothing of it, and edits while they run."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("click")

Tree = Callable[[dict[str, str]], Path]
PATIENCE = 20.0


class Running:
    """A program whose lines are read as they come."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pyautoload", "run", *arguments],
            cwd=directory,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: queue.Queue[str] = queue.Queue()
        self.err: queue.Queue[str] = queue.Queue()
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream: object, lines: queue.Queue[str]) -> None:
        for line in stream:  # type: ignore[attr-defined]
            lines.put(line.rstrip("\n"))

    def until(self, wanted: str, lines: queue.Queue[str] | None = None) -> str:
        """The next line that has a text in it."""
        seen: list[str] = []
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                line = (lines if lines is not None else self.out).get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"{wanted!r} did not come, but {seen[-5:]}, {list(self.err.queue)}") from None
            seen.append(line)
            if wanted in line:
                return line
        raise AssertionError(f"{wanted!r} did not come, but {seen[-5:]}, {list(self.err.queue)}")

    def told(self, wanted: str) -> str:
        """The next line on standard error that has a text in it."""
        return self.until(wanted, self.err)

    def ask(self, line: str = "") -> None:
        """Give the program a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Running]:
    program = Running(directory, *arguments)
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()
        for stream in (program.process.stdin, program.process.stdout, program.process.stderr):
            if stream is not None:
                stream.close()


HELPER = "RATE = 1\n\n\ndef price(x):\n    return x * RATE\n"
LOOP = """
import sys, time
from shop.helper import price

STEP = 1

class State:
    count = 0
    def next(self):
        self.count += STEP
        return self.count

state = State()

def show():
    print("shown", price(10), state.next() > 0, flush=True)

if __name__ == "__main__":
    while True:
        show()
        time.sleep(0.02)
"""


def test_a_loop_goes_on_with_what_was_saved(tree: Tree) -> None:
    root = tree({"shop/helper.py": HELPER, "loop.py": LOOP})
    with running(root, "loop.py") as program:
        program.until("shown 10 True")
        (root / "shop/helper.py").write_text(HELPER.replace("x * RATE", "x * RATE + 5"))
        program.until("shown 15 True")
        assert "patched shop.helper" in program.told("reloaded in")
        (root / "shop/helper.py").write_text(HELPER.replace("RATE = 1", "RATE = 3"))
        program.until("shown 30 True")
        program.told("re-executed shop.helper")


def test_the_programs_own_functions_classes_and_constants_are_live(tree: Tree) -> None:
    root = tree({"shop/helper.py": HELPER, "loop.py": LOOP})
    with running(root, "loop.py") as program:
        program.until("shown 10 True")
        edited = LOOP.replace('"shown"', '"seen"').replace("self.count += STEP", "self.count -= 10**9 * STEP")
        (root / "loop.py").write_text(edited)
        program.until("seen 10 False")
        program.told("patched __main__")
        (root / "loop.py").write_text(edited.replace("time.sleep(0.02)", "time.sleep(0.03)"))
        assert "line 18" in program.told("__main__ needs a restart")


def test_an_error_is_one_line_and_the_program_goes_on(tree: Tree) -> None:
    root = tree({"shop/helper.py": HELPER, "loop.py": LOOP})
    with running(root, "loop.py") as program:
        program.until("shown 10 True")
        (root / "shop/helper.py").write_text("RATE = 1\n\n1 / 0\n")
        line = program.told("reload failed")
        assert f"shop{os.sep}helper.py:3: ZeroDivisionError: division by zero; still running the previous code" in line
        program.until("shown 10 True")
        (root / "shop/helper.py").write_text(HELPER.replace("RATE = 1", "RATE = 2"))
        program.until("shown 20 True")


def test_a_module_of_a_package_in_src(tree: Tree) -> None:
    root = tree({"src/shop/__init__.py": "", "src/shop/helper.py": HELPER, "src/shop/loop.py": LOOP})
    with running(root / "src", "-m", "shop.loop") as program:
        program.until("shown 10 True")
        (root / "src/shop/helper.py").write_text(HELPER.replace("x * RATE", "-x"))
        program.until("shown -10 True")


def test_a_prompt_that_waits_in_a_read(tree: Tree) -> None:
    loop = "from shop.helper import price\nwhile True:\n    input()\n    print('shown', price(10), flush=True)\n"
    root = tree({"shop/helper.py": HELPER, "prompt.py": loop})
    with running(root, "prompt.py") as program:
        program.ask()
        program.until("shown 10")
        (root / "shop/helper.py").write_text(HELPER.replace("RATE = 1", "RATE = 4"))
        program.told("reloaded in")
        program.ask()
        assert program.until("shown") == "shown 40"


@pytest.mark.skipif(os.name == "nt", reason="the main thread is not interrupted there")
def test_no_step_of_the_main_thread_sees_a_module_half_way(tree: Tree) -> None:
    """A loop that never waits, while a module runs again and again and opens files meanwhile."""
    slow = "import os, time\nopen(__file__).close()\ntime.sleep(0.01)\nV = 0\n\n\ndef f():\n    return V\n"
    loop = (
        "import work\nprint('started', flush=True)\nwhile True:\n"
        "    if work.f() == 8:\n        print('came through', flush=True)\n        break\n"
    )
    root = tree({"work.py": slow, "busy.py": loop})
    with running(root, "busy.py") as program:
        program.until("started")
        for number in range(1, 9):
            (root / "work.py").write_text(slow.replace("V = 0", f"V = {number}"))
            program.told("reloaded in")
        program.until("came through")
        assert program.process.wait(PATIENCE) == 0


ENDINGS = {
    "arguments": ("import sys\nprint(sys.argv, __name__, __file__)", ["a.py", "x", "--y"]),
    "exit code": ("import sys\nsys.exit(7)", ["a.py"]),
    "an error": ("def f(): 1 / 0\nf()", ["a.py"]),
    "a syntax error": ("def f(:", ["a.py"]),
    "not there": ("", ["b.py"]),
    "a module": ("import sys\nprint(sys.argv, __name__, __spec__.name)", ["-m", "a", "x"]),
    "standard input": ("import sys\nprint(sys.stdin.read())", ["a.py"]),
    "what is in main": ("print(sorted(globals()), __spec__, __package__)", ["a.py"]),
}


@pytest.mark.parametrize("which", ENDINGS)
def test_a_program_begins_and_ends_as_without(tree: Tree, which: str) -> None:
    text, arguments = ENDINGS[which]
    root = tree({"a.py": text})
    outcomes = []
    for start in ([], ["-m", "pyautoload", "run"]):
        command = [sys.executable, *start, *arguments]
        done = subprocess.run(command, cwd=root, input="given", capture_output=True, text=True, timeout=PATIENCE)
        outcomes.append((done.returncode, done.stdout, done.stderr.replace("__builtins__", "")))
    assert outcomes[0] == outcomes[1]


WRONG = [["--live"], ["-m"], ["--what"], ["--live", "--no-live", "a.py"]]


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use(tree: Tree, arguments: list[str]) -> None:
    root = tree({"a.py": ""})
    command = [sys.executable, "-m", "pyautoload", "run", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, "usage:" in done.stderr) == (2, True)


COUNT = "import pyautoload.loaders as l\nprint(len(l.all_loaders()))\n"
WHETHER = {
    "nothing said": ([], {}, ["a.py"], "live"),
    "a module": ([], {}, ["-m", "a"], "live"),
    "not asked for": (["--no-live"], {}, ["a.py"], "not live: --no-live was given"),
    "a variable": ([], {"PYAUTOLOAD_LIVE": "0"}, ["a.py"], "not live: PYAUTOLOAD_LIVE=0"),
    "production": ([], {"PYAUTOLOAD_ENV": "production"}, ["a.py"], "not live: PYAUTOLOAD_ENV=production"),
    "asked for in production": (["--live"], {"PYAUTOLOAD_ENV": "production"}, ["a.py"], "live"),
    "a line of code": (
        [],
        {},
        ["-c", COUNT],
        "not live: -c runs no",
    ),
}


@pytest.mark.parametrize("how", WHETHER)
def test_whether_it_is_live(tree: Tree, how: str) -> None:
    options, variables, program, wanted = WHETHER[how]
    command = [sys.executable, "-m", "pyautoload", "run", "--why", *options, *program]
    root, variables = tree({"a.py": COUNT}), {**os.environ, **variables}
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, timeout=PATIENCE)
    assert f"; {wanted}" in done.stderr
    assert done.stdout.strip() == ("1" if wanted == "live" else "0")


def test_a_program_where_too_much_would_be_watched_runs_all_the_same(tree: Tree) -> None:
    root = tree({"a.py": COUNT})
    variables = {**os.environ, "HOME": str(root), "USERPROFILE": str(root)}
    results = {}
    for option in ("--why", "--live"):
        command = [sys.executable, "-m", "pyautoload", "run", option, "a.py"]
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, timeout=PATIENCE)
        results[option] = (done.returncode, done.stdout.strip(), "too much to be watched" in done.stderr)
    assert results == {"--why": (0, "0", False), "--live": (2, "", True)}
