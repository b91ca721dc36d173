"""Reloading what does not lie in the file system: sources of the user's own, and archives."""

from __future__ import annotations

import importlib.util
import inspect
import os
import threading
import traceback
import zipfile
from pathlib import Path

import pytest

from pyautoload import AutoLoader, ReloadError

EXAMPLE = Path(__file__).parent.parent / "examples" / "sqlite_source" / "sqlite_source.py"
USER = "class User:\n    def name(self):\n        return {!r}\n"
ORDER = "from store import User\nBUYER = User().name()\n"


@pytest.fixture
def sqlite(tree, tmp_path):
    """A source in a database with two modules, and a loader that reloads from it when asked."""
    tree({})
    spec = importlib.util.spec_from_file_location("sqlite_source_example", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    source = example.SqliteSource(tmp_path / "code.db", tmp_path / "store")
    source.write("user.py", USER.format("one"))
    source.write("order.py", ORDER)
    return source


@pytest.fixture
def loader(sqlite, tmp_path):
    loader = AutoLoader().push_dir(tmp_path / "store", source=sqlite).setup().enable_reloading(watch=False)
    yield loader
    loader.disable_reloading()
    loader.unregister()


def test_a_changed_row_is_live_after_reload(loader, sqlite):
    import store

    user, order = store.User(), store.order
    sqlite.write("user.py", USER.format("two"))
    result = loader.reload()
    assert (result.patched, result.reexecuted) == (["store.user"], ["store.order"])
    assert (user.name(), order.BUYER) == ("two", "two")
    assert type(user) is store.User


def test_reload_if_changed_asks_the_source(loader, sqlite):
    import store

    assert store.order.BUYER == "one"
    assert loader.reload_if_changed() is None
    sqlite.write("user.py", USER.format("two"))
    assert loader.reload_if_changed().ok
    assert store.order.BUYER == "two"
    assert loader.reload_if_changed() is None


def test_reload_if_changed_asks_the_source_although_files_are_watched(loader, sqlite):
    import store

    assert store.order.BUYER == "one"
    loader.enable_reloading()
    loader.reload_if_changed()
    sqlite.write("user.py", USER.format("two"))
    loader.reload_if_changed()
    assert store.order.BUYER == "two"
    assert loader.reload_if_changed() is None


def test_tracebacks_and_sources_show_the_new_lines(loader, sqlite):
    import store

    assert "one" in inspect.getsource(store.User)
    sqlite.write("user.py", "# moved\nclass User:\n    def name(self):\n        raise ValueError('two')\n")
    loader.reload()
    assert "two" in inspect.getsource(store.User)
    with pytest.raises(ValueError, match="two") as caught:
        store.User().name()
    assert "raise ValueError('two')" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_rows_that_come_and_go(loader, sqlite):
    import store

    assert store.User
    sqlite.write("guest.py", "class Guest: ...\n")
    loader.reload()
    assert store.Guest
    with sqlite._connect() as connection:
        connection.execute("delete from file where path = 'guest.py'")
    result = loader.reload()
    assert result.removed == ["store.guest"]
    assert not hasattr(store, "Guest")


def test_a_row_that_fails_leaves_everything_as_it_was(loader, sqlite):
    import store

    assert store.order.BUYER == "one"
    sqlite.write("user.py", "1 / 0\n")
    with pytest.raises(ReloadError):
        loader.reload()
    assert store.User().name() == "one"


def test_modules_loaded_before_reloading_was_enabled(sqlite, tmp_path):
    loader = AutoLoader().push_dir(tmp_path / "store", source=sqlite).setup()
    import store

    assert store.order.BUYER == "one"
    loader.enable_reloading(watch=False)
    sqlite.write("user.py", USER.format("two"))
    loader.reload()
    assert store.order.BUYER == "two"
    loader.unregister()


def write_archive(path, **files):
    with zipfile.ZipFile(path.with_suffix(".new"), "w") as archive:
        for stem, text in files.items():
            archive.writestr(f"store/{stem}.py", text)
    os.replace(path.with_suffix(".new"), path)


@pytest.fixture
def archive(tree, tmp_path):
    tree({})
    path = tmp_path / "app.zip"
    write_archive(path, user=USER.format("one"), order=ORDER)
    return path


def test_a_new_archive_is_read_by_reload(archive):
    loader = AutoLoader(archive / "store").setup().enable_reloading(watch=False)
    import store

    user = store.User()
    assert store.order.BUYER == "one"
    write_archive(archive, user=USER.format("two"), order=ORDER)
    assert loader.reload().changed == ["store.user"]
    assert (user.name(), store.order.BUYER) == ("two", "two")
    loader.unregister()


def test_an_archive_is_watched(archive):
    arrived = threading.Event()
    loader = AutoLoader(archive / "store").setup()
    import store

    assert store.order.BUYER == "one"
    loader.enable_reloading(on_reload=lambda result: result.changed and arrived.set())
    write_archive(archive, user=USER.format("two"), order=ORDER)
    assert arrived.wait(20)
    assert store.order.BUYER == "two"
    loader.disable_reloading()
    loader.unregister()
