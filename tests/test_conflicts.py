"""Conflicts are errors, early and with both paths."""

from __future__ import annotations

import importlib
import itertools

import pytest

from pyautoload import AutoLoader, ConflictError, SetupError


def conflict(action) -> ConflictError:
    with pytest.raises(ConflictError) as caught:
        action()
    assert isinstance(caught.value, SetupError)
    assert len(caught.value.paths) == 2
    assert all(path in str(caught.value) for path in caught.value.paths)
    return caught.value


def test_a_file_and_an_init_file_for_one_package(tree):
    root = tree({"app/hotel.py": "", "app/hotel/__init__.py": ""})

    error = conflict(AutoLoader("app").setup)
    assert set(error.paths) == {str(root / "app/hotel.py"), str(root / "app/hotel/__init__.py")}


def test_a_conflict_below_the_first_level_is_told_when_its_namespace_is_used(tree):
    tree({"app/deep/hotel.py": "", "app/deep/hotel/__init__.py": "", "app/user.py": "class User: pass"})
    AutoLoader("app").setup()
    import app

    assert app.User
    with pytest.raises(ConflictError):
        importlib.import_module("app.deep")


@pytest.mark.parametrize("order", list(itertools.permutations(["one", "two", "three"])))
def test_a_file_and_an_init_file_in_different_roots_in_any_order(tree, order):
    tree({"one/hotel.py": "", "two/hotel/__init__.py": "", "three/hotel/x.py": ""})
    loader = AutoLoader()
    for name in order:
        loader.push_dir(name, "app")

    conflict(loader.setup)


def test_two_init_files_for_one_package_in_two_roots(tree):
    tree({"one/hotel/__init__.py": "", "two/hotel/__init__.py": ""})

    conflict(AutoLoader("one", "app").push_dir("two", "app").setup)


def test_two_init_files_of_two_roots_for_one_namespace(tree):
    tree({"one/__init__.py": "A = 1", "two/__init__.py": "B = 1"})

    conflict(AutoLoader("one", "app").push_dir("two", "app").setup)


def test_two_init_files_of_a_root_and_a_directory_of_that_name(tree):
    tree({"app/plugins/__init__.py": "A = 1", "extra/__init__.py": "B = 1"})

    conflict(AutoLoader("app").push_dir("extra", "app.plugins").setup)


def test_an_init_file_of_a_root_and_a_file_of_that_name(tree):
    tree({"app/plugins.py": "A = 1", "extra/__init__.py": "B = 1", "extra/x.py": ""})

    conflict(AutoLoader("app").push_dir("extra", "app.plugins").setup)


def test_an_init_file_in_two_collapsed_directories(tree):
    tree({"app/one/__init__.py": "A = 1", "app/two/__init__.py": "B = 1"})

    conflict(AutoLoader("app").collapse("one", "two").setup)


def test_two_init_files_of_one_name_in_two_collapsed_directories(tree):
    tree({"app/one/hotel/__init__.py": "", "app/two/hotel/__init__.py": ""})

    conflict(AutoLoader("app").collapse("one", "two").setup)


def test_ignoring_one_of_them_settles_it(tree):
    tree({"app/hotel.py": "class Hotel: pass", "app/hotel/__init__.py": "1/0"})
    AutoLoader("app").ignore("hotel/__init__.py").setup()
    import app

    assert app.Hotel


def test_a_package_in_a_directory_and_an_implicit_one_merge(tree):
    tree({"one/hotel/__init__.py": "A = 1", "two/hotel/x.py": "class X: pass"})
    AutoLoader("one", "app").push_dir("two", "app").setup()
    import app

    assert app.hotel.A == 1
    assert app.hotel.X


# Two loaders


@pytest.mark.parametrize(("first", "second"), [("app", "app"), ("app", "app/inner"), ("app/inner", "app")])
def test_two_loaders_for_the_same_directory_or_one_inside_the_other(tree, first, second):
    tree({"app/inner/x.py": "", "app/y.py": ""})
    keep = AutoLoader(first, "one").setup()

    conflict(lambda: AutoLoader(second, "two").setup())
    assert keep.is_set_up


def test_a_directory_with_the_same_beginning_is_no_conflict(tree):
    tree({"foo/x.py": "", "foobar/y.py": ""})
    AutoLoader("foo").setup()

    assert AutoLoader("foobar").setup().is_set_up


def test_the_existing_loader_may_ignore_the_new_directory(tree):
    tree({"app/inner/x.py": "class X: pass", "app/y.py": ""})
    AutoLoader("app").ignore("inner").setup()

    assert AutoLoader("app/inner").setup().is_set_up


def test_a_pattern_of_the_existing_loader_counts(tree):
    tree({"app/plugins/one/x.py": "", "app/y.py": ""})
    AutoLoader("app").ignore("plugins/*").setup()

    assert AutoLoader("app/plugins/one").setup().is_set_up


def test_the_new_loader_may_ignore_the_existing_one(tree):
    tree({"app/inner/x.py": "", "app/y.py": ""})
    AutoLoader("app/inner").setup()

    assert AutoLoader().ignore("inner").push_dir("app").setup().is_set_up
    assert len(AutoLoader.all_dirs()) >= 2


def test_ignoring_a_directory_with_the_same_beginning_does_not_count(tree):
    tree({"app/foo/x.py": "", "app/foobar/y.py": ""})
    AutoLoader("app").ignore("foo").setup()

    conflict(lambda: AutoLoader("app/foobar").setup())


def test_a_refused_root_is_forgotten(tree):
    tree({"app/x.py": "", "other/y.py": "class Y: pass"})
    AutoLoader("app").setup()
    loader = AutoLoader()
    conflict(lambda: loader.push_dir("app"))
    loader.push_dir("other").setup()
    import other

    assert other.Y
    assert len(loader.dirs()) == 1


def test_the_directory_of_an_unregistered_loader_is_free(tree):
    tree({"app/x.py": ""})
    AutoLoader("app").setup().unregister()

    assert AutoLoader("app").setup().is_set_up


def test_a_loader_that_was_dropped_unused_claims_nothing(tree):
    import gc

    tree({"app/x.py": ""})
    AutoLoader("app")
    gc.collect()

    assert AutoLoader("app").setup().is_set_up


@pytest.mark.parametrize("name", ["json", "platform", "sys"])
def test_a_root_named_like_a_module_of_the_standard_library(tree, name):
    tree({f"{name}/x.py": ""})

    if name == "json":
        return  # a package: a namespace may be one that exists already
    with pytest.raises(ConflictError):
        AutoLoader(name).setup()
