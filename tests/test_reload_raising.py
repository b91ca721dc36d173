"""Whatever a file or a callback raises, the watching thread lives on, the error names the file, other edits go live."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import os
import socket

import pytest
from reload_app import app  # noqa: F401

from pyautoload import ReloadError

ONE = "def f():\n    return 1\n"
TWO = "def f():\n    return 2\n"

UNSPEAKABLE = """
class Bad(Exception):
    def __str__(self):
        raise {}
    __repr__ = __str__
raise Bad
"""
RAISED = {
    "CancelledError": "import asyncio\nraise asyncio.CancelledError\n",
    "KeyboardInterrupt": "raise KeyboardInterrupt\n",
    "GeneratorExit": "raise GeneratorExit\n",
    "SystemExit": "raise SystemExit(3)\n",
    "StopIteration": "raise StopIteration\n",
    "own BaseException": "class Mine(BaseException): ...\nraise Mine\n",
    "str raises": UNSPEAKABLE.format("ValueError"),
    "str raises a BaseException": UNSPEAKABLE.format("KeyboardInterrupt"),
    "RecursionError": "def g():\n    g()\ng()\n",
    "MemoryError": "raise MemoryError\n",
    "too many operators": f"X = {'-' * 200_000}1\n",
    "too deep": f"X = {'(' * 150}1{')' * 150}\nX = {' + '.join('1' * 30_000)}\nraise ValueError\n",
    "null bytes": "X = '\0'\n",
}


@pytest.mark.parametrize("text", RAISED.values(), ids=RAISED)
def test_a_file_that_raises_anything_ends_nothing(app, text):
    a = app(a=ONE, b=ONE)
    f, g = a("a").f, a("b").f
    result = a.after(lambda: a.write("a.py", text))
    assert str(a.root / "a.py") in str(result.errors[0])
    assert a.loader.reloader.watches
    a.after(lambda: a.write("b.py", TWO))
    assert (f(), g()) == (1, 2)
    a.after(lambda: a.write("a.py", TWO))
    assert (f(), g()) == (2, 2)


@pytest.mark.parametrize("text", RAISED.values(), ids=RAISED)
def test_reload_raises_an_error_that_names_the_file(app, text):
    a = app({"a.py": ONE}, options={"watch": False, "on_reload": None})
    f = a("a").f
    a.write("a.py", text)
    with pytest.raises(BaseException) as raised:
        a.loader.reload()
    if raised.type is not KeyboardInterrupt:  # in the main thread that may be somebody at the keyboard
        assert raised.type is ReloadError
        assert str(a.root / "a.py") in str(raised.value)
    a.write("a.py", TWO)
    a.loader.reload()
    assert f() == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit, RecursionError, BaseException])
def test_a_callback_that_raises_anything_ends_nothing(app, error):
    a = app(a=ONE)
    f = a("a").f
    told = []

    def fail(result):
        told.append(result)
        raise error

    a.loader.enable_reloading(on_reload=fail)
    a.loader.reloader.listeners.reverse()  # the one that fails comes first
    a.edit(a=TWO)
    a.edit(a="def f():\n    return 3\n")
    assert f() == 3
    assert len(told) >= 2
    assert a.loader.reloader.watches


def named_pipe(path):
    os.mkfifo(path)


def unix_socket(path):
    os.chdir(path.parent)  # such a path must be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


def link_to_a_device(path):
    path.symlink_to("/dev/zero")


def directory(path):
    path.mkdir()


def link_to_itself(path):
    path.symlink_to(path)


SPECIAL = [named_pipe, unix_socket, link_to_a_device, directory, link_to_itself]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize("make", SPECIAL)
def test_what_is_no_regular_file_hangs_nobody(app, make, watch):
    a = app({"a.py": ONE, "b.py": ONE}, options={"watch": watch})
    a("a")
    g = a("b").f
    (a.root / "a.py").unlink()
    make(a.root / "a.py")
    a.write("b.py", TWO)
    if not watch:
        a.loader.reload()
    assert a.settled(lambda: g() == 2)
    if make is directory:
        (a.root / "a.py").rmdir()
    else:
        (a.root / "a.py").unlink()
    a.write("a.py", TWO)
    if not watch:
        a.loader.reload()
    assert a.settled(lambda: a("a").f() == 2)
