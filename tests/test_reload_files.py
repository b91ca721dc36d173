"""Files: every way in which editors and version control change them, and modules that come, go and move."""

# ruff: noqa: F811, SIM300  (a fixture imported by name; sources on one line)

from __future__ import annotations

import json
import os
import shutil
import sys
import time

import pytest
from reload_app import app, replace_atomically  # noqa: F401

ONE = "def f():\n    return 1\n"
TWO = "def f():\n    return 2\n"


def in_two_writes(path, text):
    with open(path, "w") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        time.sleep(0.002)
        file.write(text[len(text) // 2 :])


def vim_backup(path, text):
    os.rename(path, f"{path}~")
    path.write_text(text)
    os.unlink(f"{path}~")


def delete_and_write(path, text):
    os.unlink(path)
    path.write_text(text)


def with_an_older_mtime(path, text):
    path.write_text(text)
    os.utime(path, (1_000_000_000, 1_000_000_000))


def moved_from_elsewhere(path, text):
    other = path.parent.parent / "elsewhere.py"
    other.write_text(text)
    os.replace(other, path)


SAVES = [in_two_writes, vim_backup, delete_and_write, with_an_older_mtime, moved_from_elsewhere, replace_atomically]


@pytest.mark.parametrize("save", SAVES)
def test_every_way_to_save(app, save):
    a = app(a=ONE)
    f = a("a").f
    save(a.root / "a.py", TWO)
    assert a.settled(lambda: f() == 2)
    assert a("a").f is f


def test_edits_of_the_same_size_within_one_second(app):
    a = app(a="def f():\n    return 0\n")
    f = a("a").f
    for number in range(1, 10):
        a.edit(a=f"def f():\n    return {number}\n")
        assert f() == number


def test_same_size_and_same_mtime(app):
    a = app(a=ONE)
    f, status = a("a").f, os.stat(a.root / "a.py")
    (a.root / "a.py").write_text(TWO)
    os.utime(a.root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert a.settled(lambda: f() == 2)


def test_touch_and_comments_change_nothing(app):
    a = app(a="LOG = ['x']\nX = 1  # comment\ndef f():\n    return 1\n")
    log = a("a").LOG
    os.utime(a.root / "a.py")
    a.write("a.py", "LOG = ['x']\n\n\nX = 1  # another\ndef f():\n    # inside\n    return 1\n")
    assert a.quiet()
    assert a("a").LOG is log


def test_a_new_file_together_with_the_import_of_it(app):
    a = app(a="def f():\n    return 1\n")
    f = a("a").f
    a.edit(a="from APP.new import g\ndef f():\n    return g()\n", new="def g():\n    return 5\n")
    assert f() == 5
    a.edit(new="def g():\n    return 6\n")
    assert f() == 6


def test_an_import_that_fails_until_the_missing_file_appears(app):
    a = app(a=ONE)
    f = a("a").f
    result = a.edit(a="from APP.late import g\ndef f():\n    return g()\n")
    assert result.errors
    assert f() == 1
    result = a.edit(late="def g():\n    return 7\n")
    assert not result.errors
    assert f() == 7


def test_a_new_file_is_reachable_by_its_name(app):
    a = app({"models/user.py": "class User: ..."})
    package = __import__(a.name)
    assert package.models.User
    result = a.edit("models/order.py", "class Order: ...")
    assert package.models.Order.__name__ == "Order"
    assert a.names(result.added) == ["models.order"]


def test_a_new_directory_with_files(app):
    a = app(a="")
    package = __import__(a.name)
    a("a")
    a.edit("deep/down/thing.py", "class Thing: ...")
    assert a.settled(lambda: hasattr(package, "deep"))
    assert package.deep.down.Thing


def test_a_deleted_module_leaves(app):
    a = app(a="class A: ...", b="X = 1\n")
    package = __import__(a.name)
    assert package.A
    result = a.edit(a=None)
    assert a.names(result.removed) == ["a"]
    assert f"{a.name}.a" not in sys.modules
    assert not hasattr(package, "A")
    a.edit(a="class A:\n    NEW = 1\n")
    assert package.A.NEW == 1


def test_a_package_of_which_only_bytecode_is_left_has_gone(app):
    a = app({"p/__init__.py": "", "p/m.py": "X = 1\n"}, b="X = 1\n")
    a("p.m"), a("b")
    (a.root / "p" / "__pycache__").mkdir(exist_ok=True)
    (a.root / "p" / "__pycache__" / "m.pyc").write_bytes(b"")

    def remove():
        a.write("p/m.py", None)
        a.write("p/__init__.py", None)

    a.after(remove)
    assert a.settled(lambda: not any(name.startswith(f"{a.name}.p") for name in sys.modules))
    assert all(result.ok for result in a.results)
    a.edit(b="X = 2\n")
    assert a("b").X == 2


def test_a_module_that_others_import_cannot_be_deleted_until_they_let_go(app):
    a = app(a="def f():\n    return 1\n", b="from APP.a import f\ndef g():\n    return f()\n")
    g = a("b").g
    result = a.edit(a=None)
    assert result.errors[0].module == f"{a.name}.b"
    assert g() == 1
    assert sys.modules[f"{a.name}.a"].f is a("b").f
    a.edit(b="def g():\n    return 2\n")
    assert g() == 2
    assert f"{a.name}.a" not in sys.modules


def test_a_renamed_module_with_its_users(app):
    a = app(a="def f():\n    return 1\n", b="from APP.a import f\ndef g():\n    return f()\n")
    g = a("b").g

    def rename():
        os.rename(a.root / "a.py", a.root / "c.py")
        a.write("b.py", "from APP.c import f\ndef g():\n    return f() + 1\n")

    a.after(rename)
    assert a.settled(lambda: g() == 2)
    assert f"{a.name}.a" not in sys.modules
    a.edit(c="def f():\n    return 10\n")
    assert g() == 11


def test_a_module_turned_into_a_package_and_back(app):
    a = app(a="class K:\n    def m(self):\n        return 1\n", b="from APP.a import K\nimport APP.a\n")
    obj, module = a("b").K(), a("a")

    def turn():
        os.unlink(a.root / "a.py")
        a.write("a/__init__.py", "from .part import K\n")
        a.write("a/part.py", "class K:\n    def m(self):\n        return 2\n")

    a.after(turn)
    assert a.settled(lambda: a("b").K().m() == 2)
    assert a("a.part").K is a("b").K is a("a").K
    assert a("a") is module

    def turn_back():
        shutil.rmtree(a.root / "a")
        a.write("a.py", "class K:\n    def m(self):\n        return 3\n")

    a.after(turn_back)
    assert a.settled(lambda: a("b").K().m() == 3)
    assert f"{a.name}.a.part" not in sys.modules
    assert obj.m() == 1


def test_an_implicit_namespace_gets_code_and_loses_it(app):
    a = app({"pkg/mod.py": "X = 1\n"})
    package = a("pkg")
    assert a("pkg.mod").X == 1
    a.edit("pkg/__init__.py", "HELLO = 'hello'\n")
    assert a.settled(lambda: getattr(package, "HELLO", None) == "hello")
    assert a("pkg") is package
    assert package.mod.X == 1
    a.after(lambda: os.unlink(a.root / "pkg/__init__.py"))
    assert a.settled(lambda: not hasattr(package, "HELLO"))
    assert package.mod.X == 1


def test_a_removed_directory(app):
    a = app({"pkg/mod.py": "X = 1\n", "a.py": "Y = 1\n"})
    a("pkg.mod"), a("a")
    a.after(lambda: shutil.rmtree(a.root / "pkg"))
    assert a.settled(lambda: f"{a.name}.pkg.mod" not in sys.modules)
    assert a.settled(lambda: f"{a.name}.pkg" not in sys.modules)
    with pytest.raises(ImportError):
        a("pkg.mod")


def test_a_moved_directory(app):
    a = app({"pkg/mod.py": "X = 1\n"})
    a("pkg.mod")
    a.after(lambda: os.rename(a.root / "pkg", a.root / "moved"))
    assert a.settled(lambda: f"{a.name}.pkg.mod" not in sys.modules)
    assert a("moved.mod").X == 1
    a.edit("moved/mod.py", "X = 2\n")
    assert a("moved.mod").X == 2


def test_a_data_file_read_at_import_counts_as_source(app):
    source = "import json, pathlib\nCONF = json.loads((pathlib.Path(__file__).parent / 'conf.json').read_text())\n"
    a = app(
        {"conf.json": json.dumps({"x": 1}), "conf.py": source, "b.py": "from APP.conf import CONF\nX = CONF['x']\n"}
    )
    assert a("b").X == 1
    a.edit("conf.json", json.dumps({"x": 2}))
    assert a("b").X == 2
    a.edit("conf.json", json.dumps({"x": 3}))
    assert a("b").X == 3


def test_a_data_file_outside_the_root(app, tmp_path):
    outside = tmp_path / "settings.txt"
    outside.write_text("1")
    a = app(conf=f"with open({str(outside)!r}) as file:\n    VALUE = file.read()\n")
    assert a("conf").VALUE == "1"
    time.sleep(0.5)  # the watcher looks for such files when it has nothing else to do
    a.after(lambda: outside.write_text("2"))
    assert a.settled(lambda: a("conf").VALUE == "2")


def test_many_files_at_once_are_one_batch(app):
    files = {f"m{number}.py": f"X = {number}\n" for number in range(300)}
    a = app(files)
    a.loader.eager_load()
    a.after(lambda: [a.write(name, text.replace("X = ", "X = 1000 + ")) for name, text in files.items()])
    assert a.settled(lambda: all(a(f"m{number}").X == 1000 + number for number in range(300)))


def test_modules_loaded_before_reloading_was_enabled(app):
    a = app(a=ONE, b="from APP.a import f\nX = f()\n")
    a.loader.disable_reloading()
    f = a("a").f
    assert a("b").X == 1
    a.loader.enable_reloading(on_reload=a._note)
    a.edit(a=TWO)
    assert (f(), a("b").X) == (2, 2)


def test_without_a_watcher_nothing_happens_until_asked(app):
    a = app(a=ONE, options={"watch": False})
    f = a("a").f
    a.write("a.py", TWO)
    time.sleep(0.05)
    assert f() == 1
    assert a.loader.reload_if_changed()
    assert f() == 2
    assert a.loader.reload_if_changed() is None


def test_polling(app):
    a = app(a=ONE, options={"polling": True})
    f = a("a").f
    a.edit(a=TWO)
    assert f() == 2


def test_do_not_reload_says_that_a_restart_is_needed(app):
    a = app(db="X = 1\n", b="from APP.db import X\n")
    a.loader.do_not_reload("db.py")
    a("b")
    result = a.edit(db="X = 2\n")
    assert f"{a.name}.db" in result.restart_required
    assert (a("db").X, a("b").X) == (1, 1)


def test_the_bytecode_cache_never_serves_old_code(app, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    a = app(a="X = 1\n")
    assert a("a").X == 1
    a.loader.disable_reloading()
    a.loader.unload()
    status = os.stat(a.root / "a.py")
    (a.root / "a.py").write_text("X = 2\n")
    os.utime(a.root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns + 1000))
    a.loader.enable_reloading(watch=False)
    assert a("a").X == 2


def test_polling_takes_over_when_the_system_has_no_watches_left(app, monkeypatch):
    from pyautoload.reloading.watching import observation

    def exhausted(tell):
        raise OSError(24, "too many open files")

    monkeypatch.setattr(observation, "_events", exhausted)
    with pytest.warns(RuntimeWarning, match="max_user_watches"):
        a = app(a=ONE)
    f = a("a").f
    a.edit(a=TWO)
    assert f() == 2


def test_very_many_events_make_it_look_at_everything(app, monkeypatch):
    from pyautoload.reloading.watching import watcher

    monkeypatch.setattr(watcher, "_MANY", 3)
    a = app(a=ONE, b=ONE, c=ONE)
    functions = [a(name).f for name in "abc"]
    a.after(lambda: [a.write(f"{name}.py", TWO) for name in "abc"])
    assert a.settled(lambda: [f() for f in functions] == [2, 2, 2])


def test_what_changed_while_nobody_watched_is_applied_when_watching_begins(app):
    a = app(a=ONE, b="X = 1\n")
    f, b = a("a").f, a("b")
    a.loader.disable_reloading()
    a.write("a.py", TWO)
    a.write("b.py", "X = 2\n")
    a.after(lambda: a.loader.enable_reloading(on_reload=a._note))
    assert (a("a").f(), b.X) == (2, 2)
    assert f() == 2
