"""Errors inside managed files reach the user: their type, their cause, their line, however the file was loaded."""

from __future__ import annotations

import copy
import importlib
import os
import pickle
import sys
import traceback
from pathlib import Path

import pytest

from pyautoload import EagerLoadError, errors
from pyautoload.errors import LoadError

BROKEN = {
    "KeyError": "def deep():\n    return {}['missing']\n\ndeep()\n",
    "ValueError": "raise ValueError('no value')\n",
    "ImportError": "raise ImportError('by hand', name='other', path='somewhere')\n",
    "ModuleNotFoundError": "import there_is_no_such_module\n",
    "SyntaxError": "def broken(:\n",
    "ZeroDivisionError": "try:\n    {}['x']\nexcept KeyError as error:\n    raise ZeroDivisionError('x') from error\n",
    "KeyboardInterrupt": "raise KeyboardInterrupt\n",
    "SystemExit": "raise SystemExit(3)\n",
    "NameError": "undefined_name\n",
}

# What an eager load does not go on after.
ENDING = ["KeyboardInterrupt", "SystemExit"]

WAYS = {
    "attribute": "import app\napp.Broken\n",
    "submodule attribute": "import app\napp.broken\n",
    "import": "import app.broken\n",
    "from import": "from app import Broken\n",
    "from module import": "from app.broken import Broken\n",
    "import_module": "import importlib\nimportlib.import_module('app.broken')\n",
    "hasattr": "import app\nhasattr(app, 'Broken')\n",
    "getattr with a default": "import app\ngetattr(app, 'Broken', None)\n",
    "star import": "from app import *\n",
    "resolve": "loader.resolve('app.Broken')\n",
    "load_file": "loader.load_file('app/broken.py')\n",
}


def raised_by(code, **names):
    with pytest.raises(BaseException) as caught:
        exec(code, names)
    return caught.value


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind not in ENDING])
@pytest.mark.parametrize("way", WAYS)
def test_the_error_of_the_file_comes_as_it_is(autoload, way, kind):
    loader = autoload({"app/broken.py": "class Broken: ...\n" + BROKEN[kind]})

    error = raised_by(WAYS[way], loader=loader)

    assert type(error).__name__ == kind
    assert "app.broken" not in sys.modules
    if kind == "ZeroDivisionError":
        assert isinstance(error.__cause__, KeyError)


@pytest.mark.lazy
@pytest.mark.parametrize("kind", ENDING)
@pytest.mark.parametrize("way", WAYS)
def test_what_ends_the_program_comes_as_it_is(autoload, way, kind):
    loader = autoload({"app/broken.py": "class Broken: ...\n" + BROKEN[kind]})
    assert type(raised_by(WAYS[way], loader=loader)).__name__ == kind
    assert "app.broken" not in sys.modules


@pytest.mark.lazy
@pytest.mark.parametrize(
    "way", [way for way in WAYS if way not in ("import", "from module import", "import_module", "load_file")]
)
def test_an_attribute_error_comes_as_a_load_error_with_its_cause(autoload, way):
    loader = autoload({"app/broken.py": "class Broken: ...\nopen('ran', 'a').write('x')\n[].no_such_attribute\n"})

    error = raised_by(WAYS[way], loader=loader)

    assert isinstance(error, LoadError)
    assert isinstance(error.__cause__, AttributeError)
    assert "no_such_attribute" in str(error)
    assert Path("ran").read_text() == "x"


@pytest.mark.parametrize("way", ["import", "from module import", "import_module"])
def test_an_attribute_error_stays_one_where_the_file_is_imported_as_a_module(autoload, way):
    loader = autoload({"app/broken.py": "[].no_such_attribute\n"})
    assert type(raised_by(WAYS[way], loader=loader)) is AttributeError


def test_an_attribute_error_deep_in_a_chain_of_files_keeps_its_cause(autoload):
    autoload(
        {
            "app/__init__.py": "",
            "app/first.py": "import app\nclass First(app.Second): ...\n",
            "app/second.py": "import app\nclass Second(app.Third): ...\n",
            "app/third.py": "class Third: ...\nNone.wrong\n",
        }
    )
    error = raised_by("import app\napp.First\n")
    shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert isinstance(error, LoadError)
    assert "'NoneType' object has no attribute 'wrong'" in shown
    assert "third.py" in shown
    assert "second.py" in shown


@pytest.mark.changes
@pytest.mark.parametrize("way", WAYS)
def test_the_name_stays_loadable_after_the_file_was_mended(autoload, tree, way):
    loader = autoload({"app/broken.py": "class Broken: ...\nraise ValueError('first')\n"})
    raised_by(WAYS[way], loader=loader)
    tree({"app/broken.py": "class Broken: ...\n# mended, with another size\n"})

    exec(WAYS[way], {"loader": loader})

    import app

    assert app.Broken.__module__ == "app.broken"


@pytest.mark.changes
def test_a_package_that_failed_can_be_loaded_again(autoload, tree):
    autoload(
        {"app/shop/__init__.py": "import app.shop.cart\nraise ValueError\n", "app/shop/cart.py": "class Cart: ...\n"}
    )
    import app

    with pytest.raises(ValueError):
        app.shop  # noqa: B018
    tree({"app/shop/__init__.py": "done = True\n"})

    assert app.shop.done
    assert app.shop.Cart is sys.modules["app.shop.cart"].Cart
    assert app.shop.cart is sys.modules["app.shop.cart"]


