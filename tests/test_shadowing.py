"""Shadowed files: a name that an earlier root, or a module that exists, took first."""

from __future__ import annotations

import importlib
import sys

import pytest

from pyautoload import AutoLoader


def test_the_file_of_a_later_root_is_not_run(tree):
    tree({"one/user.py": "class User: at = 1", "two/user.py": "1/0"})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()
    import app

    assert app.User.at == 1
    assert loader.eager_load(force=True) in ([], ["app", "app.user"])


def test_a_shadowed_copy_is_not_served_by_the_back_door(tree):
    root = tree({"one/user.py": "class User: at = 1", "two/user.py": "class User: at = 2"})
    AutoLoader("one", "app").push_dir("two", "app").setup()
    import app.user  # noqa: F401

    del sys.modules["app.user"]
    assert importlib.import_module("app.user").__file__ == str(root / "one/user.py")


def test_a_namespace_does_not_shadow(tree):
    tree({"one/admin/x.py": "class X: pass", "two/admin/y.py": "class Y: pass", "two/admin/x.py": "1/0"})
    AutoLoader("one", "app").push_dir("two", "app").setup()
    import app

    assert app.admin.X
    assert app.admin.Y


def test_a_top_level_file_does_not_take_the_name_of_a_standard_module(tree):
    tree({"src/json.py": "1/0", "src/string.py": "1/0", "src/lonely_star.py": "class LonelyStar: pass"})
    loader = AutoLoader("src", "").setup()
    import json
    import string

    assert "src" not in json.__file__
    assert "src" not in string.__file__
    assert loader.eager_load() == ["lonely_star"]


def test_a_top_level_file_does_not_take_the_name_of_a_standard_module_that_is_not_loaded(tree, python):
    tree({"src/colorsys.py": "1/0"})
    result = python(
        """
        from pyautoload import AutoLoader
        loader = AutoLoader("src", "").setup()
        import colorsys
        print("src" in colorsys.__file__, loader.eager_load())
        """
    )

    assert result.stdout.split() == ["False", "[]"]


def test_a_top_level_directory_does_not_take_the_name_of_a_standard_module(tree):
    tree({"src/platform/x.py": "1/0", "src/lonely_star.py": ""})
    loader = AutoLoader("src", "").setup()
    import platform

    assert platform.system()
    assert platform is importlib.import_module("platform")
    assert loader.eager_load() == ["lonely_star"]


def test_a_top_level_file_does_not_take_the_name_of_a_loaded_module(tree):
    tree({"site/taken_name.py": "AT = 'site'", "src/taken_name.py": "1/0", "src/free_name.py": ""})
    sys.path.insert(0, "site")
    import taken_name

    loader = AutoLoader("src", "").setup()
    assert sys.modules["taken_name"] is taken_name
    assert loader.eager_load() == ["free_name"]


def test_a_name_of_a_namespace_that_equals_a_standard_module_is_no_shadow(autoload):
    autoload({"app/json.py": "class Json: pass", "app/string.py": "class String: pass"})
    import app

    assert app.Json.__module__ == "app.json"
    assert app.string.String


def test_shadowed_files_have_expected_names(tree):
    root = tree({"one/user.py": "", "two/user.py": ""})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()

    assert loader.expected_name(root / "two/user.py") == "app.User"


@pytest.mark.changes
def test_what_was_shadowed_shows_when_the_first_is_deleted(tree):
    root = tree({"one/user.py": "class User: at = 1", "one/x.py": "", "two/user.py": "class User: at = 'two'"})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()
    import app

    assert app.User.at == 1
    (root / "one/user.py").unlink()
    loader.unload()
    importlib.invalidate_caches()
    assert app.User.at == "two"


@pytest.mark.changes
def test_a_new_file_in_an_earlier_root_wins_from_then_on(tree):
    root = tree({"one/x.py": "", "two/user.py": "class User: at = 'two'"})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()
    import app

    assert app.User.at == "two"
    (root / "one/user.py").write_text("class User: at = 1")
    loader.unload()
    importlib.invalidate_caches()
    assert app.User.at == 1


def test_a_package_comes_before_an_extension_or_bytecode_of_its_name(tree):
    tree({"app/thing/__init__.py": "AT = 'package'", "app/thing.pyc": ""})
    AutoLoader("app").setup()
    import app

    assert app.thing.AT == "package"


def test_source_comes_before_bytecode(tree):
    tree({"app/thing.py": "AT = 'source'", "app/thing.pyc": ""})
    AutoLoader("app").setup()
    import app

    assert app.thing.AT == "source"
