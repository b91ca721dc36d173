"""Circular imports: what Python tolerates is not an error, what it does not is explained with files and lines."""

from __future__ import annotations

import os
import sys

import pytest

from pyautoload import AutoLoader, CircularDependencyError, EagerLoadError


def cycle_of(statement):
    with pytest.raises(CircularDependencyError) as caught:
        exec(statement, {})
    return caught.value


def shown(error):
    """The cycle as ``[("app.a", "a.py", 1), ...]``."""
    return [(step.module, os.path.basename(step.file), step.line) for step in error.cycle]


def ring(count, line):
    """Modules m1 → m2 → ... → m1, each with ``line`` (in which {n} is the next one) as its second line."""
    return {
        f"app/m{i}.py": f'"""Module {i}."""\n' + line.format(n=i % count + 1) + f"\n\nclass M{i}: ...\n"
        for i in range(1, count + 1)
    }


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(
    "line",
    [
        "from app.m{n} import M{n}",
        "from .m{n} import M{n}",
        "import app.m{n}; app.m{n}.M{n}",
        "import app.m{n} as other; other.M{n}",
        "from app import m{n}; m{n}.M{n}",
        "import app; app.M{n}",
        "from app import M{n}",
        "import app\nclass Sub(app.M{n}): ...",
        "def call():\n    from app.m{n} import M{n}\n\ncall()",
        "import importlib; importlib.import_module('app.m{n}').M{n}",
    ],
)
@pytest.mark.parametrize("first", ["import app.m1", "import app; app.M1", "from app import M1"])
def test_a_ring_of_modules_is_shown_with_the_line_of_each_import(autoload, count, line, first):
    autoload(ring(count, line))

    error = cycle_of(first)

    at = {"def call()": 3, "import app\nclass": 3}.get(line[:16] if "\nclass" in line else line[:10], 2)
    assert [(module, file) for module, file, _ in shown(error)] == [
        (f"app.m{i}", f"m{i}.py") for i in range(1, count + 1)
    ]
    assert {number for *_, number in shown(error)} == {at}
    arrows = " → ".join([f"app.m{i}" for i in range(1, count + 1)] + ["app.m1"])
    assert arrows in str(error)
    assert f"m1.py:{at}" in str(error)
    assert "partially initialized" not in str(error)


def test_the_message_has_the_cycle_the_wanted_name_and_the_remedies(autoload):
    autoload({"app/a.py": "\nfrom app.b import B\nclass A: ...\n", "app/b.py": "from app.a import A\nclass B: ...\n"})

    error = cycle_of("import app.a")

    base = os.path.abspath("app")
    assert str(error).splitlines() == [
        "circular dependency: app.a → app.b → app.a",
        f"  app.a imports app.b at {base}/a.py:2",
        f"  app.b imports app.a at {base}/b.py:1",
        "  app.a.A is needed while app.a is still being imported",
        "To break it: import inside the function that needs the name, use the name through its namespace "
        "(`import pkg` and `pkg.Name` at the time of use), or move what both need into a third file.",
    ]
    assert isinstance(error, ImportError)
    assert isinstance(error.__cause__, ImportError)


def test_the_same_cycle_tells_the_same_from_wherever_it_is_entered(autoload):
    autoload({"app/start.py": "import app.a\n", **{f"app/{k}": v for k, v in CYCLE.items()}})
    error = cycle_of("import app.start")
    assert [module for module, *_ in shown(error)] == ["app.a", "app.b"]


CYCLE = {"a.py": "from app.b import B\nclass A: ...\n", "b.py": "from app.a import A\nclass B: ...\n"}


def test_after_a_cycle_nothing_is_left_and_the_next_try_tells_the_same(autoload):
    autoload({f"app/{k}": v for k, v in CYCLE.items()})
    first = cycle_of("import app.a")
    assert not {"app.a", "app.b"} & set(sys.modules)
    assert str(cycle_of("import app.a")) == str(first)


