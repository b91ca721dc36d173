"""Loading one file by its path, and resolving a full name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pyautoload import (
    AutoLoader,
    AutoloadError,
    ExpectedNameError,
    ModuleNotFoundError,
    PathError,
    SetupRequired,
)


def test_it_returns_the_object_of_the_expected_name(autoload):
    loader = autoload({"app/admin/user.py": "class User: pass"})
    user = loader.load_file("app/admin/user.py")
    import app

    assert user is app.admin.User


def test_it_returns_the_module_where_there_is_no_such_object(autoload):
    loader = autoload({"app/helpers.py": "def slug(): ..."})

    assert loader.load_file(Path("app/helpers.py").resolve()) is sys.modules["app.helpers"]


def test_it_returns_an_object_that_is_false(autoload):
    loader = autoload({"app/nothing.py": "Nothing = None", "app/zero.py": "Zero = 0"})

    assert loader.load_file("app/nothing.py") is None
    assert loader.load_file("app/zero.py") == 0


def test_twice_is_once(autoload):
    loader = autoload({"app/user.py": "class User: pass"})

    assert loader.load_file("app/user.py") is loader.load_file("app/user.py")


def test_an_init_file_gives_the_package(autoload):
    loader = autoload({"app/admin/__init__.py": "LEVEL = 1", "app/admin/x.py": ""})

    assert loader.load_file("app/admin/__init__.py") is sys.modules["app.admin"]


def test_an_init_file_gives_the_expected_name_of_its_package(autoload):
    loader = autoload({"app/admin/__init__.py": "class Admin: pass", "app/admin/x.py": ""})

    assert loader.load_file("app/admin/__init__.py").__name__ == "Admin"


def test_the_file_of_an_explicit_namespace(autoload):
    loader = autoload({"app/hotel.py": "class Hotel: pass", "app/hotel/pricing.py": ""})

    assert loader.load_file("app/hotel.py").__module__ == "app.hotel"
    assert sys.modules["app.hotel"].__path__


def test_a_file_in_a_collapsed_directory(autoload):
    loader = autoload({"app/group/user.py": "class User: pass"}, configure=lambda loader: loader.collapse("group"))

    assert loader.load_file("app/group/user.py").__module__ == "app.user"


def test_a_file_in_a_top_level_root(tree):
    tree({"src/lonely_star.py": "class LonelyStar: pass", "src/galaxy/milky.py": ""})
    loader = AutoLoader("src", "").setup()

    assert loader.load_file("src/lonely_star.py").__module__ == "lonely_star"
    assert loader.load_file("src/galaxy/milky.py").__name__ == "galaxy.milky"


@pytest.mark.changes
def test_a_file_that_is_new(autoload, tree):
    loader = autoload({"app/user.py": ""})
    loader.eager_load()
    tree({"app/guest.py": "class Guest: pass", "app/deep/er/x.py": "class X: pass"})

    assert loader.load_file("app/guest.py").__module__ == "app.guest"
    assert loader.load_file("app/deep/er/x.py").__module__ == "app.deep.er.x"


def test_the_error_of_a_file_is_passed_on(autoload):
    loader = autoload({"app/user.py": "1/0"})

    with pytest.raises(ZeroDivisionError):
        loader.load_file("app/user.py")


def refused(loader, path) -> str:
    with pytest.raises(PathError) as caught:
        loader.load_file(path)
    assert isinstance(caught.value, AutoloadError)
    return str(caught.value)


def test_it_needs_setup(tree):
    tree({"app/user.py": ""})

    with pytest.raises(SetupRequired):
        AutoLoader("app").load_file("app/user.py")


def test_a_file_that_does_not_exist(autoload):
    loader = autoload({"app/user.py": ""}, configure=lambda loader: loader.ignore("vendor"))

    for path in ("app/nope.py", "nowhere.txt", "app/vendor/nope.py"):
        assert "does not exist" in refused(loader, path)


def test_what_is_no_python_file(autoload):
    loader = autoload({"app/notes.txt": "", "app/vendor/notes.txt": "", "app/admin/x.py": "", "other.txt": ""},
                      configure=lambda loader: loader.ignore("vendor"))  # fmt: skip

    for path in ("app/notes.txt", "app/vendor/notes.txt", "app/admin", "app", "other.txt"):
        assert "is not a Python file" in refused(loader, path)


def test_what_is_ignored(autoload):
    loader = autoload(
        {"app/x.py": "", "app/vendor/deep/y.py": "", "app/.hidden.py": "", "app/.git/z.py": ""},
        configure=lambda loader: loader.ignore("x.py", "vendor"),
    )

    for path in ("app/x.py", "app/vendor/deep/y.py"):
        assert "is ignored" in refused(loader, path)
    for path in ("app/.hidden.py", "app/.git/z.py"):
        assert "hidden" in refused(loader, path)


def test_a_file_in_an_ignored_root(tree):
    tree({"app/x.py": ""})
    loader = AutoLoader("app").ignore("app").setup()

    assert "is ignored" in refused(loader, "app/x.py")


def test_what_is_not_managed(autoload, tree):
    loader = autoload({"app/user.py": ""})
    tree({"elsewhere/x.py": "", "application.py": ""})

    for path in ("elsewhere/x.py", "application.py"):
        assert "not managed" in refused(loader, path)


def test_what_an_earlier_root_shadows(tree):
    root = tree({"one/user.py": "", "two/user.py": "1/0"})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()

    message = refused(loader, "two/user.py")
    assert "is shadowed" in message
    assert str(root / "one/user.py") in message


def test_what_a_module_that_exists_shadows(tree):
    tree({"src/json.py": "1/0"})
    loader = AutoLoader("src", "").setup()

    assert "is shadowed" in refused(loader, "src/json.py")


def test_what_a_package_that_exists_shadows(tree):
    tree({"site/lib/__init__.py": "", "site/lib/thing.py": "AT = 'lib'", "more/thing.py": "1/0"})
    sys.path.insert(0, "site")
    import lib  # noqa: F401

    loader = AutoLoader("more", "lib").setup()
    assert "is shadowed" in refused(loader, "more/thing.py")


def test_what_an_earlier_loader_shadows(tree):
    tree({"one/user.py": "class User: pass", "two/user.py": "1/0"})
    AutoLoader("one", "app").setup()
    second = AutoLoader("two", "app").setup()

    assert "is shadowed" in refused(second, "two/user.py")


# resolve


@pytest.fixture
def loader(autoload):
    return autoload(
        {
            "app/models/user.py": "class User:\n    class Meta:\n        size = 3\n    def name(self): ...\nLIMIT = 5",
            "app/hotel/__init__.py": "LEVEL = 1",
            "app/hotel/pricing.py": "class Pricing: pass",
            "app/helpers.py": "def slug(): ...",
            "app/broken.py": "1/0",
            "app/html_parser.py": "class HTMLParser: pass",
        }
    )


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("app", []),
        ("app.models", ["models"]),
        ("app.models.user", ["models", "user"]),
        ("app.models.User", ["models", "User"]),
        ("app.models.user.User", ["models", "user", "User"]),
        ("app.models.user.LIMIT", ["models", "user", "LIMIT"]),
        ("app.models.User.Meta.size", ["models", "User", "Meta", "size"]),
        ("app.models.User.name", ["models", "User", "name"]),
        ("app.hotel.LEVEL", ["hotel", "LEVEL"]),
        ("app.hotel.Pricing", ["hotel", "Pricing"]),
        ("app.helpers.slug", ["helpers", "slug"]),
        ("app.HTMLParser", ["HTMLParser"]),
    ],
)
def test_a_full_name_is_resolved(loader, name, attributes):
    resolved = loader.resolve(name)
    import app

    expected = app
    for attribute in attributes:
        expected = getattr(expected, attribute)
    assert resolved is expected


@pytest.mark.parametrize(
    "name", ["app.nope", "app.models.Nope", "app.nope.deep", "other", "os.path", "app.models.user.Nope"]
)
def test_a_name_that_is_not_there_is_not_found(loader, name):
    with pytest.raises((ModuleNotFoundError, AttributeError)) as caught:
        loader.resolve(name)
    assert name.split(".")[-1] in str(caught.value)


@pytest.mark.parametrize("name", ["app.nope", "other", "os.path"])
def test_a_name_that_is_not_managed_is_a_module_not_found(loader, name):
    with pytest.raises(ModuleNotFoundError) as caught:
        loader.resolve(name)
    assert isinstance(caught.value, AutoloadError)


@pytest.mark.parametrize("name", ["", ".app", "app.", "app..x", "a-b", "app models"])
def test_what_is_no_dotted_name_is_a_value_error(loader, name):
    with pytest.raises(ValueError):
        loader.resolve(name)


@pytest.mark.parametrize("name", [None, 5, b"app"])
def test_what_is_no_string_is_a_type_error(loader, name):
    with pytest.raises(TypeError):
        loader.resolve(name)


def test_an_error_in_the_file_is_passed_on(loader):
    with pytest.raises(ZeroDivisionError):
        loader.resolve("app.Broken")
    with pytest.raises(ZeroDivisionError):
        loader.resolve("app.broken")


def test_an_expected_name_that_is_not_defined_is_told(loader):
    with pytest.raises(ExpectedNameError):
        loader.resolve("app.Helpers")


def test_resolving_needs_setup(tree):
    tree({"app/user.py": ""})

    with pytest.raises(SetupRequired):
        AutoLoader("app").resolve("app.user")


def test_a_top_level_name_is_resolved(tree):
    tree({"src/lonely_star.py": "class LonelyStar: pass"})
    loader = AutoLoader("src", "").setup()

    assert loader.resolve("lonely_star.LonelyStar").__module__ == "lonely_star"
    assert loader.resolve("lonely_star").__name__ == "lonely_star"


def test_a_top_level_expected_name_is_resolved(tree):
    tree({"src/lonely_star.py": "class LonelyStar: pass"})
    loader = AutoLoader("src", "").setup()

    assert loader.resolve("LonelyStar").__module__ == "lonely_star"


def test_every_expected_name_of_what_defines_it_can_be_resolved(loader):
    without = {"helpers.py", "broken.py", "html_parser.py", "__init__.py"}
    names = [name for path, name in loader.expected_names().items() if os.path.basename(path) not in without]

    assert len(names) > 4
    assert all(loader.resolve(name) is not None for name in names)
