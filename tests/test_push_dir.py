"""Roots: how they are given, what is no root, and what may be asked of them before and after ``setup()``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pyautoload import AutoLoader, ConflictError, SetupError


def test_a_loader_without_a_path_is_legal_and_loads_nothing():
    loader = AutoLoader().setup()

    assert loader.dirs() == []
    assert loader.loaded() == []
    assert loader.eager_load() == []


@pytest.mark.parametrize("kind", [str, Path])
def test_a_root_is_a_string_or_a_path(tree, kind):
    root = tree({"app/user.py": "class User: pass"})

    assert AutoLoader(kind(root / "app")).dirs() == [str(root / "app")]


def test_a_relative_root_is_resolved_against_the_working_directory_of_that_moment(tree, tmp_path_factory):
    root = tree({"app/user.py": "class User: pass"})
    loader = AutoLoader("app")
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    loader.setup()

    import app

    assert loader.dirs() == [str(root / "app")]
    assert app.User.__module__ == "app.user"


def test_a_root_is_normalised(tree):
    root = tree({"app/user.py": "", "lib/": ""})

    assert AutoLoader("lib/../app/").dirs() == [str(root / "app")]


def test_push_dir_returns_the_loader(tree):
    tree({"a/x.py": "class X: pass", "b/y.py": "class Y: pass"})
    loader = AutoLoader()

    assert loader.push_dir("a").push_dir(Path("b")) is loader
    assert [os.path.basename(path) for path in loader.dirs()] == ["a", "b"]


def test_the_namespace_is_the_name_of_the_directory(tree):
    root = tree({"shop/user.py": "class User: pass"})
    loader = AutoLoader("shop")

    assert dict(loader.dirs(namespaces=True)) == {str(root / "shop"): "shop"}


def test_the_namespace_may_be_named(tree):
    tree({"src/user.py": "class User: pass"})
    AutoLoader("src", "shop").setup()

    import shop

    assert shop.User.__module__ == "shop.user"


def test_the_namespace_may_have_several_parts(tree):
    tree({"src/user.py": "class User: pass"})
    AutoLoader("src", "shop.core.models").setup()

    import shop

    assert shop.core.models.User.__module__ == "shop.core.models.user"


def test_the_namespace_may_be_a_module_object(tree):
    tree({"adapters/fast.py": "class Fast: pass"})
    module = ModuleType("hand_made")
    module.__path__ = []
    sys.modules["hand_made"] = module
    AutoLoader().push_dir("adapters", module).setup()

    import hand_made

    assert hand_made is module
    assert hand_made.Fast.__module__ == "hand_made.fast"


def test_an_empty_namespace_makes_top_level_modules(tree):
    tree({"src/lonely_star.py": "class LonelyStar: pass", "src/galaxy/milky.py": "class Milky: pass"})
    AutoLoader("src", "").setup()

    import galaxy
    import lonely_star

    assert lonely_star.LonelyStar.__module__ == "lonely_star"
    assert galaxy.Milky.__module__ == "galaxy.milky"


@pytest.mark.parametrize("namespace", [5, object(), b"app", ["app"]])
def test_what_is_no_module_and_no_name_is_no_namespace(tree, namespace):
    tree({"app/": ""})

    with pytest.raises(SetupError, match="not a namespace"):
        AutoLoader().push_dir("app", namespace)


@pytest.mark.parametrize("namespace", ["a-b", "a..b", ".a", "a.", "1a", "a b", "class", "a.import"])
def test_a_namespace_that_is_no_dotted_name_is_refused(tree, namespace):
    tree({"app/": ""})

    with pytest.raises(SetupError, match="not a dotted name"):
        AutoLoader().push_dir("app", namespace)


def test_a_module_that_is_not_in_sys_modules_under_its_name_is_refused(tree):
    tree({"app/": ""})

    with pytest.raises(SetupError, match=r"not in sys\.modules"):
        AutoLoader().push_dir("app", ModuleType("anonymous_one"))


def test_the_namespace_is_checked_before_the_directory(tree):
    with pytest.raises(SetupError, match="not a namespace"):
        AutoLoader().push_dir("nowhere", 5)


def test_a_directory_that_does_not_exist_is_refused(tree):
    root = tree({})

    with pytest.raises(SetupError, match="does not exist") as caught:
        AutoLoader("nowhere")
    assert str(root / "nowhere") in str(caught.value)


def test_a_file_is_no_root(tree):
    tree({"app.py": ""})

    with pytest.raises(SetupError, match="is not a directory"):
        AutoLoader("app.py")


def test_a_directory_whose_name_is_no_identifier_needs_a_namespace(tree):
    tree({"my-app/user.py": "class User: pass"})

    with pytest.raises(SetupError, match="top_level="):
        AutoLoader("my-app")
    assert list(AutoLoader("my-app", "my_app").dirs(namespaces=True).values()) == ["my_app"]


def test_a_root_that_was_refused_leaves_nothing_behind(tree):
    tree({"app/": "", "file.py": ""})
    loader = AutoLoader("app")

    with pytest.raises(SetupError):
        loader.push_dir("file.py")
    assert [os.path.basename(path) for path in loader.dirs()] == ["app"]


def test_the_same_root_again_takes_the_last_namespace(tree):
    tree({"src/user.py": "class User: pass"})
    loader = AutoLoader("src", "one").push_dir("src", "two")

    assert list(loader.dirs(namespaces=True).values()) == ["two"]


def test_dirs_can_neither_be_used_to_change_the_roots(tree):
    tree({"app/": ""})
    loader = AutoLoader("app")
    loader.dirs().append("x")

    assert len(loader.dirs()) == 1
    with pytest.raises(TypeError):
        loader.dirs(namespaces=True)["x"] = "y"


def test_dirs_leaves_out_ignored_roots_unless_they_are_asked_for(tree):
    root = tree({"app/": "", "extra/": ""})
    loader = AutoLoader("app").push_dir("extra").ignore("extra")

    assert loader.dirs() == [str(root / "app")]
    assert loader.dirs(ignored=True) == [str(root / "app"), str(root / "extra")]
    assert dict(loader.dirs(namespaces=True, ignored=True)) == {
        str(root / "app"): "app",
        str(root / "extra"): "extra",
    }


def test_all_dirs_has_the_roots_of_every_loader(tree):
    root = tree({"a/": "", "b/": "", "c/": ""})
    before = set(AutoLoader.all_dirs())
    one = AutoLoader("a").setup()
    two = AutoLoader("b").push_dir("c")

    assert set(AutoLoader.all_dirs()) - before == {str(root / name) for name in "abc"}
    one.unregister()
    two.unregister()
    assert set(AutoLoader.all_dirs()) == before


def test_a_root_that_vanishes_before_setup_is_skipped(tree):
    root = tree({"app/user.py": "class User: pass", "gone/": ""})
    loader = AutoLoader("app").push_dir("gone", "gone")
    (root / "gone").rmdir()
    loader.setup()

    assert loader.eager_load() == ["app", "app.user"]


def test_a_root_that_vanishes_after_setup_is_skipped(tree):
    root = tree({"app/user.py": "class User: pass", "more/": ""})
    loader = AutoLoader("app").push_dir("more", "app.more").setup()
    (root / "more").rmdir()

    assert "app.user" in loader.eager_load()
    assert loader.expected_names()[str(root / "app" / "user.py")] == "app.User"


def test_a_root_may_be_hidden(tree):
    root = tree({".plugins/one.py": "class One: pass"})
    loader = AutoLoader(".plugins", "plugins").setup()

    import plugins

    assert plugins.One.__module__ == "plugins.one"
    assert loader.expected_name(root / ".plugins/one.py") == "plugins.One"


def test_a_root_may_come_after_setup(tree):
    tree({"app/user.py": "class User: pass", "late/guest.py": "class Guest: pass"})
    loader = AutoLoader("app").setup()
    import app

    first = app.User
    loader.push_dir("late")
    import late

    assert late.Guest.__module__ == "late.guest"
    assert app.User is first


def test_a_root_for_a_loaded_namespace_may_come_after_setup(tree):
    tree({"app/user.py": "class User: pass", "late/guest.py": "class Guest: pass"})
    loader = AutoLoader("app").setup()
    import app

    assert not hasattr(app, "Guest")
    loader.push_dir("late", "app")

    assert app.Guest.__module__ == "app.guest"


def test_setup_twice_is_setup_once(tree):
    tree({"app/user.py": "class User: pass"})
    loader = AutoLoader("app")

    assert loader.setup() is loader
    finders = list(sys.meta_path)
    assert loader.setup() is loader
    assert sys.meta_path == finders


def test_the_description_says_roots_and_state(tree):
    root = tree({"app/user.py": "class User: pass"})
    loader = AutoLoader("app", tag="shop")

    assert "not set up" in repr(loader)
    assert str(root / "app") in repr(loader)
    loader.setup().eager_load()
    assert "2 loaded" in repr(loader)
    assert "shop" in repr(loader)


def test_a_namespace_that_is_a_plain_module_already_is_a_conflict(tree):
    tree({"token/user.py": "class User: pass"})

    with pytest.raises(ConflictError, match="top_level"):
        AutoLoader("token").setup()


def test_a_failed_setup_installs_nothing(tree):
    tree({"app/hotel.py": "", "app/hotel/__init__.py": ""})
    loader = AutoLoader("app")
    before = list(sys.meta_path)

    with pytest.raises(ConflictError):
        loader.setup()
    assert sys.meta_path == before
    assert not loader.is_set_up


def test_a_failed_setup_can_be_mended(tree):
    tree({"app/hotel.py": "class Hotel: pass", "app/hotel/__init__.py": "1/0"})
    loader = AutoLoader("app")
    with pytest.raises(ConflictError):
        loader.setup()
    loader.ignore("hotel/__init__.py").setup()
    import app

    assert app.Hotel


def test_a_root_with_a_conflict_that_comes_after_setup_is_refused_as_a_whole(tree):
    root = tree({"app/user.py": "class User: pass", "bad/hotel.py": "", "bad/hotel/__init__.py": ""})
    loader = AutoLoader("app").setup()
    with pytest.raises(ConflictError):
        loader.push_dir("bad")
    import app

    assert app.User
    assert loader.dirs() == [str(root / "app")]
    with pytest.raises(ImportError):
        import bad  # noqa: F401


def test_a_namespace_without_a_root_is_refused():
    with pytest.raises(SetupError, match="base_path"):
        AutoLoader(top_level="app")


def test_the_first_namespace_may_be_a_module(tree, monkeypatch):
    root = tree({"site/lib/__init__.py": "", "more/extra.py": "class Extra: pass"})
    monkeypatch.syspath_prepend(str(root / "site"))
    import lib

    AutoLoader("more", lib).setup()
    assert lib.Extra.__module__ == "lib.extra"


def test_an_init_file_in_a_top_level_root_is_nothing(tree):
    tree({"src/__init__.py": "1/0", "src/lonely_star.py": ""})
    loader = AutoLoader("src", "").setup()

    assert loader.eager_load(strict=False) == ["lonely_star"]
    with pytest.raises(SetupError, match="not managed"):
        loader.load_file("src/__init__.py")
    assert loader.expected_name("src/__init__.py") is None