@pytest.mark.changes
def test_a_cycle_that_was_mended_loads(autoload, tree):
    autoload({f"app/{k}": v for k, v in CYCLE.items()})
    cycle_of("import app.a")
    tree({"app/b.py": "class B:\n    def a(self):\n        from app.a import A\n        return A\n"})
    import app

    assert app.B().a() is app.A


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("import app.b\nclass A: ...", "import app.a\nclass B: ..."),
        ("from app import b\nclass A: ...", "from app import a\nclass B: ..."),
        ("from . import b\nclass A: ...", "from . import a\nclass B: ..."),
        ("class A: ...\nfrom app.b import B", "from app.a import A\nclass B(A): ..."),
        ("import app\nclass A: ...\napp.B", "import app\nclass B(app.A): ..."),
        ("import app\nclass A:\n    def b(self): return app.B", "import app\nclass B:\n    def a(self): return app.A"),
        ("import app.b as other\nclass A: ...", "import app.a as other\nclass B: ..."),
        (
            "try:\n    from app.b import B\nexcept ImportError:\n    B = None\nclass A: ...",
            "from app.a import A\nclass B: ...",
        ),
        (
            "import app\nok = hasattr(app.b, 'nothing')\nclass A: ...",
            "import app\nok = hasattr(app.a, 'nothing')\nclass B: ...",
        ),
        (
            "import app\nok = getattr(app.b, 'B', 1)\nclass A: ...",
            "import app\nok = getattr(app.a, 'A', 1)\nclass B: ...",
        ),
    ],
)
@pytest.mark.parametrize("first", ["import app.a", "import app; app.A", "from app import a"])
def test_what_python_tolerates_is_no_error(autoload, a, b, first):
    autoload({"app/a.py": a, "app/b.py": b})
    exec(first, {})
    import app

    assert (app.A.__module__, app.B.__module__) == ("app.a", "app.b")
    assert sys.modules["app.a"].B is None if "B = None" in a else True


def test_a_cycle_through_packages(autoload):
    autoload(
        {
            "app/shop/__init__.py": "from app.user.account import Account\nclass Shop: ...\n",
            "app/user/__init__.py": "",
            "app/user/account.py": "\n\nfrom app.shop import Shop\nclass Account: ...\n",
        }
    )
    error = cycle_of("import app.shop")
    assert shown(error) == [("app.shop", "__init__.py", 1), ("app.user.account", "account.py", 3)]


def test_a_cycle_through_explicit_and_implicit_namespaces_by_attribute(autoload):
    autoload(
        {
            "app/models/user.py": "import app\nclass User:\n    post = app.models.Post\n",
            "app/models/post.py": "import app\nclass Post(app.services.Mailer): ...\n",
            "app/services/__init__.py": "",
            "app/services/mailer.py": "import app\n\nclass Mailer:\n    to = app.models.User\n",
        }
    )
    error = cycle_of("import app; app.models.User")
    assert shown(error) == [
        ("app.models.user", "user.py", 3),
        ("app.models.post", "post.py", 2),
        ("app.services.mailer", "mailer.py", 4),
    ]


@pytest.mark.lazy
def test_a_cycle_through_functions_called_at_import_time_names_the_line_of_the_import(autoload):
    autoload(
        {
            "app/a.py": "from app.tools import fetch\n\nvalue = fetch()\nclass A: ...\n",
            "app/tools.py": "def fetch():\n    return inner()\n\ndef inner():\n    import app.b\n    return app.b\n",
            "app/b.py": "from app.a import A\n",
        }
    )
    error = cycle_of("import app.a")
    assert shown(error) == [("app.a", "tools.py", 5), ("app.b", "b.py", 1)]


def test_a_module_that_needs_its_own_name_too_early(autoload):
    autoload({"app/a.py": "import app\n\nclass A:\n    other = app.A\n"})
    assert shown(cycle_of("import app.a")) == [("app.a", "a.py", 4)]


