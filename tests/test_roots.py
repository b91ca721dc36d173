"""Several roots: precedence, merging, roots within roots, roots in packages that exist already."""

from __future__ import annotations

import importlib
import sys

import pytest

from pyautoload import AutoLoader, ExpectedNameError, ModuleNotFoundError


def loader_for(*roots: tuple[str, str]) -> AutoLoader:
    loader = AutoLoader()
    for path, namespace in roots:
        loader.push_dir(path, namespace)
    return loader.setup()


def test_the_earlier_root_wins_for_one_name(tree):
    root = tree({"one/user.py": "class User: at = 1", "two/user.py": "class User: at = 2"})
    loader = loader_for(("one", "app"), ("two", "app"))
    import app

    assert app.User.at == 1
    assert loader.where("app.User") == str(root / "one/user.py")


def test_what_is_only_in_the_later_root_is_found_there(tree):
    tree({"one/user.py": "class User: at = 1", "two/guest.py": "class Guest: at = 2"})
    loader_for(("one", "app"), ("two", "app"))
    import app

    assert (app.User.at, app.Guest.at) == (1, 2)


def test_directories_of_one_namespace_merge(tree):
    root = tree(
        {
            "one/admin/user.py": "class User: at = 1",
            "two/admin/user.py": "class User: at = 2",
            "two/admin/role.py": "class Role: at = 2",
            "three/admin/deep/down.py": "class Down: at = 3",
        }
    )
    loader_for(("one", "app"), ("two", "app"), ("three", "app"))
    import app

    assert (app.admin.User.at, app.admin.Role.at, app.admin.deep.Down.at) == (1, 2, 3)
    assert list(app.admin.__path__) == [str(root / name / "admin") for name in ("one", "two", "three")]


def test_the_path_of_the_root_namespace_is_in_root_order(tree):
    root = tree({"b/x.py": "", "a/y.py": ""})
    loader_for(("b", "app"), ("a", "app"))
    import app

    assert list(app.__path__) == [str(root / "b"), str(root / "a")]


def test_a_file_in_one_root_and_its_directory_in_another(tree):
    tree({"one/hotel.py": "class Hotel: pass", "two/hotel/pricing.py": "class Pricing: pass"})
    loader_for(("one", "app"), ("two", "app"))
    import app

    assert app.Hotel.__module__ == "app.hotel"
    assert app.hotel.Pricing.__module__ == "app.hotel.pricing"
    assert app.hotel.__file__.endswith("hotel.py")


def test_a_directory_in_the_first_root_and_its_file_in_a_later_one(tree):
    tree({"one/hotel/pricing.py": "class Pricing: pass", "two/hotel.py": "class Hotel: pass"})
    loader_for(("one", "app"), ("two", "app"))
    import app

    assert app.hotel.Pricing.__module__ == "app.hotel.pricing"
    assert app.Hotel.__module__ == "app.hotel"


def test_the_init_file_of_a_merged_namespace_may_be_in_any_root(tree):
    tree({"one/admin/user.py": "class User: pass", "two/admin/__init__.py": "LEVEL = 3"})
    loader_for(("one", "app"), ("two", "app"))
    import app

    assert app.admin.LEVEL == 3
    assert app.admin.User.__module__ == "app.admin.user"


def test_a_root_inside_a_root_is_a_tree_of_its_own(tree):
    tree({"app/user.py": "class User: pass", "app/concerns/taggable.py": "class Taggable: pass"})
    loader = loader_for(("app", "app"), ("app/concerns", "concerns"))
    import app
    import concerns

    assert concerns.Taggable.__module__ == "concerns.taggable"
    assert not hasattr(app, "concerns")
    assert sorted(loader.eager_load()) == ["app.user"]


def test_a_root_inside_a_root_may_share_its_namespace(tree):
    tree({"app/user.py": "class User: pass", "app/concerns/taggable.py": "class Taggable: pass"})
    loader_for(("app", "app"), ("app/concerns", "app"))
    import app

    assert app.Taggable.__module__ == "app.taggable"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("app.concerns")


def test_a_root_inside_a_root_is_no_namespace_even_with_a_file_of_that_name(tree):
    tree({"app/concerns.py": "class Concerns: pass", "app/concerns/taggable.py": "class Taggable: pass"})
    loader_for(("app", "app"), ("app/concerns", "mixins"))
    import app
    import mixins

    assert app.Concerns.__module__ == "app.concerns"
    assert not hasattr(app.concerns, "__path__")
    assert mixins.Taggable.__module__ == "mixins.taggable"


