"""Eager loading a directory, and a namespace."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import pyautoload
from pyautoload import AutoLoader, EagerLoadError, PathError, SetupError

FILES = {
    "app/user.py": "",
    "app/admin/role.py": "",
    "app/admin/deep/down.py": "",
    "app/hotel.py": "",
    "app/hotel/pricing.py": "",
    "app/booking/__init__.py": "",
    "app/booking/price.py": "",
}


@pytest.mark.lazy
@pytest.mark.parametrize(
    ("directory", "modules"),
    [
        ("app/admin", {"app.admin", "app.admin.role", "app.admin.deep", "app.admin.deep.down"}),
        ("app/admin/deep", {"app.admin", "app.admin.deep", "app.admin.deep.down"}),
        ("app/hotel", {"app.hotel", "app.hotel.pricing"}),
        ("app/booking", {"app.booking", "app.booking.price"}),
    ],
)
def test_a_directory_is_loaded_with_all_below_it(autoload, directory, modules):
    loader = autoload(FILES)
    loader.eager_load_dir(directory)

    assert set(loader.loaded()) == {"app", *modules}


def test_the_whole_root(autoload):
    loader = autoload(FILES)
    loader.eager_load_dir(Path("app").resolve())

    assert len(loader.loaded()) == 10
    assert loader.eager_load() == []


@pytest.mark.lazy
def test_it_returns_what_it_loaded_with_the_parents(autoload):
    loader = autoload(FILES)

    assert set(loader.eager_load_dir("app/admin/deep")) >= {"app.admin.deep", "app.admin.deep.down"}
    assert loader.eager_load_dir("app/admin/deep") == []


@pytest.mark.parametrize("path", ["app/user.py", "app/nope", "nowhere"])
def test_what_is_no_directory_is_an_error(autoload, path):
    loader = autoload(FILES)

    with pytest.raises(PathError, match="is not a directory"):
        loader.eager_load_dir(path)


def test_a_directory_that_is_not_managed_is_an_error(autoload, tree):
    loader = autoload(FILES)
    tree({"elsewhere/x.py": "", "application/x.py": ""})

    for path in ("elsewhere", ".", "application"):
        with pytest.raises(SetupError, match="not managed"):
            loader.eager_load_dir(path)


def test_an_ignored_or_excluded_directory_is_left_alone(autoload):
    loader = autoload(
        {"app/ignored/x.py": "1/0", "app/tasks/y.py": "1/0", "app/.hidden/z.py": "1/0", "app/tasks/deep/w.py": "1/0"},
        configure=lambda loader: loader.ignore("ignored").do_not_eager_load("tasks"),
    )

    for path in ("app/ignored", "app/tasks", "app/tasks/deep", "app/.hidden"):
        assert loader.eager_load_dir(path) == []


def test_excluded_files_in_the_directory_are_left_out(autoload):
    loader = autoload(
        {"app/admin/x.py": "", "app/admin/slow.py": "1/0"},
        configure=lambda loader: loader.do_not_eager_load("*/slow.py"),
    )
    loader.eager_load_dir("app/admin")

    assert "app.admin.x" in loader.loaded()


def test_a_directory_without_python_files_is_nothing(autoload):
    loader = autoload({"app/user.py": "", "app/assets/style.css": ""})

    assert loader.eager_load_dir("app/assets") == []


@pytest.mark.lazy
def test_a_collapsed_directory_loads_what_lies_in_it_only(autoload):
    loader = autoload(
        {"app/group/x.py": "", "app/group/sub/z.py": "", "app/y.py": ""},
        configure=lambda loader: loader.collapse("group"),
    )
    loader.eager_load_dir("app/group")

    assert set(loader.loaded()) == {"app", "app.x", "app.sub", "app.sub.z"}


@pytest.mark.lazy
def test_only_the_given_one_of_several_directories_of_a_namespace(tree):
    tree({"one/admin/x.py": "", "two/admin/y.py": ""})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()
    loader.eager_load_dir("two/admin")

    assert set(loader.loaded()) == {"app", "app.admin", "app.admin.y"}


def test_roots_within_the_directory_are_left_out(tree):
    tree({"app/x.py": "", "app/inner/y.py": "1/0"})
    loader = AutoLoader("app").push_dir("app/inner", "inner").setup()
    loader.eager_load_dir("app")

    assert loader.loaded() == ["app", "app.x"]


def test_a_namespace_that_a_root_inside_leads_to_is_not_in_the_directory(tree):
    tree({"app/x.py": "", "app/inner/y.py": "1/0"})
    loader = AutoLoader("app").push_dir("app/inner", "app.inner").setup()
    loader.eager_load_dir("app")

    assert "app.x" in loader.loaded()
    assert "app.inner.y" not in loader.loaded()


def test_failures_are_reported_at_the_end(autoload):
    loader = autoload({"app/admin/a.py": "1/0", "app/admin/b.py": "", "app/z.py": "1/0"})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load_dir("app/admin")
    assert set(caught.value.failures) == {"app.admin.a"}
    assert "app.admin.b" in loader.loaded()


@pytest.mark.lazy
@pytest.mark.parametrize("as_module", [False, True])
def test_a_namespace_is_loaded_with_all_below_it(autoload, as_module):
    loader = autoload(FILES)
    import app

    loader.eager_load_namespace(app.admin if as_module else "app.admin")
    assert set(loader.loaded()) == {"app", "app.admin", "app.admin.role", "app.admin.deep", "app.admin.deep.down"}


def test_the_top_is_everything(autoload):
    loader = autoload(FILES)
    loader.eager_load_namespace("")

    assert loader.eager_load() == []
    assert len(loader.loaded()) == 10


@pytest.mark.parametrize("namespace", ["other", "os", "app.nope", "app.user", "app.nope.deep", "application"])
def test_a_namespace_that_is_not_managed_is_no_error(autoload, namespace):
    loader = autoload(FILES)

    assert loader.eager_load_namespace(namespace) == []


def test_a_module_that_is_not_managed_is_no_error(autoload):
    loader = autoload(FILES)

    assert loader.eager_load_namespace(os) == []
    assert loader.eager_load_namespace(ModuleType("anonymous")) == []


@pytest.mark.parametrize("namespace", [5, None, object()])
def test_what_is_neither_a_name_nor_a_module_is_an_error(autoload, namespace):
    loader = autoload(FILES)
    loader.eager_load()

    with pytest.raises(TypeError):
        loader.eager_load_namespace(namespace)


def test_a_namespace_above_a_root_loads_the_whole_root(tree):
    tree({"plugins/fast.py": "", "plugins/deep/x.py": ""})
    loader = AutoLoader("plugins", "shop.core.plugins").setup()
    loader.eager_load_namespace("shop")

    assert {"shop.core.plugins.fast", "shop.core.plugins.deep.x"} <= set(loader.loaded())


@pytest.mark.lazy
def test_a_namespace_below_a_root(tree):
    tree({"plugins/fast.py": "", "plugins/deep/x.py": ""})
    loader = AutoLoader("plugins", "shop.plugins").setup()
    loader.eager_load_namespace("shop.plugins.deep")

    assert "shop.plugins.deep.x" in loader.loaded()
    assert "shop.plugins.fast" not in loader.loaded()


def test_a_namespace_in_several_roots_and_collapsed_directories(tree):
    tree({"one/admin/x.py": "", "two/admin/y.py": "", "one/admin/group/z.py": ""})
    loader = AutoLoader("one", "app").push_dir("two", "app").collapse("admin/group").setup()
    loader.eager_load_namespace("app.admin")

    assert {"app.admin.x", "app.admin.y", "app.admin.z"} <= set(loader.loaded())


def test_a_namespace_of_an_existing_package(tree):
    tree({"site/lib/__init__.py": "", "site/lib/own.py": "1/0", "more/extra.py": ""})
    sys.path.insert(0, "site")
    import lib

    loader = AutoLoader("more", "lib").setup()
    assert loader.eager_load_namespace(lib) == ["lib.extra"]


def test_an_excluded_namespace_is_left_alone(autoload):
    loader = autoload(
        {"app/tasks/x.py": "1/0", "app/y.py": ""}, configure=lambda loader: loader.do_not_eager_load("tasks")
    )

    assert loader.eager_load_namespace("app.tasks") == []


def test_all_loaders_are_asked_for_a_namespace(tree):
    tree({"one/deep/x.py": "", "two/y.py": "", "three/z.py": "1/0"})
    AutoLoader("one").setup()
    AutoLoader("two", "one.more").setup()
    AutoLoader("three", "one.broken")

    loaded = pyautoload.eager_load_namespace("one")
    assert {"one.deep.x", "one.more.y"} <= set(loaded)


def test_failures_of_all_loaders_are_reported_together(tree):
    tree({"one/x.py": "1/0", "two/y.py": "1/0", "two/z.py": ""})
    AutoLoader("one", "app.one").setup()
    second = AutoLoader("two", "app.two").setup()

    with pytest.raises(EagerLoadError) as caught:
        pyautoload.eager_load_namespace("app")
    assert set(caught.value.failures) == {"app.one.x", "app.two.y"}
    assert "app.two.z" in second.loaded()
