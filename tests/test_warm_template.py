"""Templates: what is left out of them, and why; when they are made anew; that they leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("warm processes are for Linux, and where they are asked for", allow_module_level=True)

from running import PATIENCE, environment
from warm_station import Station

from pyautoload.warm import wire
from pyautoload.warm.orders import order
from pyautoload.warm.owner import Owner, Refused

Tree = Callable[[dict[str, str]], Path]

# A library → why it is not to be in a template.
LEFT_OUT = {
    "import threading, time\nthreading.Thread(target=time.sleep, args=(9999,), daemon=True).start()": "starts a thread",
    "import socket\nleft = socket.socket()": "leaves a file or a socket open",
    "left = open(__file__)": "leaves a file or a socket open",
    "import os\nleft = os.pipe()": "leaves a file or a socket open",
    "import subprocess\nleft = subprocess.Popen(['sleep', '9999'])": "leaves a child process behind",
    "import no_such_module_anywhere": "raises ModuleNotFoundError",
    "import json.tool\n1 / 0": "raises ZeroDivisionError",
    "raise SystemExit": "raises SystemExit",
    "raise KeyboardInterrupt": "raises KeyboardInterrupt",
    "import signal\nsignal.signal(signal.SIGUSR1, print)": "sets a signal handler",
    "import os\nos.environ['ADDED'] = '1'": "changes the environment",
    "import os\nos.environ.pop('SHOP')": "changes the environment",
    "import os\nos.chdir('/')": "changes the working directory",
    "import os\nos.umask(0o77)": "changes the umask",
    "import sys\nsys.path.append('/nowhere')": "changes sys.path",
    "import sys\nsys.excepthook = print": "changes the interpreter",
    "import sys\nsys.setrecursionlimit(5000)": "changes the interpreter",
    "import builtins\nbuiltins._ = str": "changes the interpreter",
    "import sys\nsys.stdout = sys.stderr": "replaces a standard stream",
    "import sys\ncolored = sys.stdout.isatty()": "looks whether there is a terminal",
    "import os, sys\ncolored = os.isatty(sys.stderr.fileno())": "looks whether there is a terminal",
    "import gc\ngc.disable()": "changes the garbage collector",
    "import gc\ngc.freeze()": "changes the garbage collector",
    "import logging\nlogging.basicConfig()": "changes the root logger",
    "import logging\nlogging.captureWarnings(True)": "changes the root logger",
}
KEPT = [
    "import threading, time\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()",
    "with open(__file__) as opened: text = opened.read()",
    "import atexit\natexit.register(print, 'bye')",
    "import warnings\nwarnings.simplefilter('ignore')",
    "import os\nlevel = os.environ.get('LEVEL')",
    "import logging\nlogging.getLogger('of.the.library').addHandler(logging.NullHandler())",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and beside it a place with libraries."""
    for name in ("project", "libraries"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'libraries'}{os.pathsep}{environment()['PYTHONPATH']}")
    monkeypatch.setenv("SHOP", "open")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


@contextlib.contextmanager
def owned(project: Path, *modules: str) -> Iterator[Owner]:
    """An owner with a template."""
    owner = Owner(str(project / "project"), gently=False)
    try:
        owner.want(modules)
        until(lambda: owner.template is not None, "made a template")
        yield owner
    finally:
        owner.close()


