"""Collapsed directories organise without naming."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path

import pytest

from pyautoload import AutoLoader, ConflictError


def collapsing(*globs):
    return lambda loader: loader.collapse(*globs)


def test_what_lies_in_a_collapsed_directory_belongs_to_the_namespace_above(autoload):
    loader = autoload(
        {"app/booking/actions/create.py": "class Create: pass", "app/booking/price.py": "class Price: pass"},
        configure=collapsing("booking/actions"),
    )
    import app

    assert app.booking.Create.__module__ == "app.booking.create"
    assert app.booking.Price.__module__ == "app.booking.price"
    assert app.booking.create.__file__.endswith(os.path.join("actions", "create.py"))
    assert loader.where("app.booking.Create") == app.booking.create.__file__


def test_a_collapsed_directory_is_no_module(autoload):
    autoload({"app/actions/create.py": "class Create: pass"}, configure=collapsing("actions"))
    import app

    assert not hasattr(app, "actions")
    assert "actions" not in dir(app)
    with pytest.raises(ModuleNotFoundError, match="collapsed"):
        importlib.import_module("app.actions")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("app.actions.create")


@pytest.mark.parametrize(
    "globs",
    [
        ("*/concerns",),
        ("**/concerns",),
        ("concerns",),
        (["users/concerns", "posts/concerns"],),
        ("users/concerns", "posts/concerns"),
        (Path("users/concerns"), Path("posts") / "concerns"),
        ("app/users/concerns", "app/posts/concerns"),
        ("app/*/concerns",),
        ("./app/*/concerns/",),
    ],
)
def test_the_directories_are_given_in_many_forms(autoload, globs):
    loader = autoload(
        {
            "app/users/concerns/taggable.py": "class Taggable: pass",
            "app/posts/concerns/visible.py": "class Visible: pass",
        },
        configure=collapsing(*globs),
    )
    import app

    assert app.users.Taggable.__module__ == "app.users.taggable"
    assert app.posts.Visible.__module__ == "app.posts.visible"
    assert len(loader.eager_load()) <= 5


def test_an_absolute_path_collapses_one_directory(autoload, tmp_path):
    autoload(
        {"app/a/concerns/x.py": "class X: pass", "app/b/concerns/y.py": "class Y: pass"},
        configure=collapsing(tmp_path / "app/a/concerns"),
    )
    import app

    assert app.a.X
    assert app.b.concerns.Y


def test_collapsed_directories_nest(autoload):
    autoload(
        {"app/one/two/deep.py": "class Deep: pass", "app/one/flat.py": "class Flat: pass"},
        configure=collapsing("one", "one/two"),
    )
    import app

    assert app.Deep.__module__ == "app.deep"
    assert app.Flat.__module__ == "app.flat"


def test_a_namespace_below_a_collapsed_directory(autoload):
    autoload({"app/group/admin/role.py": "class Role: pass"}, configure=collapsing("group"))
    import app

    assert app.admin.Role.__module__ == "app.admin.role"
    assert app.admin.__path__[0].endswith(os.path.join("group", "admin"))


def test_a_namespace_in_several_collapsed_directories_merges(autoload):
    autoload(
        {"app/g1/admin/role.py": "class Role: pass", "app/g2/admin/right.py": "class Right: pass"},
        configure=collapsing("g*"),
    )
    import app

    assert app.admin.Role.__module__ == "app.admin.role"
    assert app.admin.Right.__module__ == "app.admin.right"


def test_a_collapsed_directory_in_a_top_level_root(tree):
    tree({"src/group/lonely_star.py": "class LonelyStar: pass"})
    AutoLoader("src", "").collapse("group").setup()
    import lonely_star

    assert lonely_star.LonelyStar


def test_a_file_named_like_its_collapsed_directory(autoload):
    autoload(
        {"app/collapsed.py": "class Collapsed: pass", "app/collapsed/x.py": "class X: pass"},
        configure=collapsing("collapsed"),
    )
    import app

    assert app.Collapsed.__module__ == "app.collapsed"
    assert app.X.__module__ == "app.x"
    assert not hasattr(app.collapsed, "__path__")


def test_a_collapsed_directory_named_like_the_namespace_it_is_in(autoload):
    autoload(
        {"app/foo.py": "class Foo: pass", "app/foo/foo/x.py": "class X: pass"},
        configure=collapsing("foo/foo"),
    )
    import app

    assert app.foo.X.__module__ == "app.foo.x"
    assert app.Foo.__module__ == "app.foo"


def test_the_file_of_the_directory_itself_wins_over_one_in_a_collapsed_directory(autoload):
    loader = autoload(
        {"app/user.py": "class User: at = 'own'", "app/group/user.py": "class User: at = 'group'"},
        configure=collapsing("group"),
    )
    import app

    assert app.User.at == "own"
    assert loader.eager_load() == [] or "app.user" in loader.loaded()


def test_an_init_file_with_code_in_a_collapsed_directory_is_a_conflict_with_that_of_the_namespace(tree):
    tree({"app/admin/__init__.py": "A = 1", "app/admin/group/__init__.py": "B = 2", "app/admin/group/x.py": ""})
    loader = AutoLoader("app").collapse("admin/group").setup()

    with pytest.raises((ConflictError, ImportError)):
        importlib.import_module("app.admin")
    assert loader.loaded() in ([], ["app"])


def test_an_empty_init_file_in_a_collapsed_directory_says_nothing(autoload):
    autoload(
        {"app/admin/__init__.py": "A = 1", "app/admin/group/__init__.py": "", "app/admin/group/x.py": "class X: pass"},
        configure=collapsing("admin/group"),
    )
    import app

    assert app.admin.A == 1
    assert app.admin.X.__module__ == "app.admin.x"


@pytest.mark.lazy
@pytest.mark.changes
def test_collapse_holds_for_a_directory_that_appears_later(autoload, tree):
    autoload({"app/users/user.py": "class User: pass"}, configure=collapsing("*/concerns"))
    import app

    assert not hasattr(app.users, "Taggable")
    tree({"app/users/concerns/taggable.py": "class Taggable: pass"})
    assert app.users.Taggable.__module__ == "app.users.taggable"


@pytest.mark.lazy
@pytest.mark.changes
def test_a_file_that_appears_in_a_collapsed_directory_is_found(autoload, tree):
    autoload({"app/group/user.py": "class User: pass"}, configure=collapsing("group"))
    import app

    assert not hasattr(app, "Guest")
    tree({"app/group/guest.py": "class Guest: pass"})
    assert app.Guest.__module__ == "app.guest"


def test_expected_names_of_a_collapsed_directory(autoload):
    loader = autoload({"app/admin/group/role.py": ""}, configure=collapsing("admin/group"))

    assert loader.expected_name("app/admin/group/role.py") == "app.admin.Role"
    assert loader.expected_name("app/admin/group") == "app.admin"


@pytest.mark.lazy
def test_a_collapsed_directory_that_is_not_eager_loaded(autoload):
    loader = autoload(
        {"app/group/user.py": "class User: pass", "app/guest.py": "class Guest: pass"},
        configure=lambda loader: loader.collapse("group").do_not_eager_load("group"),
    )

    assert loader.eager_load() == ["app", "app.guest"]
    import app

    assert app.User


def test_two_loaders_may_collapse_differently(tree):
    tree({"one/group/x.py": "class X: pass", "two/group/y.py": "class Y: pass"})
    AutoLoader("one").collapse("group").setup()
    AutoLoader("two").setup()
    import one
    import two

    assert one.X
    assert two.group.Y


def test_packages_list_the_modules_of_collapsed_directories(autoload):
    import pkgutil

    autoload({"app/group/user.py": "", "app/guest.py": ""}, configure=collapsing("group"))
    import app

    assert {info.name for info in pkgutil.iter_modules(app.__path__)} >= {"guest", "user"}
