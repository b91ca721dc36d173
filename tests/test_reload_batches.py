"""What is one batch: a checkout by git, many files at once, both halves of a change that was saved in two steps."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time

import pytest
from reload_app import app  # noqa: F401
from watchdog import events

from pyautoload.reloading.watching import watchdog_events, watcher
from pyautoload.reloading.watching.checkout import Checkout

COUNT = 150


def test_a_lock_of_git_says_that_files_are_being_written(tmp_path):
    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    checkout = Checkout([str(package)])
    assert not checkout.is_running()
    (tmp_path / ".git" / "index.lock").touch()
    assert checkout.is_running()


def test_the_lock_of_a_worktree_is_where_its_git_file_says(tmp_path):
    data = tmp_path / "main" / ".git" / "worktrees" / "other"
    data.mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".git").write_text(f"gitdir: {data}\n", encoding="utf-8")
    (data / "index.lock").touch()
    assert Checkout([str(tmp_path / "other")]).is_running()


def test_a_lock_that_was_left_behind_holds_nothing_up(tmp_path):
    (tmp_path / ".git").mkdir()
    lock = tmp_path / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (time.time() - 3600,) * 2)
    assert not Checkout([str(tmp_path)]).is_running()


def test_without_a_repository_nothing_is_waited_for(tmp_path):
    (tmp_path / ".git").write_text("no such thing", encoding="utf-8")
    assert not Checkout([str(tmp_path)]).is_running()


def test_an_index_that_was_just_written_says_that_git_has_ended(tmp_path):
    (tmp_path / ".git").mkdir()
    checkout = Checkout([str(tmp_path)])
    assert not checkout.has_ended_since(time.time())
    (tmp_path / ".git" / "index").touch()
    assert checkout.has_ended_since(time.time())
    assert not checkout.has_ended_since(time.time() + 3600)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_is_one_reload(app):
    a = app(**{f"m{number}": "def f():\n    return 1\n" for number in range(COUNT)})
    a.loader.disable_reloading()

    def git(*arguments):
        options = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(a.root), *options, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    git("branch", "before")
    for number in range(COUNT):
        a.write(f"m{number}.py", "def f():\n    return 2\n")
    git("commit", "-q", "-a", "-m", "after")
    git("branch", "after")
    git("checkout", "-q", "before")
    # Only now: repositories are looked for when watching begins.
    a.loader.enable_reloading(on_reload=a._note)
    functions = [a(f"m{number}").f for number in range(COUNT)]
    while not a.quiet(0.5):
        pass
    result = a.after(lambda: git("checkout", "-q", "after"))
    assert {f() for f in functions} == {2}
    assert len(result.patched) == COUNT


def test_a_lock_is_waited_for_even_if_files_come_slowly(app):
    a = app(a="X = 1\n", b="X = 1\n")
    a("a"), a("b")
    a.loader.disable_reloading()
    (a.root / ".git").mkdir()
    a.loader.enable_reloading(on_reload=a._note)
    while not a.quiet(0.5):
        pass
    lock = a.root / ".git" / "index.lock"

    def slowly():
        lock.touch()
        a.write("a.py", "X = 2\n")
        time.sleep(0.3)
        a.write("b.py", "X = 2\n")
        lock.unlink()

    result = a.after(slowly)
    assert a.names(result.reexecuted) == ["a", "b"]


def test_half_of_a_change_that_fails_waits_for_the_other_half(app, monkeypatch):
    monkeypatch.setattr("pyautoload.reloading.reloader._OTHER_HALF", 10)
    a = app(a="def old():\n    return 1\n", b="from APP.a import old\ndef f():\n    return old()\n")
    f = a("b").f

    def in_two_steps():
        a.write("a.py", "def new():\n    return 2\n")
        time.sleep(0.3)
        a.write("b.py", "from APP.a import new\ndef f():\n    return new()\n")

    result = a.after(in_two_steps)
    assert result.ok
    assert f() == 2
    assert [item.errors for item in a.results] == [[]]


def test_a_flood_of_events_of_other_files_has_everything_looked_at(app, monkeypatch):
    a = app(a="X = 1\n")
    assert a("a").X == 1
    a.loader.disable_reloading()
    monkeypatch.setattr(watcher, "_FLOOD", 20)
    a.loader.enable_reloading(on_reload=a._note)
    while not a.quiet(0.5):
        pass
    looked = threading.Event()
    kept = a.loader.reloader._watcher
    monkeypatch.setattr(kept, "look_at_everything", looked.set)
    for _ in range(30):
        (a.root / "notes.txt").write_text("text", encoding="utf-8")
    assert looked.wait(20)


def test_the_system_is_not_asked_for_events_that_change_nothing():
    assert events.FileModifiedEvent in watchdog_events.WANTED
    assert events.FileOpenedEvent not in watchdog_events.WANTED
    assert events.DirModifiedEvent not in watchdog_events.WANTED
    assert getattr(events, "FileClosedNoWriteEvent", None) not in watchdog_events.WANTED
