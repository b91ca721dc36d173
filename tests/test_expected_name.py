"""What is answered about paths and names without running any file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyautoload import AutoLoader, NameInflectionError, SetupError

FILES = {
    "app/user.py": "raise RuntimeError('was run')",
    "app/admin/role.py": "1/0",
    "app/hotel.py": "1/0",
    "app/hotel/pricing.py": "1/0",
    "app/booking/__init__.py": "1/0",
    "app/booking/price.py": "1/0",
    "app/group/member.py": "1/0",
    "app/ignored.py": "1/0",
    "app/vendor/lib/x.py": "1/0",
    "app/.hidden/x.py": "1/0",
    "app/.secret.py": "1/0",
    "app/__pycache__/x.py": "1/0",
    "app/assets/style.css": "",
    "app/notes.txt": "",
    "app/__main__.py": "1/0",
    "elsewhere/x.py": "1/0",
}


@pytest.fixture(params=["before setup", "after setup"])
def loader(tree, request):
    tree(FILES)
    loader = AutoLoader("app").ignore("ignored.py", "vendor").collapse("group")
    return loader.setup() if request.param == "after setup" else loader


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app", "app"),
        ("app/user.py", "app.User"),
        ("app/admin", "app.admin"),
        ("app/admin/role.py", "app.admin.Role"),
        ("app/hotel.py", "app.Hotel"),
        ("app/hotel", "app.hotel"),
        ("app/hotel/pricing.py", "app.hotel.Pricing"),
        ("app/booking", "app.booking"),
        ("app/booking/price.py", "app.booking.Price"),
        ("app/booking/__init__.py", "app.Booking"),
        ("app/group", "app"),
        ("app/group/member.py", "app.Member"),
        ("app/__main__.py", "app.__main__"),
        ("app/ignored.py", None),
        ("app/vendor", None),
        ("app/vendor/lib", None),
        ("app/vendor/lib/x.py", None),
        ("app/.hidden", None),
        ("app/.hidden/x.py", None),
        ("app/.secret.py", None),
        ("app/__pycache__", None),
        ("app/__pycache__/x.py", None),
        ("app/assets", None),
        ("app/assets/style.css", None),
        ("app/notes.txt", None),
        ("elsewhere/x.py", None),
        ("elsewhere", None),
        (".", None),
    ],
)
def test_a_path_has_an_expected_name_or_none(loader, path, name):
    assert loader.expected_name(path) == name
    assert loader.expected_name(Path(path).resolve()) == name


def test_a_path_that_does_not_exist_is_an_error(loader):
    with pytest.raises(SetupError, match="does not exist"):
        loader.expected_name("app/nope.py")


def test_a_path_that_does_not_exist_outside_of_all_roots_is_an_error(loader):
    with pytest.raises(SetupError, match="does not exist"):
        loader.expected_name("elsewhere/nope.py")


def test_asking_runs_and_loads_nothing(loader):
    loader.expected_names()
    loader.where("app.User")

    assert loader.loaded() == []


def test_expected_names_has_everything_managed(loader, tmp_path):
    names = {
        os.path.relpath(path, tmp_path).replace(os.sep, "/"): name for path, name in loader.expected_names().items()
    }

    assert names == {
        "app": "app",
        "app/user.py": "app.User",
        "app/admin": "app.admin",
        "app/admin/role.py": "app.admin.Role",
        "app/hotel.py": "app.Hotel",
        "app/hotel": "app.hotel",
        "app/hotel/pricing.py": "app.hotel.Pricing",
        "app/booking": "app.booking",
        "app/booking/__init__.py": "app.Booking",
        "app/booking/price.py": "app.booking.Price",
        "app/group": "app",
        "app/group/member.py": "app.Member",
        "app/__main__.py": "app.__main__",
    }


def test_expected_names_agree_with_expected_name(loader):
    for path, name in loader.expected_names().items():
        assert loader.expected_name(path) == name
        assert loader.is_managed(path)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("app.User", "app/user.py"),
        ("app.user", "app/user.py"),
        ("app.admin.Role", "app/admin/role.py"),
        ("app.admin", "app/admin"),
        ("app.hotel", "app/hotel.py"),
        ("app.Hotel", "app/hotel.py"),
        ("app.hotel.Pricing", "app/hotel/pricing.py"),
        ("app.booking", "app/booking/__init__.py"),
        ("app.Booking", "app/booking/__init__.py"),
        ("app.Member", "app/group/member.py"),
        ("app", "app"),
        ("app.USER", "app/user.py"),
        ("app.group", None),
        ("app.assets", None),
        ("app.Ignored", None),
        ("app.ignored", None),
        ("app.vendor", None),
        ("app.nope", None),
        ("app.Nope", None),
        ("app.nope.deep", None),
        ("other", None),
        ("os.path", None),
        ("", None),
    ],
)
def test_where_is_the_file_of_a_name(loader, tmp_path, name, file):
    assert loader.where(name) == (file and os.path.join(str(tmp_path), *file.split("/")))


def test_is_managed_says_so_for_files_and_directories(loader):
    managed = [path for path in [*FILES, "app", "app/admin", "app/nope.py", "elsewhere"] if loader.is_managed(path)]

    assert set(managed) == {
        "app", "app/admin", "app/user.py", "app/admin/role.py", "app/hotel.py", "app/hotel/pricing.py",
        "app/booking/__init__.py", "app/booking/price.py", "app/group/member.py", "app/__main__.py",
    }  # fmt: skip


def test_a_top_level_root_has_no_name_of_its_own(tree):
    tree({"src/user.py": "", "src/admin/role.py": ""})
    loader = AutoLoader("src", "")

    assert loader.expected_name("src") == ""
    assert loader.expected_name("src/user.py") == "User"
    assert loader.expected_name("src/admin/role.py") == "admin.Role"
    assert loader.where("admin.Role").endswith("role.py")
    assert loader.where("User").endswith("user.py")


def test_the_init_file_of_a_root_has_the_name_of_its_package(tree):
    tree({"app/__init__.py": "", "app/user.py": ""})

    assert AutoLoader("app").expected_name("app/__init__.py") == "app"


def test_a_root_with_a_namespace_of_several_parts(tree):
    tree({"src/user.py": ""})
    loader = AutoLoader("src", "shop.core")

    assert loader.expected_name("src") == "shop.core"
    assert loader.expected_name("src/user.py") == "shop.core.User"


def test_the_innermost_root_decides(tree):
    tree({"app/inner/user.py": "", "app/x.py": ""})
    loader = AutoLoader("app").push_dir("app/inner", "other")

    assert loader.expected_name("app/inner/user.py") == "other.User"
    assert loader.expected_name("app/inner") == "other"


def test_a_file_in_an_ignored_root_has_no_name(tree):
    tree({"app/user.py": ""})
    loader = AutoLoader("app").ignore("app")

    assert loader.expected_name("app/user.py") is None
    assert loader.expected_names() == {}


@pytest.mark.parametrize("path", ["app/my-file.py", "app/class.py", "app/my-dir", "app/my-dir/x.py"])
def test_a_stem_that_cannot_be_a_name_is_an_error(tree, path):
    tree({"app/my-file.py": "", "app/class.py": "", "app/my-dir/x.py": ""})

    with pytest.raises(NameInflectionError):
        AutoLoader("app").expected_name(path)


def test_expected_names_reports_a_stem_that_cannot_be_a_name(tree):
    tree({"app/my-file.py": ""})

    with pytest.raises(NameInflectionError):
        AutoLoader("app").expected_names()


def test_shadowed_files_have_names_too(tree):
    root = tree({"one/user.py": "", "two/user.py": ""})
    loader = AutoLoader("one", "app").push_dir("two", "app")

    assert loader.expected_names()[str(root / "two/user.py")] == "app.User"


def test_asking_before_setup_does_not_settle_the_configuration(tree):
    tree({"app/vendor/x.py": "", "app/user.py": ""})
    loader = AutoLoader("app")
    assert loader.expected_name("app/vendor/x.py") == "app.vendor.X"
    loader.ignore("vendor")

    assert loader.expected_name("app/vendor/x.py") is None
    assert loader.setup().eager_load() == ["app", "app.user"]


def test_loaded_has_the_order_of_loading(autoload):
    loader = autoload({"app/b.py": "import app.c", "app/a.py": "import app.b", "app/c.py": ""})
    import app.a  # noqa: F401

    assert loader.loaded() == ["app", "app.c", "app.b", "app.a"]


def test_a_loaded_file_is_expected_to_define_what_was_found_in_it(tree):
    tree({"app/html_renderer.py": "class HTMLRenderer: ...", "app/user.py": "class User: ..."})
    loader = AutoLoader("app").setup()
    assert loader.expected_name("app/html_renderer.py") == "app.HtmlRenderer"
    loader.eager_load()
    assert loader.expected_name("app/html_renderer.py") == "app.HTMLRenderer"
    assert list(loader.expected_names().values()) == ["app", "app.HTMLRenderer", "app.User"]
    loader.unload()
    assert loader.expected_name("app/html_renderer.py") == "app.HtmlRenderer"
