"""Eager loading: everything managed, in sorted order, parents first, every failure at once."""

from __future__ import annotations

import gc
import pickle
import sys

import pytest

import pyautoload
from pyautoload import (
    AutoLoader,
    EagerLoadError,
    ExpectedNameError,
    NameInflectionError,
    SetupRequired,
)

# After an eager load there is nothing left to load.
pytestmark = pytest.mark.lazy

MODULES = {
    "app/user.py": "class User: pass",
    "app/admin/role.py": "class Role: pass",
    "app/admin/deep/down.py": "class Down: pass",
    "app/hotel.py": "class Hotel: pass",
    "app/hotel/pricing.py": "class Pricing: pass",
    "app/booking/__init__.py": "LEVEL = 1",
    "app/booking/price.py": "class Price: pass",
}
ORDER = [
    "app",
    "app.admin",
    "app.admin.deep",
    "app.admin.deep.down",
    "app.admin.role",
    "app.booking",
    "app.booking.price",
    "app.hotel",
    "app.hotel.pricing",
    "app.user",
]


def test_everything_is_loaded_in_sorted_order_parents_first(autoload):
    loader = autoload(MODULES)

    assert loader.eager_load() == ORDER
    assert loader.loaded() == ORDER
    assert all(name in sys.modules for name in ORDER)


def test_names_are_bound_on_their_namespaces(autoload):
    autoload(MODULES).eager_load()
    import app

    assert vars(app)["User"] is sys.modules["app.user"].User
    assert vars(app)["admin"] is sys.modules["app.admin"]
    assert vars(app.admin)["Role"] is vars(sys.modules["app.admin.role"])["Role"]
    assert vars(app.hotel)["Pricing"]


def test_names_are_bound_where_modules_import_each_other(autoload):
    autoload({"app/a.py": "from app.b import B\nclass A: pass", "app/b.py": "class B: pass"}).eager_load()
    import app

    assert vars(app)["A"].__module__ == "app.a"
    assert vars(app)["B"] is app.a.B


def test_a_second_eager_load_loads_nothing(autoload):
    loader = autoload(MODULES)
    loader.eager_load()

    assert loader.eager_load() == []


@pytest.mark.changes
def test_a_second_eager_load_loads_what_is_new(autoload, tree):
    loader = autoload({"app/user.py": ""})
    loader.eager_load()
    tree({"app/guest.py": "", "app/admin/role.py": ""})

    assert loader.eager_load() == ["app.admin", "app.admin.role", "app.guest"]


def test_what_was_loaded_before_is_not_loaded_again(autoload):
    loader = autoload({"app/user.py": "class User: pass", "app/guest.py": ""})
    import app

    first = app.User
    assert loader.eager_load() in (["app.guest"], [])
    assert app.User is first


def test_it_needs_setup(tree):
    tree({"app/user.py": ""})
    loader = AutoLoader("app")

    with pytest.raises(SetupRequired, match="setup"):
        loader.eager_load()
    with pytest.raises(SetupRequired, match="setup"):
        loader.eager_load_dir("app")
    with pytest.raises(SetupRequired, match="setup"):
        loader.eager_load_namespace("app")


def test_a_top_level_root(tree):
    tree({"src/lonely_star.py": "", "src/galaxy/milky.py": ""})
    loader = AutoLoader("src", "").setup()

    assert loader.eager_load() == ["galaxy", "galaxy.milky", "lonely_star"]


def test_several_roots(tree):
    tree({"b/x.py": "", "a/y.py": "", "c/z.py": "", "d/b_part.py": ""})
    loader = AutoLoader("b").push_dir("a").push_dir("c", "a.c").push_dir("d", "b").setup()

    assert loader.eager_load() == ["a", "a.c", "a.c.z", "a.y", "b", "b.b_part", "b.x"]


def test_a_root_and_a_top_level_root(tree):
    tree({"src/lonely_star.py": "", "lib/x.py": ""})
    loader = AutoLoader("src", "").push_dir("lib").setup()

    assert loader.eager_load() == ["lib", "lib.x", "lonely_star"]


def test_a_package_that_exists_already_is_not_loaded_but_what_lies_below_is(tree):
    tree({"site/lib/__init__.py": "", "site/lib/own.py": "1/0", "more/extra.py": ""})
    sys.path.insert(0, "site")
    import lib  # noqa: F401

    loader = AutoLoader("more", "lib").setup()
    assert loader.eager_load() == ["lib.extra"]


