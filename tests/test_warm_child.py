"""A warm process against a cold one: a program sees no difference, however it is run and whatever its streams are."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
if sys.platform != "linux":
    pytest.skip("compares by way of /proc", allow_module_level=True)

from running import PATIENCE, environment
from warm_station import Station

LIBRARIES = ("django.core.management", "django.db.models", "sqlalchemy.orm", "pydantic", "pandas", "flask", "fastapi")
PROBE = Path(__file__).parent / "warm_probe.py"
# Kinds of standard streams: what a function returns is passed to Popen.
Streams = Callable[[Path], dict[str, Any]]


def _installed(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name.partition(".")[0]) is not None]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    directory = tmp_path_factory.mktemp("warm")
    shutil.copy(PROBE, directory / "probe.py")
    (directory / "package").mkdir()
    shutil.copy(PROBE, directory / "package" / "__main__.py")
    with Station(directory) as station:
        yield station.ready()


def _files(directory: Path) -> dict[str, Any]:
    (directory / "input").write_text("text")
    return {
        "stdin": open(directory / "input"),
        "stdout": open(directory / "o", "w"),
        "stderr": open(directory / "e", "w"),
    }


def _terminal(directory: Path) -> dict[str, Any]:
    end = os.open(os.ttyname(_terminals[1]), os.O_RDWR | os.O_NOCTTY)
    return dict.fromkeys(("stdin", "stdout", "stderr"), end)


_terminals = os.openpty()  # open as long as the tests run


STREAMS: dict[str, Streams] = {
    "pipes": lambda directory: {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
    "nowhere": lambda directory: dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL),
    "files": _files,
    "a terminal": _terminal,
}
PROGRAMS = [
    ["probe.py", "-x", "a b"],
    ["package"],
    ["-m", "probe", "y"],
    ["-m", "package"],
    ["-c", "import probe; probe.write(globals())", "z"],
]


def probed(station: Station, *arguments: str, streams: str = "pipes", **more: str) -> dict[str, Any]:
    """What the probe says."""
    file = station.directory / "out.json"
    file.unlink(missing_ok=True)
    options = STREAMS[streams](station.directory)
    command = [sys.executable, *arguments]
    variables = environment(PROBE=str(file), **more)
    with subprocess.Popen(command, cwd=station.directory, env=variables, **options) as process:
        _output, errors = process.communicate(timeout=PATIENCE)
    for stream in options.values():
        _close(stream)
    assert process.returncode == 0, errors
    said: dict[str, Any] = json.loads(file.read_text())
    return said


def _close(stream: Any) -> None:
    with contextlib.suppress(OSError):
        if hasattr(stream, "close"):
            stream.close()
        elif stream >= 0:
            os.close(stream)


def compared(station: Station, *program: str, python: tuple[str, ...] = (), **options: Any) -> None:
    """Hold a warm process against a cold one."""
    cold = probed(station, *python, *program, **options)
    said = f"{' '.join(program) if program[0] != '-c' else '-c'}"
    before = station.log.count(": warm")
    warm = probed(station, *python, "-m", "pyautoload", "run", "--no-live", *program, **options)
    station.until(lambda: station.log.count(": warm") > before, f"ran {said} warm")
    assert warm["state"] == cold["state"]
    assert not set(warm["numbers"].items()) & set(cold["numbers"].items())


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: " ".join(program[:2])[:12])
def test_a_program_sees_no_difference(station: Station, program: list[str], streams: str) -> None:
    compared(station, *program, streams=streams)


def test_nor_with_an_environment_of_its_own(station: Station) -> None:
    more = {"PROBE_TEXT": "ä\udcff", "TZ": "Asia/Tokyo", "NO_SUCH": ""}
    compared(station, "probe.py", **more)


def test_nor_unbuffered(station: Station) -> None:
    compared(station, "probe.py", python=("-u",))


def test_nor_with_libraries(station: Station) -> None:
    libraries = _installed(LIBRARIES)
    station.teach(*libraries)
    compared(station, "probe.py", PROBE_LIBRARIES=" ".join(libraries))
    one, two = (
        probed(station, "-m", "pyautoload", "run", "--no-live", "probe.py", PROBE_LIBRARIES=" ".join(libraries))
        for _ in range(2)
    )
    assert not set(one["numbers"].items()) & set(two["numbers"].items()), "each process has seeds of its own"
