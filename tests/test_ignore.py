"""Ignored paths are not managed; the ordinary import still finds them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from pyautoload import AutoLoader, SetupError


def everything(loader, *, force=False):
    """The names of all modules, loaded now or before."""
    loader.eager_load(force=force)
    return sorted(loader.loaded())


def ignoring(*globs):
    return lambda loader: loader.ignore(*globs)


def test_an_ignored_file_is_not_managed(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/ignored.py": "1/0"}, configure=ignoring("ignored.py"))
    import app

    assert not hasattr(app, "Ignored")
    assert "Ignored" not in dir(app)
    assert everything(loader, force=True) == ["app", "app.user"]
    assert not loader.is_managed("app/ignored.py")
    assert loader.expected_name("app/ignored.py") is None


def test_an_ignored_file_can_be_imported_by_hand(autoload):
    loader = autoload({"app/core/x.py": "", "app/core/extra.py": "VALUE = 1"}, configure=ignoring("core/extra.py"))
    import app.core.extra

    assert app.core.extra.VALUE == 1
    assert "app.core.extra" not in loader.loaded()
    assert type(app.core.extra.__loader__).__name__ == "SourceFileLoader"


def test_an_ignored_directory_can_be_imported_by_hand(autoload):
    autoload({"app/x.py": "", "app/vendor/lib/thing.py": "VALUE = 1"}, configure=ignoring("vendor"))
    import app

    assert not hasattr(app, "vendor")
    import app.vendor.lib.thing

    assert app.vendor.lib.thing.VALUE == 1


def test_an_ignored_module_outlives_unload(autoload):
    loader = autoload({"app/x.py": "", "app/extra.py": "VALUE = 1"}, configure=ignoring("extra.py"))
    import app.extra  # noqa: F401

    loader.unload()
    assert "app.extra" in sys.modules


@pytest.mark.parametrize(
    "globs",
    [
        ("vendor", "notes.py"),
        (["vendor", "notes.py"],),
        (Path("vendor"), Path("notes.py")),
        ("app/vendor", "app/notes.py"),
        ("vendor/", "n*.py"),
        ("**/vendor", "**/notes.py"),
        ("./vendor", "app/./notes.py"),
        ("[v]endor", "note?.py"),
        (("vendor", Path("notes.py")),),
    ],
)
def test_the_paths_are_given_in_many_forms(autoload, globs):
    loader = autoload(
        {"app/user.py": "", "app/vendor/lib.py": "1/0", "app/notes.py": "1/0"}, configure=ignoring(*globs)
    )

    assert everything(loader) == ["app", "app.user"]


def test_an_absolute_path_is_ignored(autoload, tmp_path):
    loader = autoload({"app/user.py": "", "app/vendor/lib.py": "1/0"}, configure=ignoring(tmp_path / "app/vendor"))

    assert everything(loader) == ["app", "app.user"]


def test_a_double_star_pattern_matches_at_any_depth(autoload):
    loader = autoload(
        {"app/user.py": "", "app/user_test.py": "1/0", "app/a/b/c_test.py": "1/0", "app/a/b/c.py": ""},
        configure=ignoring("**/*_test.py"),
    )

    assert everything(loader) == ["app", "app.a", "app.a.b", "app.a.b.c", "app.user"]


def test_a_bare_name_matches_any_component_of_that_name(autoload):
    loader = autoload(
        {"app/tmp/x.py": "1/0", "app/a/tmp/y.py": "1/0", "app/a/tmpx.py": "", "app/b/tmp.py": ""},
        configure=ignoring("tmp"),
    )

    assert everything(loader) == ["app", "app.a", "app.a.tmpx", "app.b", "app.b.tmp"]


def test_a_pattern_with_a_slash_is_tried_against_each_root(tree):
    tree({"one/skip/x.py": "1/0", "one/y.py": "", "two/skip/x.py": "1/0", "two/z.py": ""})
    loader = AutoLoader("one").push_dir("two").ignore("./skip/x.py", "skip/*").setup()

    assert everything(loader) == ["one", "one.y", "two", "two.z"]


def test_ignore_before_the_root_is_given(tree):
    tree({"app/vendor/x.py": "1/0", "app/user.py": ""})
    loader = AutoLoader().ignore("vendor/*.py").push_dir("app").setup()

    assert everything(loader) == ["app", "app.user"]


@pytest.mark.changes
def test_ignore_holds_for_files_that_appear_later(autoload, tree):
    loader = autoload({"app/user.py": ""}, configure=ignoring("vendor", "*_test.py"))
    tree({"app/vendor/x.py": "1/0", "app/user_test.py": "1/0"})

    assert everything(loader) == ["app", "app.user"]


def test_a_directory_with_only_ignored_files_is_no_namespace(autoload):
    autoload({"app/user.py": "", "app/tasks/x_task.py": ""}, configure=ignoring("*_task.py"))
    import app

    assert not hasattr(app, "tasks")


def test_an_ignored_root_is_not_managed(tree):
    tree({"app/user.py": "", "extra/x.py": "1/0"})
    loader = AutoLoader("app").push_dir("extra").ignore("extra").setup()

    assert everything(loader) == ["app", "app.user"]
    assert not loader.is_managed("extra/x.py")
    with pytest.raises(ImportError):
        importlib.import_module("extra.nothing")


def test_a_component_above_the_root_does_not_count(tree):
    tree({"tmp/app/user.py": "class User: pass"})
    loader = AutoLoader("tmp/app").ignore("tmp").setup()

    assert everything(loader) == ["app", "app.user"]


def test_the_name_of_the_root_itself_is_no_component_below_it(tree):
    tree({"app/user.py": "class User: pass", "app/app/x.py": "1/0"})
    loader = AutoLoader("app").ignore("app").setup()

    assert loader.dirs() in ([], [str(Path("app").resolve())])


def test_an_ignored_init_file_leaves_an_implicit_namespace(autoload):
    autoload(
        {"app/admin/__init__.py": "1/0", "app/admin/role.py": "class Role: pass"}, configure=ignoring("__init__.py")
    )
    import app

    assert app.admin.__file__ is None
    assert app.admin.Role


def test_ignoring_the_file_beside_a_directory_leaves_an_implicit_namespace(autoload):
    autoload({"app/hotel.py": "1/0", "app/hotel/pricing.py": "class Pricing: pass"}, configure=ignoring("hotel.py"))
    import app

    assert app.hotel.Pricing
    assert app.hotel.__file__ is None


def test_ignoring_the_directory_beside_a_file_leaves_a_module(autoload):
    autoload({"app/hotel.py": "class Hotel: pass", "app/hotel/x.py": "1/0"}, configure=ignoring("hotel"))
    import app

    assert app.Hotel
    assert not hasattr(app.hotel, "__path__")


def test_ignoring_one_of_two_files_uncovers_the_other(tree):
    tree({"one/user.py": "class User: at = 1", "two/user.py": "class User: at = 2"})
    AutoLoader("one", "app").push_dir("two", "app").ignore("one/user.py").setup()
    import app

    assert app.User.at == 2


def test_another_loader_may_manage_what_one_ignores(tree):
    tree({"app/user.py": "class User: pass", "app/plugins/fast.py": "class Fast: pass"})
    AutoLoader("app").ignore("plugins").setup()
    AutoLoader("app/plugins").setup()
    import app
    import plugins

    assert not hasattr(app, "plugins")
    assert plugins.Fast
    assert app.User


@pytest.mark.parametrize("pattern", ["", 5, None, b"x"])
def test_what_is_no_pattern_is_refused(tree, pattern):
    tree({"app/": ""})

    for method in ("ignore", "collapse", "do_not_eager_load"):
        with pytest.raises(SetupError, match="pattern"):
            getattr(AutoLoader(), method)(pattern)
        with pytest.raises(SetupError, match="pattern"):
            getattr(AutoLoader(), method)([pattern])


def test_configuration_returns_the_loader(tree):
    tree({"app/": ""})
    loader = AutoLoader()

    assert loader.ignore("a").collapse("b").do_not_eager_load("c").inflect({"x": "X"}).push_dir("app") is loader


@pytest.mark.lazy
def test_ignore_after_setup_holds_for_what_is_not_loaded_yet(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/guest.py": "class Guest: pass"})
    import app

    loader.ignore("guest.py")
    assert not hasattr(app, "Guest")
    assert app.User
