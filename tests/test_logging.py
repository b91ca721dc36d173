"""What is told to the logger ``pyautoload``, and that nothing is formatted where nobody listens."""

from __future__ import annotations

import logging
import sys

import pytest

from pyautoload import AutoLoader


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="pyautoload")
    return caplog


def messages(log) -> str:
    return "\n".join(record.getMessage() for record in log.records)


FILES = {
    "app/user.py": "class User: pass",
    "app/admin/role.py": "class Role: pass",
    "app/hotel.py": "class Hotel: pass",
    "app/hotel/pricing.py": "class Pricing: pass",
}


def test_scanning_and_loading_are_told(tree, log):
    root = tree(FILES)
    AutoLoader("app").setup()
    import app

    assert app.User
    assert "scanned app" in messages(log)
    assert f"loaded app.user from {root / 'app' / 'user.py'}" in messages(log)


def test_autovivifying_is_told(tree, log):
    tree(FILES)
    AutoLoader("app").setup()
    import app

    assert app.admin.Role
    assert "autovivified app.admin" in messages(log)


def test_promotion_is_told(tree, log):
    tree(FILES)
    AutoLoader("app").setup()
    import app

    assert app.hotel.Pricing
    assert "promoted app.hotel" in messages(log)


def test_shadowing_is_told_with_both_paths(tree, log):
    root = tree({"one/user.py": "", "two/user.py": ""})
    AutoLoader("one", "app").push_dir("two", "app").setup()

    assert f"{root / 'two' / 'user.py'} is shadowed by {root / 'one' / 'user.py'}" in messages(log)


def test_shadowing_by_a_standard_module_is_told(tree, log):
    tree({"src/json.py": ""})
    AutoLoader("src", "").setup()

    assert "json.py is shadowed by the module 'json'" in messages(log)


def test_unloading_is_told(tree, log):
    tree(FILES)
    loader = AutoLoader("app").setup()
    loader.eager_load()
    log.clear()
    loader.unload()

    assert "unloaded app.user" in messages(log)


@pytest.mark.parametrize(
    ("configure", "path"),
    [
        (lambda loader: loader.ignore("user.py"), "user.py"),
        (lambda loader: loader.ignore("admin"), "admin"),
        (lambda loader: loader.collapse("admin"), "admin"),
        (lambda loader: loader, "assets"),
    ],
)
def test_what_is_skipped_is_told_with_the_reason(tree, log, configure, path):
    root = tree({**FILES, "app/assets/style.css": ""})
    loader = AutoLoader("app")
    configure(loader)
    loader.setup()
    import app

    assert not hasattr(app, "assets")
    told = [record.getMessage() for record in log.records if "skipped" in record.getMessage()]
    assert any(str(root / "app" / path) in line for line in told), messages(log)


def test_the_end_of_an_eager_load_is_told(tree, log):
    tree(FILES)
    AutoLoader("app").setup().eager_load()

    assert "eager load of 6 modules starts" in messages(log)
    assert "eager load ends" in messages(log)


def test_a_failed_load_is_told(tree, log):
    tree({"app/broken.py": "1/0"})
    AutoLoader("app").setup()
    import app

    with pytest.raises(ZeroDivisionError):
        app.broken  # noqa: B018
    assert any("app.broken" in record.getMessage() and "failed" in record.getMessage() for record in log.records)


def test_each_record_has_the_tag(tree, log):
    tree(FILES)
    AutoLoader("app", tag="shop").setup().eager_load()

    assert log.records
    assert {record.tag for record in log.records} == {"shop"}
    assert {record.name for record in log.records} == {"pyautoload"}
    assert {record.levelno for record in log.records} == {logging.DEBUG}
    assert all("shop" in record.getMessage() for record in log.records)


def test_the_tag_is_the_name_of_the_root_by_default(tree):
    tree({"app/": ""})

    assert AutoLoader("app").tag == "app"
    assert AutoLoader().tag != AutoLoader().tag or AutoLoader().tag


def test_a_tag_may_be_anything_that_can_be_shown(tree, log):
    tree(FILES)
    AutoLoader("app", tag="50% off %s").setup()

    assert "50% off %s" in messages(log)


def test_paths_with_percent_signs_are_told(tree, log):
    tree({"a%sp%d/user%s.py": "", "a%sp%d/ok.py": ""})
    AutoLoader("a%sp%d", "app").setup().eager_load_namespace("app.nothing")

    assert "scanned app" in messages(log)


def test_nothing_is_formatted_when_nobody_listens(tree, caplog):
    tree(FILES)

    class Fussy(str):
        def __format__(self, spec):
            raise AssertionError("formatted")

        def __str__(self):
            raise AssertionError("formatted")

    caplog.set_level(logging.INFO, logger="pyautoload")
    loader = AutoLoader("app", tag=Fussy("x")).setup()
    loader.eager_load()
    assert not caplog.records


def test_logging_is_not_imported_when_nobody_has_it(tree, python):
    tree(FILES)
    result = python(
        """
        import sys
        from pyautoload import AutoLoader
        AutoLoader("app").setup()
        import app
        app.User, app.admin.Role
        print("logging" in sys.modules)
        """
    )

    assert result.stdout.strip() == "False"


def test_the_records_say_where_they_come_from(tree, log):
    tree(FILES)
    AutoLoader("app").setup()

    assert all(record.filename != "log.py" for record in log.records)
    assert sys.modules["pyautoload.log"]