def test_it_goes_on_after_a_failure_and_reports_all(autoload):
    loader = autoload(
        {
            "app/a.py": "1/0",
            "app/b.py": "X = 1",
            "app/c.py": "import nowhere_at_all",
            "app/d.py": "def (",
            "app/e.py": "",
        }
    )

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    failures = caught.value.failures
    assert {name: type(error).__name__ for name, error in failures.items()} == {
        "app.a": "ZeroDivisionError",
        "app.c": "ModuleNotFoundError",
        "app.d": "SyntaxError",
    }
    assert caught.value.loaded == ["app", "app.b", "app.e"]
    assert "app.a: ZeroDivisionError" in str(caught.value)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
def test_the_error_is_an_exception_group(autoload):
    loader = autoload({"app/a.py": "1/0", "app/b.py": "int('x')"})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    error = caught.value
    assert isinstance(error, ExceptionGroup)  # noqa: F821
    assert [type(part) for part in error.exceptions] == [ZeroDivisionError, ValueError]
    matched, rest = error.split(ZeroDivisionError)
    assert len(matched.exceptions) == len(rest.exceptions) == 1


def test_the_error_can_be_pickled(autoload):
    import pickle

    loader = autoload({"app/a.py": "1/0"})
    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()

    assert pickle.loads(pickle.dumps(caught.value)).failures.keys() == {"app.a"}


@pytest.mark.changes
def test_after_a_failure_the_rest_can_be_loaded(autoload, tree):
    loader = autoload({"app/a.py": "1/0", "app/b.py": ""})
    with pytest.raises(EagerLoadError):
        loader.eager_load()
    tree({"app/a.py": "VALUE = 'this file is longer now'"})

    assert loader.eager_load() == ["app.a"]


def test_what_lies_below_a_failed_package_is_not_tried(autoload):
    loader = autoload({"app/pkg/__init__.py": "1/0", "app/pkg/x.py": "", "app/pkgs.py": ""})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    assert list(caught.value.failures) == ["app.pkg"]
    assert "app.pkgs" in caught.value.loaded


def test_interrupts_and_exits_are_not_failures(autoload):
    loader = autoload({"app/a.py": "raise KeyboardInterrupt", "app/b.py": ""})

    with pytest.raises(KeyboardInterrupt):
        loader.eager_load()


