"""The parts used alone: a finder over a registry that was filled by hand, and a loader without a binder."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec

import pytest

from pyautoload import (
    AutoLoader,
    AutoloadError,
    ModuleNotFoundError,
    ModuleRegistry,
    PyAutoloadFinder,
    PyAutoloadLoader,
)


@pytest.fixture
def registry(tree):
    root = tree(
        {
            "somewhere/one.py": "class User: pass\nVALUE = 1",
            "elsewhere/two.py": "from shop.models.user import User\nclass Guest(User): pass",
            "elsewhere/init_code.py": "LEVEL = 3",
        }
    )
    registry = ModuleRegistry()
    registry.register("shop", root / "elsewhere/init_code.py", directories=[str(root / "elsewhere")])
    registry.register("shop.models", root / "elsewhere/init_code.py", directories=[str(root / "elsewhere")])
    registry.register("shop.models.user", root / "somewhere/one.py")
    registry.register("shop.models.guest", root / "elsewhere/two.py")
    registry.register("lonely_star", root / "somewhere/one.py")
    return registry


def test_a_finder_serves_a_registry_that_was_filled_by_hand(registry):
    finder = PyAutoloadFinder(registry)
    finder.install()
    import lonely_star
    import shop.models.guest

    assert lonely_star.VALUE == 1
    assert shop.LEVEL == 3
    assert shop.models.guest.Guest.__mro__[1] is shop.models.User


def test_such_a_finder_notes_what_is_loaded(registry, tmp_path):
    PyAutoloadFinder(registry).install()
    import shop.models.user  # noqa: F401

    assert registry.loaded() == ["shop", "shop.models", "shop.models.user"]
    assert registry.loaded_status("shop.models.user").path == str(tmp_path / "somewhere/one.py")


def test_a_finder_gives_specs_without_being_installed(registry, tmp_path):
    spec = PyAutoloadFinder(registry).find_spec("lonely_star")

    assert isinstance(spec, ModuleSpec)
    assert spec.origin == str(tmp_path / "somewhere/one.py")
    assert isinstance(spec.loader, PyAutoloadLoader)


@pytest.mark.parametrize("name", ["os", "json.decoder", "shopping", "shop.models.nope", "nope"])
def test_a_finder_has_nothing_to_say_of_other_names(registry, name):
    assert PyAutoloadFinder(registry).find_spec(name) is None


def test_a_finder_is_installed_once_and_uninstalled_without_a_trace(registry):
    before = list(sys.meta_path)
    finder = PyAutoloadFinder(registry)
    finder.install()
    finder.install()
    assert sys.meta_path.count(finder) == 1
    assert sys.meta_path[0] is finder
    finder.uninstall()
    finder.uninstall()
    assert sys.meta_path == before


def test_a_name_registered_after_the_finder_was_made_is_found(registry, tree):
    root = tree({"late.py": "VALUE = 7"})
    PyAutoloadFinder(registry).install()
    registry.register("shop.late", root / "late.py")
    registry.register("late_top", root / "late.py")
    import shop.late

    assert shop.late.VALUE == 7
    assert importlib.import_module("late_top").VALUE == 7


def test_a_loader_without_a_binder_loads_a_file(tree):
    root = tree({"thing.py": "VALUE = 5"})
    loader = PyAutoloadLoader("thing", str(root / "thing.py"))
    spec = importlib.util.spec_from_file_location("thing", root / "thing.py", loader=loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)

    assert module.VALUE == 5
    assert module.__file__ == str(root / "thing.py")
    assert loader.get_source("thing") == "VALUE = 5"


def test_the_error_of_an_excluded_name_is_the_builtin_one_too(tree):
    tree({"app/group/x.py": ""})
    AutoLoader("app").collapse("group").setup()

    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("app.group")
    assert isinstance(caught.value, AutoloadError)
    assert caught.value.name == "app.group"
    with pytest.raises(ImportError):
        importlib.import_module("app.group.x")


def test_try_and_except_around_an_import_work_with_excluded_names(tree):
    tree({"app/group/x.py": ""})
    AutoLoader("app").collapse("group").setup()
    import app

    assert not hasattr(app, "group")
    with pytest.raises(ImportError, match="group"):
        exec("from app import group")


def test_every_error_is_an_autoload_error():
    from pyautoload import errors

    for name in errors.__all__:
        assert issubclass(getattr(errors, name), AutoloadError), name
    for name in ("ExpectedNameError", "CircularDependencyError", "ModuleNotFoundError", "LoadError"):
        assert issubclass(getattr(errors, name), ImportError), name
        assert not issubclass(getattr(errors, name), AttributeError), name


def test_the_public_names_can_be_imported_and_are_listed():
    import pyautoload

    wanted = {
        "AutoLoader", "FileScanner", "ModuleRegistry", "PyAutoloadFinder", "PyAutoloadLoader", "Inflector",
        "scoped_loader", "eager_load_all", "eager_load_namespace", "AutoloadError", "SetupError", "SetupRequired",
        "ConflictError", "NameInflectionError", "ExpectedNameError", "ModuleNotFoundError", "EagerLoadError",
        "CircularDependencyError", "ReloadError", "ReloadingDisabled",
    }  # fmt: skip
    assert all(hasattr(pyautoload, name) for name in wanted)
    assert wanted <= set(dir(pyautoload))
