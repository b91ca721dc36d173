"""Files and directories to modules and names: implicit and explicit namespaces, and what is none."""

from __future__ import annotations

import importlib
import sys
import time

import pytest

from pyautoload import AutoLoader, ExpectedNameError


def everything(loader):
    """The names of all modules, loaded now or before."""
    loader.eager_load()
    return sorted(loader.loaded())


def test_a_file_is_a_module_and_defines_a_name(autoload):
    autoload({"app/models/user.py": "class User: pass"})
    import app
    from app.models import User
    from app.models.user import User as Same

    assert app.models.User is User is Same
    assert app.models.user.User is User


@pytest.mark.parametrize("value", ["42", "'text'", "[1]", "None", "lambda: 1"])
def test_any_value_may_be_the_expected_one(autoload, value):
    autoload({"app/answer.py": f"Answer = {value}"})
    import app

    assert app.Answer is app.answer.Answer


@pytest.mark.lazy
def test_nothing_is_loaded_before_it_is_used(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/guest.py": "raise RuntimeError('loaded')"})
    assert loader.loaded() == []
    import app

    assert loader.loaded() == ["app"]
    assert app.User
    assert loader.loaded() == ["app", "app.user"]


@pytest.mark.lazy
def test_vars_say_what_is_loaded_and_dir_says_what_can_be(autoload):
    autoload({"app/html_parser.py": "class HtmlParser: pass", "app/admin/role.py": ""})
    import app

    assert {"HtmlParser", "html_parser", "admin"} <= set(dir(app))
    assert not {"HtmlParser", "html_parser", "admin"} & set(vars(app))
    assert app.HtmlParser
    assert "HtmlParser" in vars(app)


def test_dir_after_loading_has_the_same_names_still(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/admin/role.py": "class Role: pass"})
    loader.eager_load()
    import app

    assert {"User", "user", "admin"} <= set(dir(app))
    assert {"Role", "role"} <= set(dir(app.admin))


def test_directories_keep_their_names(autoload):
    autoload({"app/web_api/user.py": "class User: pass"})
    import app

    assert app.web_api.User.__module__ == "app.web_api.user"
    assert not hasattr(app, "WebApi")


def test_several_levels_of_directories_without_code(autoload):
    autoload({"app/a/b/c/deep.py": "class Deep: pass"})
    import app

    assert app.a.b.c.Deep.__module__ == "app.a.b.c.deep"
    assert app.a.b.__file__ is None


def test_an_implicit_namespace_is_made_once(autoload):
    autoload({"app/a/x.py": "class X: pass"})
    import app
    import app.a

    first = app.a
    assert importlib.import_module("app.a") is first is sys.modules["app.a"]


def test_an_init_file_is_the_code_of_its_namespace(autoload):
    autoload({"app/admin/__init__.py": "LEVEL = 1\nclass Admin: pass", "app/admin/role.py": "class Role: pass"})
    import app

    assert app.admin.LEVEL == 1
    assert app.admin.Role.__module__ == "app.admin.role"
    assert app.admin.__file__.endswith("__init__.py")


def test_an_init_file_may_define_the_expected_name_of_its_package(autoload):
    loader = autoload({"app/admin/__init__.py": "class Admin: pass", "app/admin/role.py": ""})
    import app

    assert app.Admin.__module__ == "app.admin"
    assert loader.resolve("app.Admin") is app.Admin
    assert "Admin" in dir(app)


def test_a_package_without_its_expected_name_says_no_such_attribute(autoload):
    autoload({"app/admin/__init__.py": "LEVEL = 1", "app/admin/role.py": ""})
    import app

    with pytest.raises((AttributeError, ExpectedNameError)):
        app.Admin  # noqa: B018


def test_an_implicit_namespace_gives_no_name_of_its_own(autoload):
    autoload({"app/admin/role.py": "class Role: pass"})
    import app

    assert not hasattr(app, "Admin")


def test_a_file_beside_a_directory_is_the_code_of_the_namespace(autoload):
    autoload({"app/hotel.py": "class Hotel: pass", "app/hotel/pricing.py": "class Pricing: pass"})
    import app

    assert app.Hotel.__module__ == "app.hotel"
    assert app.hotel.Pricing.__module__ == "app.hotel.pricing"


def test_the_code_of_a_namespace_may_use_what_lies_in_it(autoload):
    autoload(
        {
            "app/hotel.py": "from app.hotel import Pricing\nclass Hotel: pricing = Pricing",
            "app/hotel/pricing.py": "class Pricing: pass",
        }
    )
    import app

    assert app.Hotel.pricing is app.hotel.Pricing


def test_the_init_code_may_use_what_lies_in_its_directory(autoload):
    autoload(
        {
            "app/hotel/__init__.py": "from . import Pricing\nfrom .pricing import Pricing as P\nPRICING = Pricing, P",
            "app/hotel/pricing.py": "class Pricing: pass",
        }
    )
    import app

    assert (app.hotel.Pricing, app.hotel.Pricing) == app.hotel.PRICING


def test_a_package_keeps_its_own_getattr(autoload):
    autoload(
        {
            "app/hotel/__init__.py": """
                def __getattr__(name):
                    if name == 'special':
                        return 7
                    raise AttributeError(name)
            """,
            "app/hotel/pricing.py": "class Pricing: pass",
        }
    )
    import app

    assert app.hotel.special == 7
    assert app.hotel.Pricing
    assert not hasattr(app.hotel, "other")


def test_a_package_keeps_its_own_dir(autoload):
    autoload({"app/hotel/__init__.py": "def __dir__(): return ['mine']", "app/hotel/pricing.py": "class Pricing: pass"})
    import app

    assert {"mine", "Pricing", "pricing"} <= set(dir(app.hotel))


def test_a_package_keeps_its_own_all(autoload):
    autoload(
        {
            "app/hotel/__init__.py": "__all__ = ['A', 'Pricing']\nA = 1\nB = 2",
            "app/hotel/pricing.py": "class Pricing: pass",
        }
    )
    names: dict[str, object] = {}
    exec("from app.hotel import *", names)

    assert {"A", "Pricing"} <= names.keys()
    assert "B" not in names


def test_an_own_attribute_of_a_package_wins_over_a_file(autoload):
    autoload({"app/hotel/__init__.py": "Pricing = 5", "app/hotel/pricing.py": "class Pricing: pass"})
    import app
    import app.hotel.pricing

    assert app.hotel.Pricing == 5


def test_a_directory_without_python_files_is_no_namespace(autoload):
    autoload({"app/user.py": "class User: pass", "app/assets/style.css": "", "app/empty/deep/": ""})
    import app

    for name in ("assets", "empty"):
        assert not hasattr(app, name)
        assert name not in dir(app)
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"app.{name}")


def test_a_directory_with_only_hidden_or_cached_files_is_no_namespace(autoload):
    autoload(
        {
            "app/user.py": "",
            "app/a/.secret.py": "",
            "app/b/.hidden/x.py": "",
            "app/c/__pycache__/x.py": "",
            "app/d/x.pyi": "",
            "app/e/x.py~": "",
            "app/f/#x.py#": "",
        }
    )
    import app

    assert not [name for name in "abcdef" if hasattr(app, name)]


def test_a_python_file_deep_below_makes_all_above_namespaces(autoload):
    autoload({"app/a/b/c/x.py": "", "app/a/b/readme.txt": ""})
    import app

    assert app.a.b.c.x


def test_hidden_files_are_not_managed(autoload):
    loader = autoload({"app/.hidden.py": "", "app/.idea/x.py": "", "app/user.py": ""})

    assert not loader.is_managed("app/.hidden.py")
    assert not loader.is_managed("app/.idea/x.py")
    assert everything(loader) == ["app", "app.user"]


def test_a_directory_named_like_a_python_file_is_a_directory(autoload):
    loader = autoload({"app/user.py/readme.txt": "", "app/guest.py": ""})

    assert everything(loader) == ["app", "app.guest"]


def test_a_name_that_equals_a_stem_is_the_module(autoload):
    autoload({"app/user.py": "user = 5\nclass User: pass"})
    import app

    assert app.user is sys.modules["app.user"]
    assert app.User


def test_a_file_whose_stem_is_its_expected_name_is_the_module(autoload):
    autoload({"app/User.py": "class User: pass"})
    import app
    from app import User

    assert app.User is User is sys.modules["app.User"]
    assert app.User.User.__module__ == "app.User"


def test_main_files_can_be_imported_and_are_not_eager_loaded(autoload):
    loader = autoload({"app/__main__.py": "RAN = True", "app/user.py": ""})

    assert everything(loader) == ["app", "app.user"]
    assert importlib.import_module("app.__main__").RAN


@pytest.mark.parametrize("statement", ["import app.nope", "from app import nope", "from app import Nope"])
def test_a_name_that_is_not_there_fails_as_ever(autoload, statement):
    autoload({"app/user.py": "class User: pass"})

    with pytest.raises(ImportError) as caught:
        exec(statement, {})
    assert "app" in str(caught.value)


def test_hasattr_of_a_name_that_is_not_there_is_false(autoload):
    autoload({"app/user.py": "class User: pass"})
    import app

    assert not hasattr(app, "Nope")
    assert getattr(app, "nope", 3) == 3
    with pytest.raises(AttributeError, match="module 'app' has no attribute 'nope'"):
        app.nope  # noqa: B018


def test_find_spec_of_a_name_that_is_not_there_is_none(autoload):
    autoload({"app/user.py": "class User: pass"})
    import importlib.util

    assert importlib.util.find_spec("app.nope") is None
    assert importlib.util.find_spec("app.user").name == "app.user"


@pytest.mark.lazy
@pytest.mark.changes
def test_a_file_made_after_setup_is_found(autoload, tree):
    autoload({"app/user.py": "class User: pass"})
    import app

    assert not hasattr(app, "Guest")
    tree({"app/guest.py": "class Guest: pass"})
    assert app.Guest.__module__ == "app.guest"


@pytest.mark.changes
def test_a_file_made_after_setup_is_found_in_an_old_directory(autoload, tree, age):
    root = tree({"app/user.py": "class User: pass"})
    age(root / "app")
    autoload({"app/user.py": "class User: pass"})
    import app

    assert not hasattr(app, "Guest")
    tree({"app/guest.py": "class Guest: pass"})
    from app.guest import Guest

    assert app.Guest is Guest


@pytest.mark.lazy
@pytest.mark.changes
def test_a_directory_made_after_setup_is_found(autoload, tree):
    autoload({"app/user.py": "class User: pass"})
    import app

    assert not hasattr(app, "admin")
    tree({"app/admin/role.py": "class Role: pass"})
    assert app.admin.Role.__module__ == "app.admin.role"


@pytest.mark.lazy
@pytest.mark.changes
def test_a_directory_that_gets_its_first_python_file_becomes_a_namespace(autoload, tree):
    autoload({"app/user.py": "class User: pass", "app/admin/readme.txt": ""})
    import app

    assert not hasattr(app, "admin")
    tree({"app/admin/role.py": "class Role: pass"})
    assert app.admin.Role.__module__ == "app.admin.role"


@pytest.mark.lazy
@pytest.mark.changes
def test_a_directory_that_gets_its_first_python_file_deep_below_becomes_a_namespace(autoload, tree):
    autoload({"app/user.py": "class User: pass", "app/admin/deep/readme.txt": ""})
    import app

    assert not hasattr(app, "admin")
    tree({"app/admin/deep/role.py": "class Role: pass"})
    assert app.admin.deep.Role


@pytest.mark.changes
def test_a_top_level_file_made_after_setup_is_found(autoload, tree):
    autoload({"src/user.py": "class User: pass"}, top_level="")
    tree({"src/visitor_log.py": "class VisitorLog: pass"})
    import visitor_log

    assert visitor_log.VisitorLog


@pytest.mark.changes
def test_a_new_file_is_found_once_all_names_are_resolved(autoload, tree):
    loader = autoload({"app/user.py": "class User: pass"})
    loader.eager_load()
    import app

    assert app.User
    tree({"app/guest.py": "class Guest: pass"})
    from app import guest

    assert guest.Guest.__module__ == "app.guest"


@pytest.mark.plain
def test_each_directory_is_listed_once(autoload, monkeypatch):
    import os

    listed: list[str] = []
    real = os.scandir

    def counting(path):
        listed.append(str(path))
        return real(path)

    files = {f"app/d{i}/m{j}.py": f"class M{j}: pass" for i in range(3) for j in range(3)}
    monkeypatch.setattr(os, "scandir", counting)
    autoload(files)
    import app

    assert len([path for path in listed if path.endswith(("d0", "d1", "d2"))]) == 0
    for i in range(3):
        for j in range(3):
            assert getattr(getattr(app, f"d{i}"), f"M{j}")
    assert sorted(path[-2:] for path in listed if path[-2] == "d") == ["d0", "d1", "d2"]


def test_a_star_import_of_an_implicit_namespace_gives_the_expected_names(autoload):
    autoload({"app/models/user.py": "class User: pass", "app/models/helpers.py": "def slug(): ..."})
    names: dict[str, object] = {}
    exec("from app.models import *", names)

    assert "User" in names
    assert "Helpers" not in names


def test_many_names_are_reached_quickly_enough_in_one_flat_directory(autoload):
    autoload({f"app/model_{i}.py": f"class Model{i}: pass" for i in range(50)} | {"app/x.py": "class X: pass"})
    import app

    start = time.perf_counter()
    assert not hasattr(app, "Nope")
    assert time.perf_counter() - start < 5
    # `model_1.py` inflects to Model1, as the file says
    assert app.Model7.__module__ == "app.model_7"


def test_a_namespace_given_by_the_user_may_be_empty(autoload):
    autoload({"app/": ""})
    import app

    assert dir(app)
    assert AutoLoader.all_dirs()