def until(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"not {what}"
        time.sleep(0.02)


def ran(owner: Owner, code: str) -> str:
    """What a program prints in a child of the template.

    Raises:
        Refused: there is none.
    """
    reading, writing = os.pipe()
    mine, its = socket.socketpair()
    try:
        owner.ask(order(["-c", code], os.environ, os.getcwd(), [0, 1, 2]), [its.fileno(), 0, writing, writing])
    finally:
        its.close()
        os.close(writing)
    with mine, open(reading) as output:
        text = output.read()
        assert wire.receive(mine)
        assert wire.receive(mine)
    return text


def write(project: Path, file: str, text: str) -> None:
    path = project / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    os.utime(path, (time.time() - 60,) * 2)  # not saved while the template is made


@pytest.mark.parametrize(("source", "reason"), LEFT_OUT.items(), ids=lambda text: text.replace("\n", "; ")[:50])
def test_a_library_is_left_out(project: Path, source: str, reason: str) -> None:
    write(project, "libraries/culprit.py", source)
    write(project, "libraries/innocent.py", "import json.decoder")
    with owned(project, "wave", "culprit", "innocent") as owner:
        assert owner.template is not None
        assert owner.template.left_out["culprit"].startswith(reason)
        assert set(owner.template.left_out) == {"culprit"}
        said = ran(owner, "import sys; print([n in sys.modules for n in ('wave', 'culprit', 'innocent')])")
        assert said == "[True, False, True]\n"


@pytest.mark.parametrize("source", KEPT, ids=lambda text: text.replace("\n", "; ")[:50])
def test_a_library_is_kept(project: Path, source: str) -> None:
    write(project, "libraries/fine.py", source)
    with owned(project, "fine") as owner:
        assert ran(owner, "import sys; print('fine' in sys.modules)").startswith("True\n")


def test_what_needs_a_library_that_is_left_out_is_left_out_too(project: Path) -> None:
    write(project, "libraries/culprit.py", "import socket\nleft = socket.socket()\nVALUE = 3")
    write(project, "libraries/user.py", "import culprit")
    with owned(project, "user", "culprit", "wave") as owner:
        assert owner.template is not None
        assert set(owner.template.left_out) == {"user", "culprit"}
        assert ran(owner, "import user; print(user.culprit.VALUE)") == "3\n"


def test_modules_of_the_program_are_not_in_it(project: Path) -> None:
    write(project, "project/shop/__init__.py", "VALUE = 1")
    write(project, "libraries/reaches.py", "import shop")
    with owned(project) as owner:
        owner.want(["reaches", "wave"], ["shop"])
        until(lambda: owner.template is not None and "reaches" in owner.template.left_out, "left out")
        assert ran(owner, "import sys; print('shop' in sys.modules); import reaches; print(reaches.shop.VALUE)") == (
            "False\n1\n"
        )


def test_order_is_that_of_the_program(project: Path) -> None:
    write(project, "libraries/first.py", "import log\nlog.SEEN.append('first')")
    write(project, "libraries/second.py", "import log\nlog.SEEN.append('second')")
    write(project, "libraries/log.py", "SEEN = []")
    with owned(project, "second", "first") as owner:
        assert ran(owner, "import log; print(log.SEEN)") == "['second', 'first']\n"


CHANGES: dict[str, Callable[[Path], object]] = {
    "a library is edited": lambda project: (project / "libraries/lib.py").write_text("VALUE = 22"),
    "a library is removed": lambda project: (project / "libraries/lib.py").unlink(),
    "pyproject.toml is edited": lambda project: (project / "project/pyproject.toml").write_text("[project]\n"),
    "a lock file comes": lambda project: (project / "project/uv.lock").write_text(""),
    "requirements change": lambda project: (project / "project/requirements-dev.txt").write_text("x"),
    "a distribution is installed": lambda project: (project / "libraries/new-1.0.dist-info").mkdir(),
    "a distribution is removed": lambda project: (project / "libraries/old-1.0.dist-info").rmdir(),
    "a file of the project hides a library": lambda project: (project / "project/lib.py").write_text("VALUE = 3"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_template_that_is_stale_is_not_used(project: Path, change: str) -> None:
    write(project, "libraries/lib.py", "VALUE = 1")
    write(project, "project/pyproject.toml", "")
    (project / "libraries/old-1.0.dist-info").mkdir()
    with owned(project, "lib") as owner:
        before = owner.template
        assert ran(owner, "import lib; print(lib.VALUE)") == "1\n"
        CHANGES[change](project)
        with pytest.raises(Refused, match="a new template is being made"):
            ran(owner, "import lib; print(lib.VALUE)")
        until(lambda: owner.template is not None and owner.template is not before, "made a new template")
        cold = subprocess.run([sys.executable, "-c", "import lib; print(lib.VALUE)"], capture_output=True, text=True)
        assert ran(owner, "import lib; print(lib.VALUE)").startswith(cold.stdout)


def test_edits_of_the_program_change_nothing(project: Path) -> None:
    write(project, "project/shop.py", "VALUE = 1")
    with owned(project, "wave") as owner:
        for value in ("1", "22"):  # another size: Python itself takes a file saved twice in one second for unchanged
            write(project, "project/shop.py", f"VALUE = {value}")
            assert ran(owner, "import shop; print(shop.VALUE)") == f"{value}\n"


def test_a_variable_that_a_library_has_read_matters_and_others_do_not(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "libraries/reader.py", "import os\nLEVEL = os.environ.get('LEVEL', 'low')")
    with owned(project, "reader") as owner:
        monkeypatch.setenv("OTHER", "1")
        assert ran(owner, "import reader, os; print(reader.LEVEL, os.environ['OTHER'])") == "low 1\n"
        monkeypatch.setenv("LEVEL", "high")
        with pytest.raises(Refused, match="LEVEL"):
            ran(owner, "pass")


def test_a_library_that_reads_all_variables(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "libraries/reader.py", "import os\nALL = dict(os.environ)")
    with owned(project, "reader") as owner:
        monkeypatch.setenv("SHLVL", "7")
        assert ran(owner, "print(1)") == "1\n"
        monkeypatch.setenv("OTHER", "1")
        with pytest.raises(Refused, match="OTHER"):
            ran(owner, "pass")


# Nothing is left behind


def with_mark(mark: str) -> set[int]:
    """The processes with a mark in their environment."""
    found = set()
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                is_dead = (place / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
                if mark.encode() in (place / "environ").read_bytes() and not is_dead:
                    found.add(int(place.name))
    return found


def test_a_template_ends_in_the_midst_of_an_import_when_its_owner_is_killed(project: Path) -> None:
    write(project, "libraries/slow.py", "import time\ntime.sleep(9999)")
    mark = f"MARK-{os.getpid()}-slow"
    code = f"""
        from pyautoload.warm.owner import Owner
        import time
        owner = Owner({str(project / "project")!r})
        owner.want(["slow"])
        while owner._making is None: time.sleep(0.01)
        print("making", flush=True)
        time.sleep(9999)
    """
    variables = {**os.environ, "MARK": mark}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        until(lambda: len(with_mark(mark)) == 2, "begun")
        process.kill()
    until(lambda: not with_mark(mark), "ended")


def test_a_library_that_starts_a_process_leaves_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = f"MARK-{os.getpid()}-child"
    monkeypatch.setenv("MARK", mark)
    write(project, "libraries/starter.py", "import subprocess\nleft = subprocess.Popen(['sleep', '9999'])")
    with owned(project, "starter"):
        pass
    until(lambda: with_mark(mark) <= {os.getpid()}, "ended")


def test_a_fork_of_the_owner_does_not_keep_a_template_alive(project: Path) -> None:
    mark = f"MARK-{os.getpid()}-fork"
    code = f"""
        from pyautoload.warm.owner import Owner
        import os, time
        owner = Owner({str(project / "project")!r})
        owner.want([])
        while owner.template is None: time.sleep(0.01)
        if os.fork() == 0:
            os.environ.clear()
            os.execv({sys.executable!r}, [{sys.executable!r}, "-c", "import time; time.sleep(30)"])
        print(owner.template.process.pid, flush=True)
        time.sleep(9999)
    """
    code = code.replace("os.execv", "time.sleep(3); os._exit(0); os.execv")
    variables = {**os.environ, "MARK": mark}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        template = int(process.stdout.readline())
        process.kill()
        until(lambda: template not in with_mark(mark), "ended")


PROGRAM = "import time\nfor n in range(20): print(n, flush=True); time.sleep(0.01)"


@pytest.mark.timeout(1800)
def test_whoever_is_killed_at_whatever_moment_nothing_is_left_and_nothing_hangs(tmp_path: Path) -> None:
    """Twelve times; as often as ``PYAUTOLOAD_KILLS`` says."""
    chance = random.Random(15)
    (tmp_path / "program.py").write_text(PROGRAM)
    for turn in range(int(os.environ.get("PYAUTOLOAD_KILLS", "12"))):
        mark = f"MARK-{os.getpid()}-{turn}-kill"
        with contextlib.suppress(AssertionError), Station(tmp_path, MARK=mark) as station:
            if chance.random() < 0.8:
                station.ready()
            commands = [station.start("program.py", stdout=subprocess.DEVNULL) for _ in range(2)]
            time.sleep(chance.random() * 0.4)
            living = sorted(with_mark(mark))
            if living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(living), signal.SIGKILL)
            for command in commands:
                command.communicate(timeout=PATIENCE)
        until(lambda mark=mark: not with_mark(mark), "ended, all of them")  # type: ignore[misc]


def test_libraries_that_import_each_other_are_not_left_out_for_their_order(project: Path) -> None:
    """Python lists modules in the order in which their imports ended: there the inner one of a circle is first."""
    write(project, "libraries/circle/__init__.py", "")
    write(project, "libraries/circle/outer.py", "from circle.inner import VALUE")
    write(project, "libraries/circle/inner.py", "import circle.outer\nVALUE = 1\ncircle.outer.VALUE")
    write(project, "libraries/circle/inner.py", "from circle import outer\nVALUE = 1")
    write(project, "libraries/circle/outer.py", "VALUE = 0\nfrom circle.inner import VALUE")
    with owned(project, "circle", "circle.inner", "circle.outer") as owner:
        assert ran(owner, "import sys; print([n in sys.modules for n in ('circle.inner', 'circle.outer')])") == (
            "[True, True]\n"
        )
