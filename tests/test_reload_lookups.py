"""Modules that did without something, or went by what lies in a directory: they run again when that comes or goes."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from reload_app import App, app  # noqa: F401

# What a module does without when it is not there: its code, and the file that comes, which has `thing` and `Fast`.
_OPTIONAL = {
    "from a module": ("try:\n    from APP.fast import thing as X\nexcept ImportError:\n    X = 0", "fast.py"),
    "a module": ("try:\n    import APP.fast\n    X = APP.fast.thing\nexcept ImportError:\n    X = 0", "fast.py"),
    "by name": (
        "import importlib\ntry:\n    X = importlib.import_module('APP.fast').thing\nexcept ImportError:\n    X = 0",
        "fast.py",
    ),
    "find_spec": (
        "import importlib.util\nX = 1 if importlib.util.find_spec('APP.fast') else 0",
        "fast.py",
    ),
    "in a package": ("try:\n    from APP.sub.fast import thing as X\nexcept ImportError:\n    X = 0", "sub/fast.py"),
    "in a function": (
        "def get():\n    try:\n        from APP.fast import thing\n    except ImportError:\n        return 0\n"
        "    return thing\nX = get()",
        "fast.py",
    ),
    "an attribute": ("import APP\nX = 1 if hasattr(APP, 'Fast') else 0", "fast.py"),
    "an expected name": ("try:\n    from APP import Fast\n    X = 1\nexcept ImportError:\n    X = 0", "fast.py"),
    "a package": ("try:\n    from APP.fast import thing as X\nexcept ImportError:\n    X = 0", "fast/__init__.py"),
    "in a listed package": (
        "try:\n    from APP.held.fast import thing as X\nexcept ImportError:\n    X = 0",
        "held/fast.py",
    ),
}


@pytest.mark.parametrize(("code", "comes"), _OPTIONAL.values(), ids=_OPTIONAL)
def test_a_module_that_did_without_another_one_runs_again(app: Callable[..., App], code: str, comes: str) -> None:
    at = app({"held/other.py": "Y = 1"}, user=code, options={"watch": False})
    assert at("user").X == 0
    at.write(comes, "thing = 1\nclass Fast: pass\n")
    assert at.loader.reload().ok
    assert at("user").X == 1
    assert not at.loader.reload(), "once is enough"
    at.write(comes, None)
    assert at.loader.reload().ok
    assert at("user").X == 0


def test_the_watcher_tells_of_a_module_that_was_missed(app: Callable[..., App]) -> None:
    at = app(user="try:\n    from APP.fast import X\nexcept ImportError:\n    X = 0")
    assert at("user").X == 0
    result = at.edit("fast.py", "X = 1")
    assert at.settled(lambda: at("user").X == 1)
    assert "has come, which it did not find" in result.why[f"{at.name}.user"]


def test_a_module_that_did_without_one_that_failed_runs_again_when_that_is_mended(app: Callable[..., App]) -> None:
    code = "try:\n    from APP.broken import X\nexcept Exception:\n    X = 0"
    at = app(user=code, broken="import APP.deep\nX = 1", deep="raise ValueError", options={"watch": False})
    assert at("user").X == 0
    at.write("deep.py", "")
    assert at.loader.reload().ok
    assert at("user").X == 1


# Ways to find out what lies in the package `plugins`: expressions that give the names of its modules.
_LISTINGS = {
    "pkgutil": ("import pkgutil, APP.plugins as p", "[m.name for m in pkgutil.iter_modules(p.__path__)]"),
    "listdir": ("import os", "[n[:-3] for n in os.listdir(HERE / 'plugins') if n.endswith('.py')]"),
    "scandir": ("import os", "[e.name[:-3] for e in os.scandir(str(HERE / 'plugins')) if e.name.endswith('.py')]"),
    "walk": ("import os", "[n[:-3] for _, _, files in os.walk(HERE / 'plugins') for n in files if n[-3:] == '.py']"),
    "glob": ("import glob", "[n[-4:-3] for n in glob.glob(str(HERE / 'plugins' / '*.py'))]"),
    "Path.glob": ("", "[p.stem for p in (HERE / 'plugins').glob('*.py')]"),
    "rglob": ("", "[p.stem for p in (HERE / 'plugins').rglob('*.py')]"),
    "iterdir": ("", "[p.stem for p in (HERE / 'plugins').iterdir() if p.suffix == '.py']"),
    "resources": (
        "import importlib.resources, APP.plugins as p",
        "[e.name[:-3] for e in importlib.resources.files(p).iterdir() if e.name.endswith('.py')]",
    ),
    "dir": ("import APP.plugins as p", "[n for n in dir(p) if len(n) == 1 and n.islower()]"),
    "data": ("import os", "[n[0] for n in os.listdir(HERE / 'plugins') if n[1] == '.']"),
}


@pytest.mark.parametrize(("imports", "names"), _LISTINGS.values(), ids=_LISTINGS)
@pytest.mark.parametrize("watch", [True, False], ids=["watched", "asked"])
def test_a_module_that_listed_a_directory_runs_again(
    app: Callable[..., App], imports: str, names: str, watch: bool
) -> None:
    code = f"import pathlib\n{imports}\nHERE = pathlib.Path(__file__).parent\nX = sorted(set({names}))\n"
    at = app(
        {"plugins/a.py": "A = 1", "plugins/b.py": "B = 1", "user.py": code, "other.py": "Y = 1"},
        options={"watch": watch},
    )
    assert at("user").X == ["a", "b"]
    assert at("other").Y == 1

    def has(wanted: list[str]) -> bool:
        return bool(wanted == at("user").X)

    for name, text, expected in (
        ("c", "C = 1", ["a", "b", "c"]),
        ("a", None, ["b", "c"]),
        ("d", "D = 1", ["b", "c", "d"]),
    ):
        at.write(f"plugins/{name}.py", text)
        if not watch:
            assert at.loader.reload().ok
        assert at.settled(functools.partial(has, expected))
    at.write("plugins/b.py", "B = 2")
    result = at.loader.reload()
    assert f"{at.name}.user" not in result.reexecuted, "no entry has come or gone"


def test_what_imports_list_does_not_count(app: Callable[..., App]) -> None:
    at = app({"plugins/a.py": "A = 1"}, user="import APP.plugins.a, json.tool, xml.dom", options={"watch": False})
    at("user")
    at.write("plugins/b.py", "B = 1")
    at.write("unrelated.py", "C = 1")
    assert at.loader.reload().reexecuted == []


def test_files_that_the_module_itself_writes_where_it_lists_cause_no_reload(app: Callable[..., App]) -> None:
    code = """
        import itertools, pathlib
        HERE = pathlib.Path(__file__).parent / "plugins"
        X = sorted(p.name for p in HERE.iterdir())
        (HERE / f"run{len(X)}.txt").write_text("x")
        (HERE / "a.lock").unlink(missing_ok=True)
    """
    at = app({"plugins/a.py": "A = 1", "plugins/a.lock": "", "user.py": code})
    first = list(at("user").X)
    assert at.quiet(0.3)
    assert not at.loader.reload()
    assert [*first] == at("user").X
    at.write("plugins/b.py", "B = 1")
    assert at.settled(lambda: "b.py" in at("user").X)
    count = len(at.results)
    assert at.quiet(0.3)
    assert len(at.results) == count


def test_a_listing_module_that_is_not_to_be_reloaded_asks(app: Callable[..., App]) -> None:
    at = app({"user.py": "import os\nX = len(os.listdir(os.path.dirname(__file__)))"}, options={"watch": False})
    at.loader.do_not_reload(str(at.root / "user.py"))
    at("user")
    at.write("more.py", "Y = 1")
    result: Any = at.loader.reload()
    assert list(result.restart_required) == [f"{at.name}.user"]