def test_the_inner_root_may_come_first(tree):
    tree({"app/user.py": "class User: pass", "app/concerns/taggable.py": "class Taggable: pass"})
    loader_for(("app/concerns", "app"), ("app", "app"))
    import app

    assert app.Taggable.__module__ == "app.taggable"
    assert app.User.__module__ == "app.user"


def test_ignoring_the_outer_root_does_not_ignore_the_inner_one(tree):
    root = tree({"app/user.py": "class User: pass", "app/inner/x.py": "class X: pass"})
    loader = AutoLoader("app").push_dir("app/inner", "inner").ignore("app").setup()
    import inner

    assert inner.X.__module__ == "inner.x"
    assert loader.expected_name(root / "app/user.py") is None
    assert loader.expected_name(root / "app/inner/x.py") == "inner.X"


def test_a_root_may_stand_for_a_namespace_within_another_root(tree):
    tree({"app/user.py": "class User: pass", "plugins/fast.py": "class Fast: pass"})
    loader = loader_for(("app", "app"), ("plugins", "app.plugins"))
    import app

    assert app.plugins.Fast.__module__ == "app.plugins.fast"
    assert "plugins" in dir(app)
    assert loader.where("app.plugins.Fast").endswith("fast.py")


def test_such_a_root_merges_with_a_directory_of_that_name(tree):
    tree(
        {
            "app/plugins/slow.py": "class Slow: pass",
            "app/plugins/fast.py": "class Fast: at = 'app'",
            "extra/fast.py": "class Fast: at = 'extra'",
        }
    )
    loader_for(("app", "app"), ("extra", "app.plugins"))
    import app

    assert app.plugins.Slow.__module__ == "app.plugins.slow"
    assert app.plugins.Fast.at == "app"


def test_the_order_of_roots_holds_for_such_a_merge_too(tree):
    tree({"app/plugins/fast.py": "class Fast: at = 'app'", "extra/fast.py": "class Fast: at = 'extra'"})
    loader_for(("extra", "app.plugins"), ("app", "app"))
    import app

    assert app.plugins.Fast.at == "extra"


def test_a_package_that_exists_already_keeps_its_identity_and_its_attributes(tree):
    tree({"site/lib/__init__.py": "VERSION = 1\nclass User: own = True", "more/user.py": "class User: own = False"})
    sys.path.insert(0, "site")
    import lib

    loader_for(("more", "lib"))
    assert sys.modules["lib"] is lib
    assert lib.User.own
    assert lib.VERSION == 1


def test_a_package_that_exists_already_gets_what_lies_below_the_root(tree):
    tree({"site/lib/__init__.py": "", "site/lib/own.py": "X = 1", "more/extra.py": "class Extra: pass"})
    sys.path.insert(0, "site")
    import lib

    loader_for(("more", "lib"))
    import lib.own

    assert lib.Extra.__module__ == "lib.extra"
    assert lib.own.X == 1


def test_modules_of_the_existing_package_win_over_those_of_the_root(tree):
    tree({"site/lib/__init__.py": "", "site/lib/thing.py": "AT = 'lib'", "more/thing.py": "AT = 'more'"})
    sys.path.insert(0, "site")
    import lib

    loader_for(("more", "lib"))
    import lib.thing

    assert lib.thing.AT == "lib"


def test_a_package_that_is_imported_only_after_setup_is_found_and_extended(tree):
    tree({"site/lib/__init__.py": "VERSION = 1", "more/extra.py": "class Extra: pass"})
    sys.path.insert(0, "site")
    loader_for(("more", "lib"))
    import lib

    assert lib.VERSION == 1
    assert lib.Extra.__module__ == "lib.extra"


def test_a_subpackage_of_an_existing_package_can_be_the_namespace(tree):
    tree(
        {
            "site/lib/__init__.py": "VERSION = 1",
            "site/lib/sub/__init__.py": "LEVEL = 2",
            "more/extra.py": "class Extra: pass",
        }
    )
    sys.path.insert(0, "site")
    loader_for(("more", "lib.sub"))
    import lib.sub

    assert (lib.VERSION, lib.sub.LEVEL) == (1, 2)
    assert lib.sub.Extra.__module__ == "lib.sub.extra"


