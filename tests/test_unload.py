"""Unloading: what leaves, what stays, and what hand-made changes may do to it."""

from __future__ import annotations

import importlib
import pickle
import sys
from types import ModuleType

import pytest

from pyautoload import AutoLoader, SetupRequired, scoped_loader

FILES = {
    "app/user.py": "class User: pass",
    "app/guest.py": "class Guest: pass",
    "app/admin/role.py": "class Role: pass",
    "app/hotel.py": "class Hotel: pass",
    "app/hotel/pricing.py": "class Pricing: pass",
    "app/html_parser.py": "class HTMLParser: pass",
}


def test_it_needs_setup(tree):
    tree({"app/user.py": ""})

    with pytest.raises(SetupRequired):
        AutoLoader("app").unload()


def test_everything_loaded_leaves(autoload):
    loader = autoload(FILES)
    loader.eager_load()
    loader.unload()

    assert loader.loaded() == []
    assert not [name for name in sys.modules if name == "app" or name.startswith("app.")]


def test_what_is_used_afterwards_is_loaded_again(autoload):
    loader = autoload(FILES)
    import app

    first, path = app.User, app.User.__module__
    loader.unload()
    del app
    import app

    assert app.User is not first
    assert app.User.__module__ == path


def test_the_old_package_object_gives_new_objects_too(autoload):
    loader = autoload(FILES)
    import app

    first = app.User, app.admin.Role
    loader.unload()

    assert app.User is not first[0]
    assert app.User is sys.modules["app.user"].User


def test_bindings_leave_a_package_that_stays(tree):
    tree(
        {
            "site/lib/__init__.py": "OWN = 1",
            "more/user.py": "class User: pass",
            "more/html_parser.py": "class HTMLParser: pass",
        }
    )
    sys.path.insert(0, "site")
    import lib

    loader = AutoLoader("more", "lib").setup()
    first = lib.User
    assert lib.HTMLParser
    assert {"User", "user", "HTMLParser", "html_parser"} <= vars(lib).keys()
    loader.unload()

    assert sys.modules["lib"] is lib
    assert not {"User", "user", "HTMLParser", "html_parser"} & vars(lib).keys()
    assert lib.OWN == 1
    assert lib.User is not first


def test_what_is_not_loaded_is_not_run(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/broken.py": "raise BaseException('was run')"},
                      configure=lambda loader: loader.do_not_eager_load("broken.py"))  # fmt: skip
    import app

    assert app.User
    loader.unload()
    assert "app.broken" not in sys.modules


def test_twice_is_once(autoload):
    loader = autoload(FILES)
    loader.eager_load()
    loader.unload()
    loader.unload()

    assert loader.loaded() == []


def test_eager_load_after_unload_loads_everything_again(autoload):
    loader = autoload(FILES)
    loader.eager_load()
    loader.unload()

    assert len(loader.eager_load()) == 8
    import app

    assert app.HTMLParser


@pytest.mark.parametrize("removed", ["app", "app.user", "app.admin", "app.admin.role", "app.hotel"])
def test_modules_removed_by_hand_are_tolerated(autoload, removed):
    loader = autoload(FILES)
    loader.eager_load()
    del sys.modules[removed]
    loader.unload()

    assert loader.loaded() == []
    assert not [name for name in sys.modules if name.startswith("app.")]


def test_attributes_removed_by_hand_are_tolerated(autoload):
    loader = autoload(FILES)
    loader.eager_load()
    import app

    del app.User, app.user, app.admin.Role, app.admin
    loader.unload()
    assert loader.loaded() == []


def test_names_replaced_by_hand_stay(tree):
    tree({"site/lib/__init__.py": "", "more/user.py": "class User: pass"})
    sys.path.insert(0, "site")
    import lib

    loader = AutoLoader("more", "lib").setup()
    assert lib.User
    lib.User = "mine"
    loader.unload()
    assert lib.User == "mine"


def test_a_parent_replaced_by_hand_is_tolerated(autoload):
    loader = autoload(FILES)
    loader.eager_load()
    sys.modules["app"] = ModuleType("app")
    sys.modules["app.admin"] = None  # type: ignore[assignment]
    loader.unload()

    assert loader.loaded() == []


def test_a_module_that_puts_an_object_in_its_place_is_tolerated(autoload):
    loader = autoload(
        {"app/odd.py": "import sys\nclass Odd:\n    __slots__ = ()\nsys.modules[__name__] = Odd()", "app/x.py": ""}
    )
    import app.odd

    assert type(app.odd).__name__ == "Odd"
    loader.unload()
    assert "app.odd" not in sys.modules


def test_modules_of_others_stay(autoload, tree):
    loader = autoload({"app/user.py": "import other_helper\nclass User: pass"})
    tree({"other_helper.py": ""})
    sys.path.insert(0, "")
    importlib.invalidate_caches()
    import app

    assert app.User
    helper = sys.modules["other_helper"]
    loader.unload()
    assert sys.modules["other_helper"] is helper


def test_other_loaders_keep_what_they_loaded(tree):
    tree({"one/user.py": "class User: pass", "two/guest.py": "class Guest: pass"})
    first, second = AutoLoader("one").setup(), AutoLoader("two").setup()
    first.eager_load()
    second.eager_load()
    first.unload()

    assert "one.user" not in sys.modules
    assert second.loaded() == ["two", "two.guest"]
    assert "two.guest" in sys.modules


