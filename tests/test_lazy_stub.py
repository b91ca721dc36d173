"""lazy.exports_from_stub: the .pyi beside the file says what is exported."""

from __future__ import annotations

import importlib
import sys
import zipfile

import pytest

from pyautoload import lazy

INIT = "from pyautoload import lazy\n__getattr__, __dir__, __all__ = lazy.exports_from_stub(__name__, __file__)\n"


@pytest.fixture
def package(tree, monkeypatch):
    def make(stub: str | None, files: dict[str, str]):
        root = tree({"pkg/__init__.py": INIT, **({} if stub is None else {"pkg/__init__.pyi": stub}), **files})
        monkeypatch.syspath_prepend(str(root))
        return importlib.import_module("pkg")

    return make


def test_relative_imports_of_the_stub_are_exported(package):
    pkg = package("from .a import A as A, B as Bee\nfrom . import sub as sub\n", {
        "pkg/a.py": "A = 1; B = 2", "pkg/sub.py": ""})  # fmt: skip
    assert pkg.__all__ == ["A", "Bee", "sub"]
    assert not any(name.startswith("pkg.") for name in sys.modules)
    assert (pkg.A, pkg.Bee, pkg.sub.__name__) == (1, 2, "pkg.sub")


def test_absolute_imports_only_in_the_re_export_form(package):
    pkg = package(
        "from __future__ import annotations\nfrom typing import Any\nfrom os.path import join as join\n"
        "import json as json\nclass Declared: ...\ndef f(x: Any) -> int: ...\n",
        {},
    )
    assert pkg.__all__ == ["join", "json"]


def test_all_of_the_stub_is_the_last_word(package):
    pkg = package("__all__ = ['A', 'own']\n__all__ += ['C']\nfrom .a import A, B, C\nown: int\n", {"pkg/a.py": "A = 1"})
    assert pkg.__all__ == ["A", "own", "C"]
    assert list(lazy.registry(pkg)) == ["A", "C"]


def test_errors_name_the_line_of_the_stub(package):
    pkg = package("# types\nfrom .a import Nope as Nope\n", {"pkg/a.py": ""})
    with pytest.raises(lazy.ExportError, match=r"__init__\.pyi:2"):
        _ = pkg.Nope


@pytest.mark.parametrize("stub", ["x = 1\nfrom .a import *\n", "x = 1\nfrom .a import (\n"])
def test_a_bad_stub_is_an_error_that_names_the_line(package, stub):
    with pytest.raises(lazy.StatementError, match=r"__init__\.pyi, line 2"):
        package(stub, {})


def test_a_missing_stub_says_how_to_ship_it(package):
    with pytest.raises(FileNotFoundError, match="package data"):
        package(None, {})


def test_the_stub_is_read_from_a_zip(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("zpkg/__init__.py", INIT)
        archive.writestr("zpkg/__init__.pyi", "from .a import A as A\n")
        archive.writestr("zpkg/a.py", "A = 'zipped'")
    monkeypatch.syspath_prepend(str(tmp_path / "app.zip"))
    assert importlib.import_module("zpkg").A == "zipped"


def test_the_stub_of_a_compiled_file_is_found(tree, monkeypatch):
    import py_compile

    root = tree({"cpkg/__init__.py": INIT, "cpkg/__init__.pyi": "from .a import A as A\n", "cpkg/a.py": "A = 1"})
    py_compile.compile(str(root / "cpkg/__init__.py"), cfile=str(root / "cpkg/__init__.pyc"))
    (root / "cpkg/__init__.py").unlink()
    monkeypatch.syspath_prepend(str(root))
    assert importlib.import_module("cpkg").A == 1


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("sys.version_info >= (3, 10)", True),
        ("sys.version_info < (3, 10)", False),
        ("sys.version_info[0] == 3", True),
        ("sys.version_info[:2] >= (3, 99)", False),
        ("not sys.version_info < (3,)", True),
        ("TYPE_CHECKING", True),
        ("typing.TYPE_CHECKING", True),
        ("sys.platform == 'no such platform'", False),
        ("sys.platform != 'no such platform' and sys.version_info >= (3, 10)", True),
        ("os.name == 'no such system' or sys.version_info >= (4,)", False),
    ],
)
def test_conditions_on_version_and_platform_are_decided_here(package, condition, holds):
    pkg = package(
        f"import os, sys, typing\nfrom typing import TYPE_CHECKING\n"
        f"if {condition}:\n    from .a import A as A\nelif sys.version_info >= (3, 10):\n    from .b import A as A\n"
        "else:\n    from .c import A as A\n",
        {"pkg/a.py": "A = 'a'", "pkg/b.py": "A = 'b'"},
    )
    assert pkg.__all__ == ["A"]
    expected = "a" if holds else "b"
    assert expected == pkg.A


def test_an_unknown_condition_drops_nothing_in_silence(package):
    with pytest.raises(lazy.StatementError, match="cannot be told") as caught:
        package("from .a import A as A\nif something():\n    from .b import B as B\n", {})
    assert caught.value.lineno == 2


def test_an_unknown_condition_without_imports_is_none_of_our_business(package):
    pkg = package("from .a import A as A\nif something():\n    def f() -> int: ...\n", {"pkg/a.py": "A = 1"})
    assert pkg.__all__ == ["A"]