def test_a_new_namespace_below_an_existing_package(tree):
    tree({"site/lib/__init__.py": "VERSION = 1", "more/extra.py": "class Extra: pass"})
    sys.path.insert(0, "site")
    import lib

    loader_for(("more", "lib.plugins"))
    assert lib.plugins.Extra.__module__ == "lib.plugins.extra"
    assert lib.VERSION == 1


def test_unregister_leaves_the_existing_package_as_it_was(tree):
    tree({"site/lib/__init__.py": "", "more/extra.py": "class Extra: pass"})
    sys.path.insert(0, "site")
    import lib

    before, path = dict(vars(lib)), list(lib.__path__)
    loader = loader_for(("more", "lib"))
    loader.unregister()

    assert list(lib.__path__) == path
    assert vars(lib).keys() == before.keys()
    assert not hasattr(lib, "Extra")


def test_two_loaders_live_side_by_side(tree):
    tree({"one/user.py": "from two import Guest\nclass User: guest = Guest", "two/guest.py": "class Guest: pass"})
    first, second = AutoLoader("one").setup(), AutoLoader("two").setup()
    import one

    assert one.User.guest.__module__ == "two.guest"
    assert first.loaded() == ["one", "one.user"] or "one.user" in first.loaded()
    assert second.loaded() == ["two", "two.guest"]


def test_two_loaders_may_extend_one_namespace(tree):
    tree({"one/user.py": "class User: pass", "two/guest.py": "class Guest: pass"})
    AutoLoader("one", "app").setup()
    AutoLoader("two", "app.more").setup()
    import app

    assert app.User.__module__ == "app.user"
    assert app.more.Guest.__module__ == "app.more.guest"


def test_two_loaders_for_one_namespace_merge_and_the_first_wins(tree):
    tree(
        {
            "one/user.py": "class User: at = 1",
            "two/user.py": "class User: at = 2",
            "two/guest.py": "class Guest: at = 2",
        }
    )
    AutoLoader("one", "app").setup()
    AutoLoader("two", "app").setup()
    import app

    assert app.User.at == 1
    assert app.Guest.at == 2


def test_two_loaders_for_one_namespace_reload_each_its_own(tree):
    root = tree({"one/user.py": "class User: ...", "two/guest.py": "class Guest: ..."})
    first, second = AutoLoader("one", "app").setup(), AutoLoader("two", "app").setup()
    first.enable_reloading(watch=False)
    second.enable_reloading(watch=False)
    import app

    assert app.User
    assert app.Guest  # complete now: both loaders have taken their hooks out
    (root / "one/user.py").write_text("class Member: ...\n")
    first.reload()
    with pytest.raises(ExpectedNameError, match="Member"):
        _ = app.User
    (root / "one/user.py").write_text("class User: ...\n")
    first.reload()
    assert app.User.__module__ == "app.user"


def test_unregister_leaves_other_loaders_untouched(tree):
    tree({"one/user.py": "class User: pass", "two/guest.py": "class Guest: pass"})
    first, second = AutoLoader("one").setup(), AutoLoader("two").setup()
    first.unregister()
    import two

    assert two.Guest.__module__ == "two.guest"
    assert second.is_set_up
    with pytest.raises(ImportError):
        importlib.import_module("one.user")


def test_an_unregistered_loader_can_be_set_up_again(tree):
    tree({"app/user.py": "class User: pass"})
    loader = AutoLoader("app").setup()
    loader.unregister()
    loader.setup()
    import app

    assert app.User.__module__ == "app.user"


def test_a_directory_of_a_top_level_root_extends_a_package_that_exists_already(tree):
    tree({"site/lib/__init__.py": "OWN = 1", "site/lib/a.py": "AT = 'site'", "src/lib/extra.py": "class Extra: pass"})
    sys.path.insert(0, "site")
    import lib

    loader = AutoLoader("src", "").setup()
    import lib.a
    import lib.extra

    assert sys.modules["lib"] is lib
    assert lib.Extra is lib.extra.Extra
    assert (lib.OWN, lib.a.AT) == (1, "site")
    assert loader.eager_load() == []


def test_collapsing_after_setup_shows_at_the_top_level_too(tree):
    tree({"src/group/lonely_star.py": "class LonelyStar: pass"})
    loader = AutoLoader("src", "").setup()
    loader.collapse("group")
    import lonely_star

    assert lonely_star.LonelyStar


