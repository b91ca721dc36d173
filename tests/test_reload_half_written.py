"""A file that is saved in several writes is not read before the last of them."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import os
import sys
import threading
import time

import pytest
from reload_app import app  # noqa: F401

BEFORE = "def f():\n    return 1\n"
# Each half compiles, so that only the outcome tells what was read.
HALVES = "def f():\n    return 2", "0\n"
PAUSE = 0.25

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the end of writing is not told")


def truncated_first(path):
    with open(path, "w") as file:
        time.sleep(PAUSE)
        file.write("".join(HALVES))


def half_and_rest(path):
    with open(path, "w") as file:
        file.write(HALVES[0])
        file.flush()
        time.sleep(PAUSE)
        file.write(HALVES[1])


def many_steps(path):
    with open(path, "w") as file:
        for character in "".join(HALVES):
            file.write(character)
            file.flush()
            time.sleep(0.04)


def overwritten_in_place(path):
    with open(path, "r+") as file:
        file.write(HALVES[0])
        file.truncate()
        file.flush()
        time.sleep(PAUSE)
        file.write(HALVES[1])


def emptied_and_written(path):
    path.write_text("")
    time.sleep(PAUSE)
    path.write_text("".join(HALVES))


def deleted_and_written_slowly(path):
    path.unlink()
    half_and_rest(path)


def into_another_file_slowly(path):
    other = path.with_suffix(".tmp")
    half_and_rest(other)
    os.replace(other, path)


WRITERS = [
    truncated_first,
    half_and_rest,
    many_steps,
    overwritten_in_place,
    emptied_and_written,
    deleted_and_written_slowly,
    into_another_file_slowly,
]


@pytest.mark.parametrize("write", WRITERS)
def test_no_half_of_a_file_is_ever_applied(app, write):
    a = app(a=BEFORE)
    f = a("a").f
    seen = []
    a.loader.on_reload(lambda result: seen.append((f(), result.errors)))
    write(a.root / "a.py")
    assert a.settled(lambda: f() == 20)
    assert seen == [(20, [])]


def test_reload_waits_for_who_has_just_emptied_a_file(app):
    a = app({"a.py": BEFORE}, options={"watch": False})
    f = a("a").f
    (a.root / "a.py").write_text("")
    writer = threading.Timer(0.1, (a.root / "a.py").write_text, ["".join(HALVES)])
    writer.start()
    a.loader.reload()
    writer.join()
    a.loader.reload()
    assert a("a").f is f
    assert f() == 20


@pytest.mark.parametrize("write", [truncated_first, half_and_rest, many_steps])
def test_requests_in_the_midst_of_a_save_run_the_previous_code(app, write):
    a = app(a=BEFORE)
    f = a("a").f
    answers = []
    writer = threading.Thread(target=write, args=(a.root / "a.py",))
    size = (a.root / "a.py").stat().st_size
    writer.start()
    while (a.root / "a.py").stat().st_size == size and writer.is_alive():
        pass
    while writer.is_alive():
        a.loader.reload_if_changed()
        answers.append(f())
        time.sleep(0.02)
    assert set(answers[:-3]) == {1}
    assert a.settled(lambda: f() == 20)


def test_other_files_need_not_wait_for_one_that_stays_open(app):
    a = app(a=BEFORE, b=BEFORE)
    f, g = a("a").f, a("b").f
    with open(a.root / "a.py", "w") as file:
        for number in range(60):
            file.write(f"# {number}\n")
            file.flush()
            if number == 3:
                a.write("b.py", "def f():\n    return 3\n")
            time.sleep(0.05)
            if g() == 3:
                break
        assert (f(), g()) == (1, 3)
        file.write("".join(HALVES))
    assert a.settled(lambda: f() == 20)
