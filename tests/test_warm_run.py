"""``pyautoload run``: what ``python`` does with the same arguments: exit codes, signals, pipes, files, terminals."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
if sys.platform != "linux":
    pytest.skip("warm processes are for Linux, and where they are asked for", allow_module_level=True)

from running import PATIENCE, environment
from warm_station import Station

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station(tmp_path_factory.mktemp("run")) as station:
        yield station.ready()


def is_alive(pid: int) -> bool:
    """Whether a process works still: not one that has ended and that nobody has asked for."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def cold(station: Station, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=station.directory,
        env=station.variables,
        input=text,
        capture_output=True,
        encoding="utf-8",
    )


GROUP = "ExceptionGroup('many', [ValueError(1)])" if sys.version_info >= (3, 11) else "ValueError"
POOL = """import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(abs, [-1]))"""
ENDINGS = {
    "ends": "print('done')",
    "exits": "import sys; sys.exit(7)",
    "exits with more than a byte": "raise SystemExit(258)",
    "exits below zero": "raise SystemExit(-1)",
    "exits with nothing": "raise SystemExit",
    "exits with a text": "raise SystemExit('no such thing')",
    "exits with an object": "raise SystemExit(['a'])",
    "raises": "def f(): 1 / 0\nprint('before', flush=True)\nf()",
    "raises a group": f"raise {GROUP}",
    "raises from another": "try: {}[1]\nexcept KeyError as e: raise ValueError('two') from e",
    "is not a Python": "def f(:",
    "is interrupted": "raise KeyboardInterrupt",
    "is killed": "import os; os.kill(os.getpid(), 9)",
    "is terminated": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "leaves at once": "import os; print('lost', end=''); os._exit(4)",
    "has a hook": "import sys; sys.excepthook = lambda *a: print('hooked', a[0].__name__); 1 / 0",
    "has atexit": "import atexit, sys; atexit.register(print, 'one'); atexit.register(print, 'two'); sys.exit(3)",
    "has a failing atexit": "import atexit\ndef f(): print('ran'); raise ValueError\natexit.register(f)",
    "has threads": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.2), print('late'))).start()",
    "has a daemon": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "leaves a file open": "f = open('left.txt', 'w'); f.write('kept'); print('written')",
    "has a finalizer": "class C:\n    def __del__(self): print('finalized')\nc = C()",
    "has a finalizer in a circle": "class C:\n    def __del__(self): print('finalized')\nc = C(); c.c = c; del c",
    "has no output": "import sys; sys.stdout.close()",
    "has a wrapped output": "import sys, io; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'ascii'); print(1)",
    "prints a lot": "print('x' * 1_000_000)",
    "echoes": "import sys\nfor line in sys.stdin: print(line.upper(), end='')",
    "asks": "print(input('? ') + input())",
    "has an import that fails": "import no_such_module_anywhere",
    "warns": "import warnings; warnings.warn('careful'); warnings.warn('old', DeprecationWarning)",
    "starts a process": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(5)'])",
    "has a pool": POOL,
    "forks": "import os\npid = os.fork()\nif not pid: os._exit(5)\nprint(os.waitpid(pid, 0)[1])",
    "looks at itself": "import __main__, sys\nx = 1\nprint(__main__.x, sys.modules['__main__'].__dict__ is globals())",
    "pickles": "import pickle\nclass C: pass\nprint(pickle.loads(pickle.dumps(C())).__class__)",
    "runs a loop": "import asyncio\nasync def f(): await asyncio.sleep(0); return 3\nprint(asyncio.run(f()))",
    "logs": "import logging; logging.warning('told'); logging.basicConfig(level=10); logging.info('told, too')",
}


# Said of a fork where there is another thread: that of what watches the files, in a live program.
OF_A_FORK = re.compile(r".*DeprecationWarning: This process \(pid=\d+\) is multi-threaded.*\n.*os\.fork\(\)\n")