def test_collapsing_after_setup_shows_in_a_namespace_that_is_complete(tree):
    tree({"app/x.py": "class X: pass", "app/group/y.py": "class Y: pass", "app/group/z.py": "class Z: pass"})
    loader = AutoLoader("app").setup()
    loader.eager_load()
    loader.collapse("group")
    import app

    assert app.Y.__module__ == "app.y"
    assert app.Z.__module__ == "app.z"


def three_loaders() -> list[AutoLoader]:
    return [AutoLoader(name, "app").setup() for name in ("one", "two", "three")]


def test_loaders_that_share_a_namespace_show_all_of_it(tree):
    root = tree({"one/a.py": "class A: pass", "two/b.py": "class B: pass", "three/sub/c.py": "class C: pass"})
    three_loaders()
    import app

    assert {"A", "B", "a", "b", "sub"} <= set(dir(app))
    assert list(app.__path__) == [str(root / name) for name in ("one", "two", "three")]
    assert (app.B.__module__, app.sub.C.__module__, app.A.__module__) == ("app.b", "app.sub.c", "app.a")
    names: dict[str, object] = {}
    exec("from app import *", names)
    assert {"A", "B"} <= names.keys()


def test_a_loader_that_comes_later_adds_to_a_namespace_that_is_in_use(tree):
    tree({"one/a.py": "class A: ...", "one/sub/x.py": "class X: ...", "two/sub/y.py": "class Y: ..."})
    tree({"two/b.py": "class B: ..."})
    first = AutoLoader("one", "app").setup()
    first.eager_load()
    import app

    second = AutoLoader("two", "app").setup()
    assert app.B.__module__ == "app.b"
    assert app.sub.Y.__module__ == "app.sub.y"
    assert {"Y", "X"} <= set(dir(app.sub))
    assert second.loaded() == ["app.b", "app.sub.y"]


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_one_of_the_loaders_that_share_a_namespace_may_be_unregistered(tree, gone):
    tree({"one/a.py": "class A: pass", "two/b.py": "class B: pass", "three/c.py": "class C: pass"})
    all_three = three_loaders()
    import app

    assert not hasattr(app, "Nope")
    all_three[gone].unregister()
    left = [name for index, name in enumerate("ABC") if index != gone]
    assert [getattr(app, name).__name__ for name in left] == left
    assert not hasattr(app, "ABC"[gone])


def test_a_loader_with_code_for_the_shared_namespace_provides_the_package(tree):
    tree({"one/a.py": "class A: pass", "two/__init__.py": "CODE = True", "two/b.py": "class B: pass"})
    AutoLoader("one", "app").setup()
    AutoLoader("two", "app").setup()
    import app

    assert app.CODE
    assert app.A
    assert app.B


def test_each_of_the_loaders_that_share_a_namespace_eager_loads_its_own(tree):
    tree({"one/a.py": "", "one/both.py": "AT = 1", "two/b.py": "", "two/both.py": "1/0"})
    first, second = AutoLoader("one", "app").setup(), AutoLoader("two", "app").setup()

    assert second.eager_load() == ["app.b"]
    assert "app.a" in first.eager_load()
    assert sys.modules["app.both"].AT == 1


def test_each_of_the_loaders_that_share_a_namespace_unloads_its_own(tree):
    tree({"one/a.py": "class A: pass", "two/b.py": "class B: pass"})
    first, second = AutoLoader("one", "app").setup(), AutoLoader("two", "app").setup()
    import app

    a, b = app.A, app.B
    second.unload()
    assert app.A is a
    assert app.B is not b
    first.unload()
    assert app.A is not a
    import app as again

    assert again.A is not a
    assert again.B.__module__ == "app.b"


def test_a_collapsed_directory_of_one_loader_is_no_obstacle_for_another(tree):
    tree({"one/more/a.py": "class A: pass", "two/b.py": "class B: pass"})
    AutoLoader("one", "app").collapse("more").setup()
    AutoLoader("two", "app.more").setup()
    import app

    assert app.A.__module__ == "app.a"
    assert app.more.B.__module__ == "app.more.b"


def test_portions_on_the_search_path_stay_part_of_a_namespace(tree):
    root = tree({"site/lib/a.py": "class A: pass", "more/b.py": "class B: pass"})
    sys.path.insert(0, str(root / "site"))
    AutoLoader("more", "lib").setup()
    import lib
    import lib.a

    assert lib.b.B
    sys.path.append(str(root))  # lets Python work out the path of each namespace again
    assert set(lib.__path__) == {str(root / "more"), str(root / "site" / "lib")}
