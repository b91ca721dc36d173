"""Symbolic links are followed and keep the path as it was entered; loops end."""

from __future__ import annotations

import os
import sys

import pytest

from pyautoload import AutoLoader, FileScanner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")


def link(root, target, name):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(root / target)
    return path


def test_a_linked_file_is_loaded_under_the_path_of_the_link(tree):
    root = tree({"store/v1.py": "class User: pass", "app/x.py": ""})
    link(root, "store/v1.py", "app/user.py")
    loader = AutoLoader("app").setup()
    import app

    assert app.User.__module__ == "app.user"
    assert app.user.__file__ == str(root / "app/user.py")
    assert loader.where("app.User") == str(root / "app/user.py")


def test_a_linked_directory_is_a_namespace_under_the_path_of_the_link(tree):
    root = tree({"store/role.py": "class Role: pass", "app/x.py": ""})
    link(root, "store", "app/admin")
    loader = AutoLoader("app").setup()
    import app

    assert app.admin.role.__file__ == str(root / "app/admin/role.py")
    assert loader.expected_name("app/admin/role.py") == "app.admin.Role"
    assert loader.load_file("app/admin/role.py") is app.admin.Role


def test_a_linked_root_keeps_its_path(tree):
    root = tree({"store/user.py": "class User: pass"})
    link(root, "store", "app")
    loader = AutoLoader("app").setup()
    import app

    assert loader.dirs() == [str(root / "app")]
    assert app.user.__file__ == str(root / "app/user.py")


def test_a_link_that_leads_nowhere_is_left_out(tree):
    root = tree({"app/user.py": "class User: pass"})
    link(root, "nowhere.py", "app/broken.py")
    link(root, "nowhere", "app/lost")
    loader = AutoLoader("app").setup()

    assert loader.eager_load() == ["app", "app.user"]
    assert "broken" not in dir(sys.modules["app"])


@pytest.mark.parametrize("target", ["app", "app/deep", ".", "app/deep/deeper"])
def test_loops_end(tree, target):
    root = tree({"app/user.py": "", "app/deep/deeper/x.py": ""})
    link(root, target, "app/deep/deeper/loop")
    loader = AutoLoader("app").setup()

    assert loader.eager_load() == ["app", "app.deep", "app.deep.deeper", "app.deep.deeper.x", "app.user"]
    assert len(loader.expected_names()) == 5


def test_a_link_to_itself_ends(tree):
    root = tree({"app/user.py": ""})
    link(root, "app/self", "app/self")
    link(root, "app/b.py", "app/a.py")
    link(root, "app/a.py", "app/b.py")

    assert AutoLoader("app").setup().eager_load() == ["app", "app.user"]


def test_two_links_into_each_other_end(tree):
    root = tree({"app/one/x.py": "", "app/two/y.py": ""})
    link(root, "app/two", "app/one/to_two")
    link(root, "app/one", "app/two/to_one")
    loaded = AutoLoader("app").setup().eager_load()

    assert {"app.one.x", "app.two.y", "app.one.to_two.y", "app.two.to_one.x"} <= set(loaded)
    assert len(loaded) < 30


def test_walking_a_loop_ends(tree):
    root = tree({"app/user.py": ""})
    link(root, "app", "app/loop")

    assert [listing.directory for listing in FileScanner().walk(root / "app")] == [str(root / "app")]
    assert not FileScanner().has_python(str(root / "app" / "nothing"))


def test_one_file_under_two_names_is_two_modules(tree):
    root = tree({"app/user.py": "class User: pass\nclass Person: pass"})
    link(root, "app/user.py", "app/person.py")
    AutoLoader("app").setup()
    import app

    assert app.Person.__module__ == "app.person"
    assert app.User.__module__ == "app.user"


def test_patterns_are_for_the_path_as_it_was_entered(tree):
    root = tree({"store/x.py": "1/0", "app/user.py": ""})
    link(root, "store", "app/vendor")

    assert AutoLoader("app").ignore("vendor").setup().eager_load() == ["app", "app.user"]


def test_a_link_from_outside_to_a_managed_directory_is_not_managed(tree):
    root = tree({"app/user.py": ""})
    link(root, "app", "other")
    loader = AutoLoader("app").setup()

    assert not loader.is_managed(root / "other" / "user.py")
    assert os.path.samefile("app/user.py", "other/user.py")