def test_a_package_that_needs_its_own_name_too_early(autoload):
    autoload(
        {
            "app/shop/__init__.py": "from app.shop.cart import Cart\nprice = 1\n",
            "app/shop/cart.py": "from app.shop import price\n",
        }
    )
    assert shown(cycle_of("import app.shop")) == [("app.shop", "__init__.py", 1), ("app.shop.cart", "cart.py", 1)]


def test_a_star_import_of_an_unfinished_module_is_tolerated_as_in_python(autoload):
    autoload({"app/a.py": "from app.b import *\nclass A: ...\n", "app/b.py": "from app.a import *\nclass B: ...\n"})
    import app

    assert app.A
    assert sys.modules["app.a"].B is app.B


def test_an_eager_load_reports_the_cycle_once_for_each_module_in_it(autoload):
    loader = autoload({f"app/{k}": v for k, v in CYCLE.items()} | {"app/c.py": "class C: ...\n"})
    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()
    assert {name: type(error) for name, error in caught.value.failures.items()} == {
        "app.a": CircularDependencyError,
        "app.b": CircularDependencyError,
    }
    assert shown(caught.value.failures["app.b"])[0] == ("app.b", "b.py", 1)
    assert "app.c" in sys.modules


def test_a_cycle_among_unmanaged_modules_stays_pythons_error(autoload, tree, monkeypatch):
    tree(
        {
            "lib/one.py": "from lib.two import Two\nclass One: ...",
            "lib/two.py": "from lib.one import One\nclass Two: ...",
            "lib/__init__.py": "",
        }
    )
    autoload({"app/user.py": "import lib.one\nclass User: ..."})
    monkeypatch.syspath_prepend(os.getcwd())

    with pytest.raises(ImportError, match="partially initialized") as caught:
        exec("import app.user")
    assert not isinstance(caught.value, CircularDependencyError)


def test_a_cycle_that_leads_through_an_unmanaged_module_names_its_line(autoload, tree, monkeypatch):
    tree({"lib.py": "\n\nfrom app.a import A\n"})
    autoload({"app/a.py": "import lib\nclass A: ...\n"})
    monkeypatch.syspath_prepend(os.getcwd())
    with pytest.raises(ImportError) as caught:
        exec("import app.a")
    assert isinstance(caught.value, CircularDependencyError)
    assert shown(caught.value) == [("app.a", "a.py", 1), ("lib", "lib.py", 3)]


def test_a_cycle_between_two_loaders_is_shown_whole(tree):
    root = tree(
        {
            "one/a.py": "from two.b import B\nclass A: ...\n",
            "two/b.py": "from one.a import A\nclass B: ...\n",
        }
    )
    AutoLoader(root / "one").setup()
    AutoLoader(root / "two").setup()
    assert shown(cycle_of("import one.a")) == [("one.a", "a.py", 1), ("two.b", "b.py", 1)]


def test_a_name_that_is_simply_missing_is_no_cycle(autoload):
    autoload({"app/a.py": "from app.b import Missing\n", "app/b.py": "import app.a\nclass B: ...\n"})
    with pytest.raises(ImportError, match="cannot import name 'Missing'") as caught:
        exec("import app.a")
    assert not isinstance(caught.value, CircularDependencyError)


@pytest.mark.lazy
def test_an_attribute_error_of_another_kind_is_no_cycle(autoload):
    autoload({"app/a.py": "import app.b\nclass A: ...\n", "app/b.py": "import app.a\n[].wrong\nclass B: ...\n"})
    with pytest.raises(AttributeError, match="wrong"):
        exec("import app.a")


def test_hasattr_on_an_unfinished_name_raises_and_does_not_say_no(autoload):
    autoload({"app/a.py": "import app\nok = hasattr(app, 'A')\nclass A: ...\n"})
    assert shown(cycle_of("import app.a")) == [("app.a", "a.py", 2)]


def test_the_standard_import_error_is_the_cause(autoload):
    autoload({f"app/{k}": v for k, v in CYCLE.items()})
    error = cycle_of("import app.a")
    assert "cannot import name 'A'" in str(error.__cause__)
    assert "app.a.A is needed" in str(error)