def test_a_failed_file_can_be_loaded_once_it_is_mended(autoload, tree):
    loader = autoload({"app/user.py": "1/0", "app/x.py": ""})
    import app

    with pytest.raises(ZeroDivisionError):
        app.User  # noqa: B018
    assert not {"user", "User"} & vars(app).keys()
    assert "app.user" not in sys.modules
    assert "app.user" not in loader.loaded()


@pytest.mark.changes
def test_a_mended_file_is_loaded(autoload, tree):
    autoload({"app/user.py": "1/0", "app/x.py": ""})
    import app

    with pytest.raises(ZeroDivisionError):
        app.User  # noqa: B018
    tree({"app/user.py": "class User: mended = 'and longer than before'"})
    assert app.User.mended


@pytest.mark.changes
def test_an_edit_is_seen_after_unload(autoload, tree):
    loader = autoload({"app/user.py": "class User: at = 1"})
    import app

    assert app.User.at == 1
    loader.unload()
    tree({"app/user.py": "class User: at = 'another size'"})
    assert app.User.at == "another size"


@pytest.mark.changes
def test_a_deleted_file_is_gone_after_unload(autoload, tmp_path):
    loader = autoload({"app/user.py": "class User: pass", "app/guest.py": "class Guest: pass"})
    loader.eager_load()
    loader.unload()
    (tmp_path / "app/user.py").unlink()
    importlib.invalidate_caches()
    import app

    assert app.Guest
    with pytest.raises((AttributeError, ImportError)):
        app.User  # noqa: B018


def test_pickles_are_loaded_again_after_unload(autoload):
    loader = autoload({"app/user.py": "class User:\n    name = 'x'"})
    import app

    data = pickle.dumps(app.User())
    loader.unload()
    sys.modules.pop("app", None)

    assert type(pickle.loads(data)) is sys.modules["app.user"].User


def test_a_loader_for_the_length_of_a_block(tree):
    tree({"app/user.py": "class User: pass"})
    finders = list(sys.meta_path)
    with scoped_loader() as loader:
        loader.push_dir("app").setup()
        import app

        assert app.User
    assert sys.meta_path == finders
    assert not loader.is_set_up


def test_such_a_loader_goes_also_after_an_exception(tree):
    tree({"app/broken.py": "1/0"})
    finders = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), scoped_loader() as loader:
        loader.push_dir("app").setup().load_file("app/broken.py")
    assert sys.meta_path == finders
    assert not set(loader.dirs()) & set(AutoLoader.all_dirs())


def test_its_directory_is_free_afterwards(tree):
    tree({"app/user.py": "class User: pass"})
    for _ in range(2):
        with scoped_loader() as loader:
            loader.push_dir("app").setup()


def test_unregister_keeps_what_is_loaded(autoload):
    loader = autoload(FILES)
    import app

    user, role = app.User, app.admin.Role
    loader.unregister()

    assert app.User is user
    assert app.admin.Role is role
    assert not hasattr(app.admin, "Nope")


def test_unregister_twice_is_once(autoload):
    loader = autoload(FILES)
    loader.unregister()
    loader.unregister()

    assert not loader.is_set_up


def test_an_unregistered_loader_says_that_it_needs_setup(autoload):
    loader = autoload(FILES)
    loader.unregister()

    with pytest.raises(SetupRequired):
        loader.eager_load()


def test_a_loader_that_is_not_set_up_can_be_unregistered(tree):
    tree({"app/": ""})
    AutoLoader("app").unregister()

    AutoLoader("app").setup()


@pytest.mark.lazy
@pytest.mark.changes
def test_a_file_that_is_deleted_before_it_was_loaded_is_not_found(autoload, tmp_path):
    autoload({"app/user.py": "class User: pass", "app/guest.py": "class Guest: pass"})
    (tmp_path / "app/user.py").unlink()

    with pytest.raises(ModuleNotFoundError, match="deleted"):
        importlib.import_module("app.user")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("app.user")
    import app

    assert not hasattr(app, "User")
    assert app.Guest


def test_what_a_deleted_file_shadowed_is_found(tree):
    root = tree({"one/user.py": "class User: at = 1", "two/user.py": "class User: at = 2"})
    AutoLoader("one", "app").push_dir("two", "app").setup()
    (root / "one/user.py").unlink()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("app.user")

    assert importlib.import_module("app.user").User.at == 2


def test_one_module_is_unloaded_and_the_others_stay(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/post.py": "class Post: pass"})
    import app

    user, post = app.User, app.Post
    loader.unload("app.user")
    assert "app.user" not in sys.modules
    assert app.Post is post
    assert app.User is not user


def test_a_namespace_is_unloaded_with_what_lies_below_it(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/shop/cart/item.py": "class Item: pass"})
    import app

    assert app.User
    assert app.shop.cart.Item
    loader.unload("app.shop")
    assert [name for name in loader.loaded() if name.startswith("app.shop")] == []
    assert loader.loaded() == ["app", "app.user"]
    assert app.shop.cart.Item


def test_a_name_to_unload_must_be_a_dotted_name(autoload):
    loader = autoload({"app/user.py": "class User: pass"})
    with pytest.raises(ValueError, match="dotted name"):
        loader.unload("app/user.py")
    loader.unload("app.not_loaded")