def said(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """Exit code and output, but for addresses."""
    return done.returncode, done.stdout, OF_A_FORK.sub("", re.sub(r"0x\w+", "0x", done.stderr))


@pytest.mark.parametrize("option", ["--live", "--no-live"])
@pytest.mark.parametrize("how", ENDINGS)
def test_a_program_ends_as_under_python(station: Station, how: str, option: str) -> None:
    (station.directory / "program.py").write_text(ENDINGS[how] + "\n")
    text = "one\ntwo\n"
    before = station.log.count(": warm")
    expected = cold(station, "program.py", text=text)
    got = station.run(option, "program.py", text=text)
    assert said(got) == said(expected)
    station.until(lambda: station.log.count(": warm") > before, "run in a warm process")
    left = station.directory / "left.txt"
    assert not left.exists() or left.read_text() == "kept"
    left.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "arguments",
    [["-m", "no_such"], ["no_such.py"], ["-m", "json.tool", "--help"], ["-m", "os.no_such"], ["-c", "1 / 0"]],
)
def test_so_does_what_is_not_there(station: Station, arguments: list[str]) -> None:
    expected, got = cold(station, *arguments), station.run(*arguments)
    if arguments[0] == "-c" and sys.version_info >= (3, 13):
        assert got.returncode == expected.returncode == 1
        return
    assert (got.returncode, got.stdout, got.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_a_file_that_the_shell_opened_is_passed_on(station: Station, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("from a file")
    with open(tmp_path / "text") as opened:
        number = opened.fileno()
        got = station.run("-c", f"import os; print(os.read({number}, 99))", pass_fds=[number])
    assert got.stdout == "b'from a file'\n", got.stderr


def test_closed_streams_are_none(station: Station) -> None:
    code = "import sys, os; os.write(2, repr((sys.stdin, sys.stdout)).encode())"
    command = f"{sys.executable} -m pyautoload run -c '{code}' <&- >&-"
    got = station_shell(station, command)
    assert got.stderr == "(None, None)"


def station_shell(station: Station, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, shell=True, cwd=station.directory, env=station.variables, capture_output=True, encoding="utf-8"
    )


def test_a_pipeline_ends_when_its_reader_has_gone(station: Station) -> None:
    program = "import itertools\nfor n in itertools.count(): print(n)"
    (station.directory / "endless.py").write_text(program)
    warm = station_shell(station, f"{sys.executable} -m pyautoload run endless.py | head -2")
    assert warm.stdout == "0\n1\n"
    assert "BrokenPipeError" in warm.stderr


# Signals


WAITS = """
import os, signal, sys, time
signal.signal(signal.SIGUSR1, lambda *a: print("usr1", flush=True))
try:
    print(os.getpid(), flush=True)
    while True: time.sleep(0.05)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    raise
"""


@contextlib.contextmanager
def waiting(station: Station, **options: Any) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program that waits, and the number of its process."""
    (station.directory / "waits.py").write_text(WAITS)
    process = station.start("waits.py", **options)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"])
def test_a_signal_ends_it(station: Station, name: str) -> None:
    number = getattr(signal, name)
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip(f"{name} is ignored where the tests were started, and so by what they start")
    with waiting(station) as (process, pid):
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == -number
        assert output == ("interrupted\n" if name == "SIGINT" else "")
        gone(pid)


def gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} was left behind"
        time.sleep(0.02)


def test_a_signal_that_it_handles_reaches_it(station: Station) -> None:
    with waiting(station) as (process, _pid):
        process.send_signal(signal.SIGUSR1)
        assert process.stdout is not None
        assert process.stdout.readline() == "usr1\n"
        assert process.poll() is None


LATE = """
import os, signal, socket, threading, time
from pyautoload.warm import wire
from pyautoload.warm.signal_forwarding import Signals, stand_for

ours, theirs = socket.socketpair()

def process():
    time.sleep(0.3)  # the main thread waits by now
    os.kill(os.getpid(), signal.SIGTERM)
    theirs.settimeout(30)
    received = wire.receive(theirs)
    wire.send(theirs, {"status": received[0]["signal"] if received else 9 << 8})

signals = Signals(ours)
signals.pass_on()
threading.Thread(target=process, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # so that it does not interrupt the main thread's wait
stand_for(signals)
"""


def test_a_signal_is_passed_on_although_it_does_not_interrupt_the_wait() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], env=environment(), timeout=PATIENCE)
    assert done.returncode == -signal.SIGTERM


def test_what_is_ignored_stays_ignored(station: Station) -> None:
    command = f"trap '' HUP; exec {sys.executable} -m pyautoload run -c 'import signal; print(signal.getsignal(1))'"
    assert station_shell(station, command).stdout == "1\n" or "IGN" in station_shell(station, command).stdout


def test_who_kills_the_command_kills_the_program(station: Station) -> None:
    with waiting(station) as (process, pid):
        process.kill()
        gone(pid)


def test_a_program_that_is_killed_kills_the_command(station: Station) -> None:
    with waiting(station) as (process, pid):
        os.kill(pid, signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL


def test_its_keeper_does_not_leave_it_behind(station: Station) -> None:
    with waiting(station) as (process, pid):
        keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
        gone(pid)


def test_stop_and_go_on(station: Station) -> None:
    with waiting(station) as (process, pid):
        process.send_signal(signal.SIGTSTP)
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGUSR1)
        assert process.stdout is not None
        assert process.stdout.readline() == "usr1\n"


# Makes the terminal on its standard input its own, and goes on as Python with the rest of its arguments.
TAKES_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


@contextlib.contextmanager
def at_a_terminal(station: Station, program: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A program in a terminal of its own, and our end of that."""
    ours, its = os.openpty()
    command = [sys.executable, "-c", TAKES_TERMINAL, "-m", "pyautoload", "run", "-c", program]
    process = subprocess.Popen(
        command, cwd=station.directory, env=station.variables, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_ctrl_c_at_a_terminal_reaches_what_the_program_has_started(station: Station) -> None:
    (station.directory / "waits.py").write_text(WAITS)
    program = "import subprocess, sys; subprocess.run([sys.executable, 'waits.py'])"
    with at_a_terminal(station, program) as (process, terminal):
        seen = _read(terminal, b"\n")
        os.write(terminal, b"\x03")
        seen += _read(terminal, b"KeyboardInterrupt")
        assert b"interrupted" in seen
        assert process.wait(PATIENCE) == -signal.SIGINT
        gone(int(seen.split()[0]))


def test_a_prompt_at_a_terminal(station: Station) -> None:
    program = "import getpass, sys; print(sys.stdin.isatty()); n = input('name? '); print(n, getpass.getpass('word? '))"
    with at_a_terminal(station, program) as (process, terminal):
        seen = _read(terminal, b"name? ")
        os.write(terminal, b"Ada\n")
        seen += _read(terminal, b"word? ")
        os.write(terminal, b"secret\n")
        seen += _read(terminal, b"Ada secret")
        assert b"True" in seen
        assert seen.count(b"secret") == 1, "it is not shown while it is typed"
        assert process.wait(PATIENCE) == 0


def _read(terminal: int, until: bytes) -> bytes:
    seen = b""
    while until not in seen:
        seen += os.read(terminal, 4096)
    return seen


# Cold


def test_without_a_station_it_is_a_cold_process(tmp_path: Path) -> None:
    program = ["-c", "import sys; print(sys.orig_argv[1:])", "x"]
    command = [sys.executable, "-W", "error", "-m", "pyautoload", "run", "--why", *program]
    got = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8")
    assert got.stdout == f"{['-W', 'error', *program]}\n"
    assert "cold: no `pyautoload warm`" in got.stderr


@pytest.mark.parametrize("options", [{"LC_ALL": "C"}, {"PYTHONHASHSEED": "3"}, {"OMP_NUM_THREADS": "1"}])
def test_a_variable_that_libraries_read_makes_it_cold(station: Station, options: dict[str, str]) -> None:
    name = next(iter(options))
    got = station.run("--why", "-c", f"import os; print(os.environ['{name}'])", env={**station.variables, **options})
    assert got.stdout.strip() == options[name]
    assert f"cold: the variable {name}" in got.stderr


def test_options_of_the_interpreter_make_it_cold(station: Station) -> None:
    got = station.run("--why", "-c", "print(__debug__)", python=["-O"])
    assert got.stdout == "False\n"
    assert "cold: the options of the interpreter" in got.stderr


def test_limits_make_it_cold(station: Station) -> None:
    got = station_shell(station, f"ulimit -n 99; {sys.executable} -m pyautoload run --why -c 'print(1)'")
    assert got.stdout == "1\n"
    assert "cold: the resource limits" in got.stderr


@pytest.mark.parametrize("arguments", [[], ["--why"], ["-m"], ["--no-such", "x"]])
def test_wrong_use_is_told(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "pyautoload", "run", *arguments]
    got = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8")
    assert got.returncode == 2
    assert "run" in got.stderr


def test_a_warm_program_is_live(station: Station) -> None:
    program = "import time, part\nwhile True:\n    print(part.answer(), flush=True)\n    time.sleep(0.02)\n"
    (station.directory / "goes_on.py").write_text(program)
    (station.directory / "part.py").write_text("def answer():\n    return 'before'\n")
    before = station.log.count(": warm")
    with station.start("goes_on.py") as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "before\n"
            assert station.log.count(": warm") > before
            (station.directory / "part.py").write_text("def answer():\n    return 'after'\n")
            deadline = time.monotonic() + PATIENCE
            while process.stdout.readline() != "after\n":
                assert time.monotonic() < deadline
        finally:
            process.kill()
