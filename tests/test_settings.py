"""``[tool.pyautoload]`` in pyproject.toml."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyautoload import AutoLoader
from pyautoload.errors import SetupError
from pyautoload.settings import load, parse

Tree = Callable[[dict[str, str]], Path]


def settings_of(**table: object) -> object:
    return parse({"roots": ["app"], **table}, "pyproject.toml")


def test_a_loader_is_made_from_the_nearest_pyproject(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(
        {
            "pyproject.toml": """
                [tool.pyautoload]
                roots = ["src/shop", "extra"]
                namespaces = { extra = "shop.extra" }
                ignore = ["*_draft.py"]
                collapse = ["*/concerns"]
                inflections = { db = "Database" }
                do_not_eager_load = ["tasks"]
            """,
            "src/shop/db.py": "class Database: ...",
            "src/shop/idea_draft.py": "",
            "src/shop/models/concerns/sluggable.py": "class Sluggable: ...",
            "src/shop/tasks/seed.py": "raise RuntimeError",
            "extra/gift.py": "class Gift: ...",
            "deep/inside/": "",
        }
    )
    monkeypatch.chdir(root / "deep" / "inside")
    loader = AutoLoader.from_config().setup()
    assert loader.resolve("shop.Database").__name__ == "Database"
    assert loader.resolve("shop.models.Sluggable").__module__ == "shop.models.sluggable"
    assert loader.resolve("shop.extra.Gift").__name__ == "Gift"
    assert loader.where("shop.idea_draft") is None
    assert not [name for name in loader.eager_load() if "tasks.seed" in name]
    assert loader.tag == "shop"


def test_patterns_start_from_the_directory_of_the_file(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(
        {
            "pyproject.toml": '[tool.pyautoload]\nroots = ["app"]\nignore = ["app/vendor"]\n',
            "app/user.py": "",
            "app/vendor/lib.py": "",
            "elsewhere/app/vendor/": "",
        }
    )
    monkeypatch.chdir(root / "elsewhere")
    loader = AutoLoader.from_config(root)
    assert not loader.is_managed(root / "app" / "vendor" / "lib.py")
    assert loader.is_managed(root / "app" / "user.py")


def test_a_file_without_the_table_is_passed_over(tree: Tree) -> None:
    root = tree({"pyproject.toml": '[tool.pyautoload]\nroots = "app"\n', "app/a.py": "", "app/pyproject.toml": ""})
    assert load(root / "app").file == str(root / "pyproject.toml")


def test_without_any_table_the_error_names_the_files_that_were_looked_at(tree: Tree) -> None:
    root = tree({"pyproject.toml": "[tool.other]\n"})
    with pytest.raises(SetupError, match="pyautoload init") as raised:
        load(root)
    assert str(root / "pyproject.toml") in str(raised.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("root", "roots"),
        ("ignored", "ignore"),
        ("inflect", "inflections"),
        ("do-not-eager-load", "do_not_eager_load"),
        ("do_not_eager_loads", "do_not_eager_load"),
        ("colapse", "collapse"),
        ("Roots", "roots"),
        ("exclude", "ignore"),
    ],
)
def test_an_unknown_key_is_an_error_that_suggests_the_right_one(key: str, meant: str) -> None:
    with pytest.raises(SetupError, match=f"unknown key '{key}'. Did you mean '{meant}'"):
        settings_of(**{key: "x"})


def test_a_key_that_resembles_none_lists_them_all() -> None:
    with pytest.raises(SetupError, match="There are: roots, namespaces, ignore"):
        settings_of(zzz=1)


@pytest.mark.parametrize(
    "table",
    [
        {"roots": []},
        {"roots": 1},
        {"roots": [""]},
        {"ignore": {"a": 1}},
        {"inflections": ["a"]},
        {"inflections": {"a": 1}},
        {"namespaces": {"other": "x"}},
        {"bundle": "sometimes"},
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_file(table: dict[str, object]) -> None:
    with pytest.raises(SetupError, match=r"pyproject\.toml"):
        settings_of(**table)


@pytest.mark.parametrize("text", ["[tool.pyautoload", "[tool]\npyautoload = 1\n", "\xff"])
def test_what_is_no_toml_or_no_table_is_an_error(tree: Tree, text: str) -> None:
    root = tree({})
    (root / "pyproject.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SetupError, match=r"pyproject\.toml"):
        load(root)


def test_a_path_that_does_not_exist_is_an_error(tree: Tree) -> None:
    with pytest.raises(SetupError, match="does not exist"):
        load(tree({}) / "nowhere")


def test_a_root_that_does_not_exist_is_an_error(tree: Tree) -> None:
    root = tree({"pyproject.toml": '[tool.pyautoload]\nroots = ["nowhere"]\n'})
    with pytest.raises(SetupError, match="nowhere does not exist"):
        AutoLoader.from_config(root)


def test_without_a_toml_reader_the_error_says_what_to_install(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"pyproject.toml": '[tool.pyautoload]\nroots = ["app"]\n', "app/a.py": ""})
    monkeypatch.setitem(sys.modules, "tomllib" if sys.version_info >= (3, 11) else "tomli", None)
    with pytest.raises(SetupError, match=r"pip install 'pyautoload\[cli\]'"):
        load(root)
