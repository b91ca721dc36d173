"""File systems that keep times in steps of two seconds: two changes within one step have one time."""

import os
import time
from types import SimpleNamespace

import pytest

from pyautoload import AutoLoader
from pyautoload.importing import bytecode
from pyautoload.reloading.records import signature
from pyautoload.sources import time_steps
from pyautoload.tree import scanner

SECOND = 1_000_000_000


@pytest.fixture
def coarse(monkeypatch):
    """``coarse(path, ...)`` gives files the time of the present step; whole seconds stand for coarse times here."""

    def step_of(status):
        return 0 if status.st_mtime_ns % SECOND else 2 * SECOND

    monkeypatch.setattr(time_steps, "step_of", step_of)
    monkeypatch.setattr(bytecode, "step_of", step_of)
    step = int(time.time())
    # However long a test takes on a busy machine, the step is not over.
    clock = SimpleNamespace(time_ns=lambda: (step + 1) * SECOND)
    monkeypatch.setattr(time_steps, "time", clock)
    monkeypatch.setattr(scanner, "time", clock)

    def set_times(*paths):
        for path in paths:
            os.utime(path, (step, step))

    return set_times


@pytest.mark.parametrize(
    ("modified", "changed", "step"),
    [
        (5 * SECOND, 6 * SECOND, 2 * SECOND),
        (5 * SECOND, 6 * SECOND + 1, 0 if os.name != "nt" else 2 * SECOND),  # an installer has set it
        (5 * SECOND + 100, 6 * SECOND, 0),
        (5 * SECOND + 10_000_000, 6 * SECOND + 5, 0),
    ],
)
def test_the_step_shows_in_the_times(modified, changed, step):
    assert time_steps.step_of(SimpleNamespace(st_mtime_ns=modified, st_ctime_ns=changed)) == step


@pytest.mark.parametrize("resolved", [False, True])
@pytest.mark.parametrize("new", [{"app/guest.py": "class Guest: ..."}, {"app/guest/x.py": "X = 1"}])
def test_a_file_is_found_that_is_made_in_the_step_in_which_its_directory_was_listed(tree, coarse, new, resolved):
    base = tree({"app/user.py": "class User: ..."})
    coarse(base / "app")
    AutoLoader(base / "app").setup()
    import app

    if resolved:
        assert app.User
    assert not hasattr(app, "Guest")
    tree(new)
    coarse(base / "app")
    assert hasattr(app, "Guest") or hasattr(app, "guest")


# Each leaves size and time of the file as they were.
EDITS = {
    "a value": ("X = 1\n", "X = 2\n"),
    "a function": ("def f(): return 1\n", "def f(): return 2\n"),
    "a class": ("class A:\n    x = 1\n", "class A:\n    x = 2\n"),
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_in_the_step_in_which_a_file_was_loaded_is_seen(tree, coarse, monkeypatch, edit, times):
    before, after = EDITS[edit]
    base = tree({"app/a.py": before})
    file = base / "app" / "a.py"
    coarse(file)
    status = os.stat(file)
    monkeypatch.setattr(signature.os, "stat", _with_changed(os.stat, status.st_ctime_ns // SECOND * SECOND))
    loader = AutoLoader(base / "app").enable_reloading(watch=False).setup()
    import app.a

    for number in range(times):
        file.write_text(after if number % 2 == 0 else before)
        coarse(file)
        result = loader.reload_if_changed()
        assert result, number
        assert result.changed == ["app.a"]
    namespace = {}
    exec(file.read_text(), namespace)
    for name in ("X", "f", "A"):
        if name in namespace:
            assert _shown(getattr(app.a, name)) == _shown(namespace[name])
    assert loader.reload_if_changed() is None


def _shown(value):
    return value() if not isinstance(value, type) and callable(value) else getattr(value, "x", value)


def _with_changed(stat, changed):
    """As a file system has it that keeps the time of change in the same steps."""

    def coarsely(path, *arguments, **more):
        status = stat(path, *arguments, **more)
        if not str(path).endswith("a.py"):
            return status
        names = ("st_mode", "st_ino", "st_size", "st_mtime_ns", "st_mtime", "st_dev")
        return SimpleNamespace(**{name: getattr(status, name) for name in names}, st_ctime_ns=changed)

    return coarsely


def test_bytecode_of_the_step_in_which_its_source_was_saved_is_not_taken(tree, coarse):
    base = tree({"app/user.py": "class User: word = 'old'\n"})
    source = base / "app" / "user.py"
    coarse(source)
    AutoLoader(base / "app").setup()
    import app

    assert app.User.word == "old"
    cached = bytecode.cache_path(str(source))
    source.write_text("class User: word = 'new'\n")
    coarse(source, cached)
    assert bytecode.cached_code(str(source), cached)[0] is None
    later = os.stat(source).st_mtime + 2
    os.utime(cached, (later, later))
    assert bytecode.cached_code(str(source), cached)[0] is not None


def test_bytecode_that_goes_by_content_may_be_older_than_its_source(tree):
    import py_compile

    base = tree({"app/user.py": "class User: word = 'old'\n"})
    source = base / "app" / "user.py"
    cached = py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    os.utime(cached, (5, 5))
    source.write_text("class User: word = 'new'\n")
    AutoLoader(base / "app").setup()
    import app

    assert app.User.word == "old"  # as Python has it: nobody checks
