"""live(): edits take effect in any program, in what was imported before too, and everything stays who it is."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pyautoload
from pyautoload import AutoLoader, SetupError, live

MODEL = """
LIMIT = {0}
class Model:
    def size(self): return {0}
def fit(): return LIMIT + {0}
"""

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture(autouse=True)
def no_editable_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAutoload itself, with these tests, may be installed as editable."""
    monkeypatch.setattr("pyautoload.programs.live_edits.editable_places", lambda: iter(()))


@pytest.fixture
def program(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Files in a directory that is on ``sys.path``."""

    def make(files: dict[str, str]) -> Path:
        root = tree(files)
        monkeypatch.syspath_prepend(str(root))
        return root

    return make


def test_what_was_imported_before_is_live_and_keeps_its_identity(program: Tree) -> None:
    root = program(
        {"lab/__init__.py": "", "lab/model.py": MODEL.format(1), "use.py": "from lab.model import LIMIT, fit"}
    )
    import use
    from lab.model import Model, fit

    model = Model()
    loader = live(watch=False)
    assert {"lab", "lab.model", "use"} <= set(loader.loaded())
    (root / "lab/model.py").write_text(MODEL.format(2))
    result = loader.reload_if_changed()
    assert result is not None
    assert result.ok, result
    assert (model.size(), fit(), use.LIMIT) == (2, 4, 2)
    assert sys.modules["lab.model"].Model is Model
    assert sys.modules["lab.model"].fit is fit is use.fit


def test_what_is_imported_afterwards_is_live_too(program: Tree) -> None:
    root = program({"model.py": MODEL.format(1)})
    loader = live(watch=False)
    import model

    held, fit = model.Model(), model.fit
    (root / "model.py").write_text(MODEL.format(1).replace("return 1", "return 7"))
    result = loader.reload()
    assert result.patched == ["model"]  # recorded, so that it is known that nothing but a body has changed
    assert held.size() == 7
    assert model.fit is fit


def test_a_file_edited_between_its_import_and_live_is_not_stale(program: Tree) -> None:
    root = program({"model.py": MODEL.format(1)})
    import model

    (root / "model.py").write_text(MODEL.format(30))
    loader = live(watch=False)
    loader.reload()
    assert (model.LIMIT, model.fit(), model.Model().size()) == (30, 60, 30)


def test_a_constant_edited_between_its_import_and_live_is_not_stale(program: Tree) -> None:
    """Nothing but the bytecode tells what was loaded."""
    root = program({"settings.py": "LIMIT = 1\n", "use.py": "from settings import LIMIT\n"})
    import use

    (root / "settings.py").write_text("LIMIT = 30\n")
    loader = live(watch=False)
    loader.reload()
    assert use.LIMIT == 30


def test_a_failed_reload_leaves_all_as_it_was(program: Tree) -> None:
    root = program({"model.py": MODEL.format(1)})
    import model

    loader = live(watch=False)
    (root / "model.py").write_text(MODEL.format(2) + "raise ValueError('no')")
    with pytest.raises(pyautoload.ReloadError):
        loader.reload()
    assert (model.LIMIT, model.fit()) == (1, 2)


@pytest.mark.skipif(not hasattr(signal, "SIGURG"), reason="no such signal here")
def test_the_signal_for_the_main_thread_is_given_back(program: Tree) -> None:
    program({"model.py": MODEL.format(1)})
    before = signal.getsignal(signal.SIGURG)
    loader = live()
    assert signal.getsignal(signal.SIGURG) != before
    loader.unregister()
    assert signal.getsignal(signal.SIGURG) == before


LAYOUTS: dict[str, tuple[dict[str, str], str, dict[str, str], str]] = {
    "a package comes in front of a module": (
        {"foo.py": "V = 1"},
        "foo",
        {"foo/__init__.py": "V = 2"},
        "",
    ),
    "a module goes that a package stood in front of": (
        {"foo/__init__.py": "V = 1", "foo.py": "V = 2"},
        "foo",
        {},
        "foo/__init__.py",
    ),
    "a directory becomes a package": ({"foo/sub.py": "V = 1"}, "foo.sub", {"foo/__init__.py": "V = 2"}, ""),
    "a package becomes a directory": (
        {"foo/__init__.py": "V = 1", "foo/sub.py": "V = 2"},
        "foo.sub",
        {},
        "foo/__init__.py",
    ),
    "a module becomes a package": (
        {"foo.py": "V = 1"},
        "foo",
        {"foo/__init__.py": "from .sub import V", "foo/sub.py": "V = 3"},
        "foo.py",
    ),
    "a module goes": ({"foo.py": "V = 1", "bar.py": "V = 1"}, "foo", {}, "foo.py"),
}


@pytest.mark.parametrize("which", LAYOUTS)
@pytest.mark.parametrize("before", [True, False], ids=["imported before", "imported after"])
def test_files_come_and_go(program: Tree, python: Callable[..., object], which: str, before: bool) -> None:
    """Afterwards names are what they are in a fresh process."""
    files, name, come, goes = LAYOUTS[which]
    root = program(files)
    loader = None if before else live(watch=False)
    importlib.import_module(name)
    loader = loader or live(watch=False)
    for path, text in come.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    if goes:
        (root / goes).unlink()
    result = loader.reload()
    assert result.ok, result
    look = (
        "import sys, importlib\n"
        "def state(name):\n"
        "    try: module = importlib.import_module(name)\n"
        "    except ImportError as error: return str(error)\n"
        "    return [vars(module).get('V'), hasattr(module, '__path__'), getattr(module, '__file__', None)]\n"
    )
    space: dict[str, object] = {}
    exec(look, space)
    names = [name, name.partition(".")[0]]
    mine = [space["state"](each) for each in names]  # type: ignore[operator]
    fresh = python(
        f"{look}sys.path.insert(0, {str(root)!r})\nimport json\nprint(json.dumps([state(n) for n in {names!r}]))"
    )
    assert json.loads(fresh.stdout) == mine  # type: ignore[attr-defined]


def test_packages_are_named_by_module_name_or_path(program: Tree) -> None:
    root = program({"one/__init__.py": "", "two/__init__.py": "", "three/x.py": "", "four.py": ""})
    import one

    loader = live(one, "two", root / "three", watch=False)
    assert loader.dirs() == [str(root / name) for name in ("one", "two", "three")]
    assert live("one", watch=False) is loader
    assert live(root / "four.py", watch=False).dirs()[-1] == str(root)


@pytest.mark.parametrize("what", ["no_such_package", "no/such/dir", "sys", sys])
def test_what_has_no_files_is_told(tree: Tree, what: object) -> None:
    with pytest.raises(SetupError):
        live(what, watch=False)  # type: ignore[arg-type]


def test_what_only_says_that_it_is_a_module_is_left_alone(program: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        __slots__ = ()
        __class__ = type(sys)  # type: ignore[assignment]

    monkeypatch.setitem(sys.modules, "lab.lib", Library())  # as cffi does
    monkeypatch.setitem(sys.modules, "some_lib", Library())
    root = program({"lab/__init__.py": "LIMIT = 1\n"})
    import lab

    loader = live(watch=False)
    (root / "lab/__init__.py").write_text("LIMIT = 22\n")
    assert loader.reload_if_changed()
    assert lab.LIMIT == 22


def test_libraries_in_the_project_are_nobodys_edits(program: Tree) -> None:
    root = program(
        {
            "env/pyvenv.cfg": "",
            "env/lib/python3/site-packages/lib.py": "V = 1",
            "lib/site-packages/more.py": "V = 1",
            ".hidden/secret.py": "V = 1",
            "own.py": "V = 1",
        }
    )
    sys.path += [str(root / path) for path in ("env/lib/python3/site-packages", "lib/site-packages", ".hidden")]
    for name in ("lib", "more", "secret", "own"):
        importlib.import_module(name)
    assert set(live(watch=False).loaded()) & {"lib", "more", "secret", "own"} == {"own"}


def test_a_loader_of_the_programs_own_takes_over(program: Tree) -> None:
    root = program({"shop/models.py": "class Models:\n    V = 1", "main.py": "from shop.models import Models"})
    first = live(watch=False)
    import main

    told: list[object] = []
    first.on_reload(told.append)
    loader = AutoLoader("shop").setup()
    assert not first.is_set_up
    assert live(watch=False) is loader
    assert {"main", "shop.models"} <= set(loader.loaded())
    (root / "shop/models.py").write_text("class Models:\n    V = 2")
    loader.reload()
    assert main.Models.V == 2
    assert told


def test_the_projects_settings_count(program: Tree) -> None:
    root = program(
        {
            "pyproject.toml": "[tool.pyautoload]\nroots = ['shop']\n",
            "shop/user.py": "class User:\n    V = 1",
            "main.py": "import shop\nV = shop.User.V",
        }
    )
    loader = live(watch=False)
    import main

    (root / "shop/user.py").write_text("class User:\n    V = 2")
    loader.reload()
    assert main.V == 2
    assert set(loader.dirs()) == {str(root / "shop"), str(root)}


def test_settings_may_say_that_there_are_no_conventions(program: Tree) -> None:
    program({"pyproject.toml": "[tool.pyautoload]\nroots = ['.']\nconventions = false\n", "a/b.py": "class B: pass"})
    AutoLoader.from_config().setup()
    import a.b

    assert a.b.B
    assert not hasattr(a, "B")


@pytest.mark.parametrize("table", ["conventions = 3", "conventions = false\nnamespaces = {'.' = 'x'}"])
def test_wrong_settings_are_told(program: Tree, table: str) -> None:
    program({"pyproject.toml": f"[tool.pyautoload]\nroots = ['.']\n{table}\n"})
    with pytest.raises(SetupError, match="conventions"):
        AutoLoader.from_config()


def test_a_plain_root_has_no_namespace(tree: Tree) -> None:
    root = tree({"a/b.py": ""})
    with pytest.raises(SetupError, match="namespace"):
        AutoLoader(root / "a", "x", conventions=False)
    with pytest.raises(SetupError, match="does not exist"):
        AutoLoader(root / "none", conventions=False)


def test_managed_modules_imported_before_are_taken_in(program: Tree) -> None:
    """Roots with conventions too: by the stock loader, then by ours."""
    root = program({"shop/__init__.py": "", "shop/cart.py": "class Cart:\n    V = 1"})
    from shop.cart import Cart

    loader = AutoLoader("shop").enable_reloading(watch=False).setup()
    assert {"shop", "shop.cart"} <= set(loader.loaded())
    (root / "shop/cart.py").write_text("class Cart:\n    V = 2")
    loader.reload()
    assert Cart.V == 2
    assert sys.modules["shop"].Cart is Cart


def test_what_cannot_be_taken_in_is_told_once(program: Tree, caplog: pytest.LogCaptureFixture) -> None:
    root = program({"shop/cart.py": "V = 1"})
    sys.path.insert(0, str(root / "shop"))
    import cart  # noqa: F401

    loader = AutoLoader("shop").enable_reloading(watch=False).setup()
    loader.reload()
    loader.push_dir(root, conventions=False)
    assert sum("cart was imported from" in record.getMessage() for record in caplog.records) == 1