@pytest.mark.parametrize("way", ["import", "from import", "from module import", "attribute", "star import"])
def test_the_traceback_shows_the_users_lines(autoload, way):
    autoload({"app/broken.py": "class Broken: ...\ndef deep():\n    return {}['missing']\n\ndeep()\n"})
    error = raised_by(WAYS[way])
    frames = [(frame.filename.rpartition("/")[2], frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    assert frames[-2:] == [("broken.py", 5), ("broken.py", 3)]


def test_the_traceback_of_an_import_statement_has_no_other_lines(python, tree):
    tree(
        {
            "app/broken.py": "import app.worse\n",
            "app/worse.py": "\n1 / 0\n",
            "main.py": "import app.broken\n",
            "prepare.py": """
                import os
                if os.environ.get("OURS"):
                    from pyautoload import AutoLoader
                    AutoLoader("app").setup()
            """,
        }
    )
    stock = python("import prepare, main", check=False).stderr
    ours = python("import prepare, main", check=False, OURS="1").stderr
    assert "ZeroDivisionError" in ours
    assert ours == stock


def test_a_syntax_error_shows_file_line_and_text(autoload):
    autoload({"app/broken.py": "fine = 1\ndef broken(:\n"})
    error = raised_by("import app\napp.Broken")
    assert isinstance(error, SyntaxError)
    assert error.filename.endswith("broken.py")
    assert (error.lineno, error.text.strip()) == (2, "def broken(:")


def test_eager_load_keeps_types_causes_and_lines(autoload):
    loader = autoload(
        {
            "app/a.py": BROKEN["ZeroDivisionError"],
            "app/b.py": "class B: ...\n",
            "app/c.py": "[].wrong\n",
            "app/d.py": BROKEN["SyntaxError"],
            "app/e.py": BROKEN["KeyError"],
        }
    )
    with pytest.raises(EagerLoadError) as caught:
        loader.eager_load()

    failures = caught.value.failures
    assert {name: type(error) for name, error in failures.items()} == {
        "app.a": ZeroDivisionError,
        "app.c": AttributeError,
        "app.d": SyntaxError,
        "app.e": KeyError,
    }
    assert isinstance(failures["app.a"].__cause__, KeyError)
    last = traceback.extract_tb(failures["app.e"].__traceback__)[-1]
    assert (last.filename.endswith("e.py"), last.lineno) == (True, 2)


@pytest.mark.lazy
def test_eager_load_stops_when_somebody_ends_it(autoload):
    loader = autoload({"app/a.py": BROKEN["KeyboardInterrupt"], "app/b.py": ""})
    assert type(raised_by("loader.eager_load()", loader=loader)).__name__ == "KeyboardInterrupt"
    assert "app.b" not in sys.modules


def test_a_missing_name_of_a_package_is_an_ordinary_attribute_error(autoload):
    autoload({"app/user.py": "class User: ..."})
    import app

    with pytest.raises(AttributeError, match="module 'app' has no attribute 'Nobody'") as caught:
        app.Nobody  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("Nobody", app)
    assert not hasattr(app, "Nobody")
    assert getattr(app, "Nobody", 1) == 1


def test_an_error_in_one_file_does_not_hide_another_that_imports_it(autoload):
    autoload({"app/user.py": "from app.broken import x", "app/broken.py": "raise ValueError('broken')"})
    import app

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            app.User  # noqa: B018
    assert [name for name in sys.modules if name.startswith("app.")] == []


@pytest.mark.lazy
def test_an_error_of_a_load_callback_reaches_the_importer_and_leaves_nothing(autoload):
    loader = autoload({"app/user.py": "class User: ..."})
    loader.on_load("app.User", lambda value, path: 1 / 0)
    import app

    with pytest.raises(ZeroDivisionError):
        app.User  # noqa: B018
    assert "app.user" not in sys.modules
    assert "User" not in vars(app)
    assert loader.loaded() == ["app"]


@pytest.mark.changes
@pytest.mark.lazy
def test_a_file_that_went_away_after_it_was_listed_is_named_in_the_error(autoload):
    autoload({"app/user.py": "class User: ...", "app/gone.py": ""})
    import app

    assert "gone" in dir(app)
    os.remove("app/gone.py")
    with pytest.raises((OSError, ImportError), match="gone"):
        importlib.import_module("app.gone")


@pytest.mark.parametrize(
    "error",
    [
        errors.LoadError("app.user", "user.py", AttributeError("wrong")),
        errors.ExpectedNameError("app.User", "user.py", ["Other"], "user"),
        errors.ModuleNotFoundError("app.user", "no such file"),
        errors.NameInflectionError("2.py", "2", "is not a valid Python name"),
        errors.ConflictError("both", "a.py", "b.py"),
        errors.PathError("a.py", "does not exist", "correct it"),
        errors.SetupRequired("unload()"),
        errors.CircularDependencyError([errors.CycleStep("app.a", "a.py", 1)], "app.a.A"),
        errors.EagerLoadError({"app.user": ValueError("wrong")}),
        errors.ReloadError("app.user", "user.py", 3, ValueError("wrong")),
        errors.ReloadingDisabled(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_sent_to_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.args[0]) == (type(error), str(error), error.args[0])
    for name in ("name", "path", "cycle", "expected", "defined", "paths", "msg"):
        assert getattr(again, name, None) == getattr(error, name, None)
    assert str(copy.copy(error)) == str(error)