# What a file may do at import time, the line where it does, and what the report says of it.
DISASTERS = {
    "exit": ("import sys\nsys.exit(0)", 2, "LoadError: loading app.bad", "SystemExit: 0"),
    "exit in a function": ("import sys\ndef f():\n    sys.exit('no')\nf()", 3, "SystemExit: no", ""),
    "recursion": ("def f():\n    return f()\nf()", 2, "RecursionError", ""),
    "memory": ("\n\nraise MemoryError", 3, "MemoryError", ""),
    "one of its own": ("class Stop(BaseException): ...\nraise Stop('all')", 2, "Stop: all", ""),
    "cancelled": ("import asyncio\nraise asyncio.CancelledError", 2, "CancelledError", ""),
    "generator": ("raise GeneratorExit", 1, "GeneratorExit", ""),
    "no text": ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", 3, "E: (its text cannot be", "Zero"),
    "text that exits": ("class E(Exception):\n    def __str__(self): raise SystemExit\nraise E", 3, "E: (its text", ""),
    "text that is none": ("class E(Exception):\n    def __str__(self): return 5\nraise E", 3, "TypeError", ""),
    "syntax": ("x = 1\ny = (", 2, "SyntaxError", ""),
    "nesting": ("x = " + "+".join("1" * 50_000), None, "RecursionError", ""),
    "control characters": ("raise OSError('clear \\x1b[2J \\ud800')", 1, r"clear \x1b[2J \ud800", ""),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("kind", DISASTERS)
def test_what_one_file_does_stops_nothing_else_and_is_told_with_its_line(autoload, kind, strict):
    text, line, *told = DISASTERS[kind]
    loader = autoload({"app/a.py": "class A: ...", "app/bad.py": text, "app/z.py": "class Z: ..."})

    try:
        with pytest.raises(EagerLoadError) as caught:
            loader.eager_load(strict=strict)
    except pytest.fail.Exception:
        assert kind == "nesting"  # some versions compile that
        return
    file = str(loader.where("app.bad"))
    assert list(caught.value.failures) == ["app.bad"]
    assert caught.value.places["app.bad"] == (file, line)
    assert caught.value.loaded == ["app", "app.a", "app.z"]
    for part in told:
        assert part in str(caught.value)
    assert f"{file}:{line}" in str(caught.value) or line is None
    assert str(pickle.loads(pickle.dumps(EagerLoadError({"x": OSError()}, {"x": (file, 1)})))).count(file) == 1


def test_the_line_of_a_failure_is_the_innermost_one_in_managed_files(autoload):
    loader = autoload({"app/a.py": "\nimport app.b", "app/b.py": "\n\nimport json\njson.loads('{')"})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    file = str(loader.where("app.b"))
    assert caught.value.places == {"app.a": (file, 4), "app.b": (file, 4)}


@pytest.mark.plain
def test_a_conflict_in_one_namespace_is_one_failure(autoload):
    loader = autoload({"app/deep/x/hotel.py": "", "app/deep/x/hotel/__init__.py": "", "app/user.py": ""})

    with pytest.raises(EagerLoadError, match="hotel") as caught:
        loader.eager_load()
    assert {name: type(error) for name, error in caught.value.failures.items()} == {
        "app.deep.x": pyautoload.ConflictError
    }
    assert "app.user" in caught.value.loaded


def test_a_stem_that_is_no_name_is_a_failure(autoload):
    loader = autoload({"app/my-file.py": "", "app/a.b.py": "", "app/class.py": "", "app/user.py": "class User: ..."})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load(strict=True)
    assert {type(error) for error in caught.value.failures.values()} == {NameInflectionError}
    assert set(caught.value.failures) == {"app.my-file", "app.a.b", "app.class"}
    assert "app.user" in loader.loaded()


def test_a_stem_that_is_no_identifier_is_a_failure_without_strict_too(autoload):
    loader = autoload({"app/my-file.py": "1/0", "app/a.b.py": "1/0", "app/my-dir/x.py": "1/0"})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    assert {type(error) for error in caught.value.failures.values()} == {NameInflectionError}
    assert set(caught.value.failures) == {"app.my-file", "app.a.b", "app.my-dir"}


def test_a_file_without_its_expected_name_is_no_failure(autoload):
    assert "app.helpers" in autoload({"app/helpers.py": "def slug(): ..."}).eager_load()


def test_strict_makes_it_one(autoload):
    loader = autoload({"app/helpers.py": "def slug(): ...", "app/user.py": "class User: pass", "app/empty.py": ""})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load(strict=True)
    assert {type(error) for error in caught.value.failures.values()} == {ExpectedNameError}
    assert set(caught.value.failures) == {"app.helpers", "app.empty"}
    assert "slug" in str(caught.value.failures["app.helpers"])


def test_strict_is_content_with_acronyms_rules_and_packages(autoload):
    loader = autoload(
        {
            "app/html_parser.py": "class HTMLParser: pass",
            "app/people.py": "class Person: pass",
            "app/admin/__init__.py": "",
            "app/admin/role.py": "class Role: pass",
            "app/hotel.py": "class Hotel: pass",
            "app/hotel/x.py": "class X: pass",
            "app/User.py": "class User: pass",
        },
        configure=lambda loader: loader.inflect({"people": "Person"}),
    )

    assert len(loader.eager_load(strict=True)) == 8


def test_strict_expects_a_name_of_the_file_beside_a_directory_too(autoload):
    loader = autoload({"app/hotel.py": "", "app/hotel/x.py": "class X: pass"})

    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load(strict=True)
    assert set(caught.value.failures) == {"app.hotel"}
    assert "app.hotel.x" in loader.loaded()


def test_strict_looks_also_at_what_is_loaded_already(autoload):
    loader = autoload({"app/helpers.py": ""})
    loader.eager_load()

    with pytest.raises(EagerLoadError):
        loader.eager_load(strict=True)


def test_what_is_excluded_is_not_eager_loaded(autoload):
    loader = autoload(
        {"app/user.py": "", "app/slow.py": "class Slow: pass", "app/tasks/x.py": "", "app/tasks/deep/y.py": ""},
        configure=lambda loader: loader.do_not_eager_load("slow.py", "tasks"),
    )

    assert loader.eager_load() == ["app", "app.user"]
    import app

    assert app.Slow


def test_force_loads_what_is_excluded(autoload):
    loader = autoload(
        {"app/user.py": "", "app/slow.py": "", "app/tasks/x.py": "", "app/ignored.py": "1/0"},
        configure=lambda loader: loader.do_not_eager_load("slow.py", "tasks").ignore("ignored.py"),
    )
    assert loader.eager_load() == ["app", "app.user"]

    assert loader.eager_load(force=True) == ["app.slow", "app.tasks", "app.tasks.x"]


def test_an_excluded_root_is_not_eager_loaded(tree):
    tree({"app/user.py": "", "extra/x.py": ""})
    loader = AutoLoader("app").push_dir("extra").do_not_eager_load("extra").setup()

    assert loader.eager_load() == ["app", "app.user"]
    assert loader.eager_load(force=True) == ["extra", "extra.x"]


def test_an_excluded_branch_of_a_shared_namespace_does_not_stop_the_others(tree, tmp_path):
    tree({"one/admin/x.py": "", "two/admin/y.py": ""})
    loader = AutoLoader("one", "app").push_dir("two", "app").do_not_eager_load(tmp_path / "one" / "admin").setup()

    assert loader.eager_load() == ["app", "app.admin", "app.admin.y"]


def test_an_excluded_init_file_is_loaded_all_the_same_when_a_child_needs_it(autoload):
    loader = autoload(
        {"app/admin/__init__.py": "LEVEL = 1", "app/admin/role.py": ""},
        configure=lambda loader: loader.do_not_eager_load("admin/__init__.py"),
    )
    loader.eager_load()

    assert sys.modules["app.admin"].LEVEL == 1
    assert "app.admin.role" in loader.loaded()


def test_progress_is_told_after_each_module(autoload):
    loader = autoload({"app/a.py": "1/0", "app/b.py": ""})
    seen: list[tuple[int, int, str]] = []

    with pytest.raises(EagerLoadError):
        loader.eager_load(progress=lambda *step: seen.append(step))
    assert seen == [(1, 3, "app"), (2, 3, "app.a"), (3, 3, "app.b")]


def test_freezing_leaves_the_collector_as_it_was(autoload):
    loader = autoload({"app/user.py": ""})
    assert gc.isenabled()
    try:
        loader.eager_load(freeze=True)
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_the_collector_runs_again_after_a_failure(autoload):
    loader = autoload({"app/user.py": "1/0"})
    with pytest.raises(EagerLoadError):
        loader.eager_load()

    assert gc.isenabled()


def test_a_file_may_eager_load_while_it_is_loaded(autoload):
    loader = autoload(
        {"app/a.py": "import builtins\nbuiltins.test_loader.eager_load_namespace('app.sub')", "app/sub/x.py": ""}
    )
    import builtins

    builtins.test_loader = loader
    try:
        loader.eager_load()
    finally:
        del builtins.test_loader
    assert {"app.a", "app.sub.x"} <= set(loader.loaded())


def test_shadowed_files_are_not_loaded(tree):
    tree({"one/user.py": "AT = 1", "two/user.py": "1/0", "two/guest.py": ""})
    loader = AutoLoader("one", "app").push_dir("two", "app").setup()

    assert loader.eager_load() == ["app", "app.guest", "app.user"]


def test_hand_removed_modules_are_loaded_again(autoload):
    loader = autoload({"app/user.py": "class User: pass"})
    loader.eager_load()
    del sys.modules["app.user"]
    loader.eager_load()

    assert "app.user" in sys.modules


def test_all_loaders_at_once(tree):
    tree({"one/x.py": "", "two/y.py": "", "three/z.py": "1/0"})
    AutoLoader("one").setup()
    AutoLoader("two").setup()
    AutoLoader("three")

    assert pyautoload.eager_load_all() == ["one", "one.x", "two", "two.y"]


def test_all_loaders_at_once_with_failures_in_several(tree):
    tree({"one/x.py": "1/0", "two/y.py": "int('x')", "two/z.py": ""})
    AutoLoader("one").setup()
    AutoLoader("two").setup()

    with pytest.raises(EagerLoadError) as caught:
        pyautoload.eager_load_all()
    assert set(caught.value.failures) == {"one.x", "two.y"}
    assert set(caught.value.loaded) == {"one", "two", "two.z"}


def test_loaders_that_need_each_other(tree):
    tree({"one/x.py": "import two.y", "two/y.py": "import one.z", "one/z.py": ""})
    first, second = AutoLoader("one").setup(), AutoLoader("two").setup()
    pyautoload.eager_load_all()

    assert set(first.loaded()) == {"one", "one.x", "one.z"}
    assert set(second.loaded()) == {"two", "two.y"}


def test_files_that_import_each_other_are_loaded_once(autoload):
    loader = autoload(
        {
            "app/a.py": "import builtins\nbuiltins.runs.append('a')\nimport app.c",
            "app/b.py": "import builtins\nbuiltins.runs.append('b')\nfrom app.c import C",
            "app/c.py": "import builtins\nbuiltins.runs.append('c')\nclass C: pass",
        }
    )
    import builtins

    builtins.runs = runs = []
    try:
        loader.eager_load()
    finally:
        del builtins.runs
    assert runs == ["a", "c", "b"]


@pytest.mark.parametrize("entry", ["base", "left", "right", "leaf"])
def test_class_hierarchies_load_from_any_entry(autoload, entry):
    loader = autoload(
        {
            "app/base.py": "class Base: pass\nimport app.left, app.right",
            "app/left.py": "from app.base import Base\nclass Left(Base): pass\nimport app.leaf",
            "app/right.py": "from app.base import Base\nclass Right(Base): pass",
            "app/leaf.py": "from app.left import Left\nclass Leaf(Left): pass",
        }
    )
    import importlib

    importlib.import_module(f"app.{entry}")
    assert {"app.base", "app.left", "app.right", "app.leaf"} <= set(loader.loaded())
