"""Callbacks: on set-up, on load, on unload."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from pyautoload import AutoLoader, EagerLoadError


@pytest.fixture
def loader(tree):
    tree(
        {
            "app/user.py": "class User: pass",
            "app/guest.py": "class Guest: pass",
            "app/helpers.py": "def slug(): ...",
            "app/admin/role.py": "class Role: pass",
            "app/hotel.py": "class Hotel: pass",
            "app/hotel/pricing.py": "class Pricing: pass",
            "app/broken.py": "1/0",
        }
    )
    return AutoLoader("app")


# on_setup


def test_setup_callbacks_run_on_setup_in_order_of_definition(loader):
    calls: list[str] = []
    loader.on_setup(lambda: calls.append("one"))
    loader.on_setup(lambda: calls.append("two"))
    assert calls == []
    loader.setup()

    assert calls == ["one", "two"]
    loader.setup()
    assert calls == ["one", "two"]


def test_a_setup_callback_runs_at_once_when_set_up_already(loader):
    calls: list[str] = []
    loader.setup().on_setup(lambda: calls.append("one"))

    assert calls == ["one"]


def test_a_setup_callback_may_load_and_eager_load(loader):
    seen: list[object] = []

    @loader.on_setup
    def load():
        import app

        seen.append(app.User)
        loader.ignore("broken.py")
        loader.eager_load_namespace("app.admin")
        seen.append(loader.eager_load())

    loader.setup()
    assert seen[0].__module__ == "app.user"
    assert "app.admin.role" in loader.loaded()


def test_a_setup_callback_is_usable_as_a_decorator(loader):
    @loader.on_setup
    def callback():
        pass

    assert callable(callback)


# on_load


def test_a_load_callback_for_an_expected_name_gets_value_and_path(loader, tmp_path):
    calls: list[tuple[object, str]] = []
    loader.on_load("app.User", lambda value, path: calls.append((value, path)))
    loader.setup()
    import app

    assert calls == []
    assert app.Guest
    assert calls == []
    user = app.User
    assert calls == [(user, str(tmp_path / "app" / "user.py"))]


def test_a_load_callback_for_a_module_name_gets_the_module(loader):
    calls: list[object] = []
    loader.on_load("app.user", lambda value, path: calls.append(value))
    loader.setup()
    import app.user

    assert calls == [app.user]


def test_a_load_callback_for_all_gets_the_name_too(loader, tmp_path):
    calls: list[tuple[str, object, str]] = []
    loader.on_load(lambda name, value, path: calls.append((name, value, path)))
    loader.setup()
    import app

    user, slug = app.User, app.helpers
    assert calls[1:] == [
        ("app.User", user, str(tmp_path / "app" / "user.py")),
        ("app.helpers", slug, str(tmp_path / "app" / "helpers.py")),
    ]


def test_a_load_callback_for_all_hears_of_implicit_namespaces(loader, tmp_path):
    calls: list[tuple[str, object, str]] = []
    loader.on_load(lambda name, value, path: calls.append((name, value, path)))
    loader.setup()
    import app

    assert calls == [("app", app, str(tmp_path / "app"))]
    admin = app.admin
    assert calls[1:] == [("app.admin", admin, str(tmp_path / "app" / "admin"))]


def test_specific_ones_come_before_general_ones_in_order_of_definition(loader):
    calls: list[str] = []
    loader.on_load(lambda name, value, path: calls.append("general one"))
    loader.on_load("app.User", lambda value, path: calls.append("name one"))
    loader.on_load("app.user", lambda value, path: calls.append("module"))
    loader.on_load("app.User", lambda value, path: calls.append("name two"))
    loader.on_load(lambda name, value, path: calls.append("general two"))
    loader.setup()
    import app

    calls.clear()
    assert app.User
    assert calls[-2:] == ["general one", "general two"]
    assert calls.index("name one") < calls.index("name two") < calls.index("general one")
    assert calls.index("module") < calls.index("general one")


def test_callbacks_are_usable_as_decorators(loader):
    calls: list[object] = []

    @loader.on_load("app.User")
    def named(value, path):
        calls.append(value)

    @loader.on_load
    def general(name, value, path):
        calls.append(name)

    @loader.on_load()
    def general_too(name, value, path):
        calls.append(name + "!")

    loader.setup()
    import app

    assert app.User
    assert calls[-3:] == [app.User, "app.User", "app.User!"]
    assert callable(named)
    assert callable(general)


def test_callbacks_run_once_for_each_load(loader):
    calls: list[str] = []
    loader.on_load(lambda name, value, path: calls.append(name))
    loader.setup()
    import app

    for _ in range(3):
        assert app.User
        __import__("app.user")
    assert calls == ["app", "app.User"]


def test_callbacks_run_for_an_eager_load(loader):
    calls: list[str] = []
    loader.on_load(lambda name, value, path: calls.append(name))
    loader.ignore("broken.py").setup().eager_load()

    assert calls == [
        "app", "app.admin", "app.admin.Role", "app.Guest", "app.helpers", "app.Hotel", "app.hotel.Pricing", "app.User",
    ]  # fmt: skip


def test_a_callback_may_load_other_things(loader):
    calls: list[str] = []

    @loader.on_load("app.User")
    def load_guest(value, path):
        import app

        calls.append("user")
        assert app.Guest

    loader.on_load("app.Guest", lambda value, path: calls.append("guest"))
    loader.setup()
    import app

    assert app.User
    assert calls == ["user", "guest"]


def test_a_callback_may_use_what_was_loaded_through_its_namespace(loader):
    seen: list[object] = []

    @loader.on_load("app.User")
    def use(value, path):
        import app

        seen.append(app.User is value)

    loader.setup()
    import app

    assert app.User
    assert seen == [True]


def test_the_callback_of_a_namespace_may_use_what_lies_in_it(loader):
    seen: list[object] = []

    @loader.on_load("app.Hotel")
    def use(value, path):
        import app.hotel

        seen.append(app.hotel.Pricing)

    loader.setup()
    import app

    assert app.Hotel
    assert seen == [app.hotel.Pricing]


def test_a_callback_is_not_told_of_what_is_loaded_already(loader):
    calls: list[object] = []
    loader.setup()
    import app

    assert app.User
    loader.on_load("app.User", lambda value, path: calls.append(value))
    assert app.User
    assert calls == []


def test_a_callback_may_be_for_a_name_that_nothing_manages(loader):
    loader.on_load("other.Thing", lambda value, path: pytest.fail("called"))
    loader.ignore("broken.py").setup().eager_load()


def test_a_callback_is_not_told_of_a_failed_load(loader):
    calls: list[object] = []
    loader.on_load("app.broken", lambda value, path: calls.append(value))
    loader.on_load("app.Broken", lambda value, path: calls.append(value))
    loader.setup()
    with pytest.raises(EagerLoadError):
        loader.eager_load()

    assert calls == []


def test_the_error_of_a_callback_reaches_the_user_and_the_name_stays_loadable(loader):
    fail = [True]

    @loader.on_load("app.User")
    def callback(value, path):
        if fail:
            fail.clear()
            raise RuntimeError("from the callback")

    loader.setup()
    import app

    with pytest.raises(RuntimeError, match="from the callback"):
        app.User  # noqa: B018
    assert "app.user" not in loader.loaded()
    assert "app.user" not in sys.modules
    assert app.User.__module__ == "app.user"
    assert "app.user" in loader.loaded()


def test_callbacks_are_told_of_acronyms_by_the_name_that_is_defined(tree):
    tree({"app/html_parser.py": "class HTMLParser: pass"})
    calls: list[str] = []
    loader = AutoLoader("app")
    loader.on_load("app.HTMLParser", lambda value, path: calls.append("named"))
    loader.on_load(lambda name, value, path: calls.append(name))
    loader.setup().eager_load()

    assert calls == ["app", "named", "app.HTMLParser"]


def test_callbacks_of_a_top_level_root(tree):
    tree({"src/lonely_star.py": "class LonelyStar: pass"})
    calls: list[str] = []
    loader = AutoLoader("src", "")
    loader.on_load("LonelyStar", lambda value, path: calls.append("named"))
    loader.on_load(lambda name, value, path: calls.append(name))
    loader.setup().eager_load()

    assert calls == ["named", "LonelyStar"]


# on_unload


def test_an_unload_callback_is_called_while_the_object_can_be_reached(loader):
    seen: list[object] = []

    @loader.on_unload("app.User")
    def callback(value, path):
        seen.append((sys.modules["app.user"].User is value, sys.modules["app"].User is value, path.endswith("user.py")))

    loader.setup()
    import app

    assert app.User
    loader.unload()
    assert seen == [(True, True, True)]


def test_an_unload_callback_for_all_and_for_a_module(loader):
    calls: list[object] = []
    loader.on_unload(lambda name, value, path: calls.append(name))
    loader.on_unload("app.user", lambda value, path: calls.append(type(value)))
    loader.setup()
    import app

    assert app.User
    assert app.helpers
    loader.unload()
    assert calls == ["app.helpers", ModuleType, "app.User", "app"]


def test_an_unload_callback_is_not_called_for_what_was_never_loaded(loader):
    calls: list[str] = []
    loader.on_unload(lambda name, value, path: calls.append(name))
    loader.setup().unload()

    assert calls == []
    assert "app.user" not in sys.modules


def test_an_unload_callback_is_not_called_for_what_was_removed_by_hand(loader):
    calls: list[str] = []
    loader.on_unload(lambda name, value, path: calls.append(name))
    loader.setup()
    import app

    assert app.User
    del sys.modules["app.user"]
    loader.unload()
    assert calls == ["app"]


def test_callbacks_are_kept_over_an_unload(loader):
    calls: list[str] = []
    loader.on_load("app.User", lambda value, path: calls.append("load"))
    loader.on_unload("app.User", lambda value, path: calls.append("unload"))
    loader.setup()
    for _ in range(2):
        import app

        assert app.User
        loader.unload()
        sys.modules.pop("app", None)
        del app

    assert calls == ["load", "unload"] * 2


def test_an_unload_callback_may_load_other_things(loader):
    loader.setup()

    @loader.on_unload("app.User")
    def callback(value, path):
        import app

        assert app.Guest

    import app

    assert app.User
    loader.unload()
    assert "app.user" not in sys.modules


def test_an_unload_callback_does_not_load_a_failed_file_again(loader):
    calls: list[str] = []
    loader.on_unload(lambda name, value, path: calls.append(name))
    loader.setup()
    import app

    with pytest.raises(ZeroDivisionError):
        app.broken  # noqa: B018
    loader.unload()
    assert calls == ["app"]


# Names


@pytest.mark.parametrize("method", ["on_load", "on_unload"])
@pytest.mark.parametrize("name", [5, b"app", ["app"], None])
def test_a_name_that_is_no_string_is_a_type_error(loader, method, name):
    with pytest.raises(TypeError):
        getattr(loader, method)(name, lambda value, path: None)


@pytest.mark.parametrize("method", ["on_load", "on_unload"])
@pytest.mark.parametrize("name", ["", ".app", "app.", "app..User", "a-b", "app User", "app:User", "1app"])
def test_a_name_that_is_no_dotted_name_is_a_value_error(loader, method, name):
    with pytest.raises(ValueError, match="dotted name"):
        getattr(loader, method)(name, lambda value, path: None)
    with pytest.raises(ValueError, match="dotted name"):
        getattr(loader, method)(name)


@pytest.mark.parametrize("method", ["on_load", "on_unload"])
def test_what_cannot_be_called_is_a_type_error(loader, method):
    with pytest.raises(TypeError):
        getattr(loader, method)("app.User", 5)
    with pytest.raises(TypeError):
        getattr(loader, method)("app.User")(5)


def test_what_cannot_be_called_on_setup_is_a_type_error(loader):
    with pytest.raises(TypeError):
        loader.on_setup(5)
