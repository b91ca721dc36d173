"""The layout of the package: files are found by their names, and what names them in text names what is there."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "pyautoload"
FILES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)
# Names that look like modules of the package in strings, and are none: loggers, and a name to try a lock with.
NO_MODULES = {"pyautoload.celery", "pyautoload.probe"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_no_two_folders_have_a_file_of_the_same_name():
    places = defaultdict(list)
    for path in FILES:
        if path.name != "__init__.py":
            places[path.name].append(path.parent.relative_to(PACKAGE).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_folder_says_in_its_first_lines_what_it_is_for_and_who_calls_it(folder):
    said = ast.get_docstring(tree(folder / "__init__.py")) or ""
    assert re.search(r"\b(calls?|asks?|imports?|tells|use|all folders above)\b", said), said


def test_modules_that_are_named_in_strings_exist():
    named = {
        node.value
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"pyautoload(\.[a-z_0-9]+)+", node.value)
    }
    assert "pyautoload.reloading.dependencies.aliases" in named
    assert {name for name in named - NO_MODULES if not _exists(name)} == set()


def _exists(name: str) -> bool:
    path = PROJECT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file() or importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("page", ["how-it-works.md", "reload-design.md"])
def test_files_that_the_pages_on_the_inside_name_exist(page):
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    known = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.*")}
    named = set(re.findall(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.(?:py|js))`", text))
    assert len(named) > 10
    missing = {name for name in named if not any(path == name or path.endswith(f"/{name}") for path in known)}
    assert missing - EXAMPLES == set()


# Files of the pages' examples.
EXAMPLES = {"hotel.py", "hotel/__init__.py"}


def test_files_that_the_first_lines_of_a_folder_name_exist():
    missing = []
    for folder in FOLDERS:
        said = ast.get_docstring(tree(folder / "__init__.py")) or ""
        for name in re.findall(r"``([a-z_]+/)``", said):
            if not any((place / name).is_dir() for place in (folder, folder.parent, PACKAGE, PACKAGE / "reloading")):
                missing.append(f"{folder.name}: {name}")
    assert missing == []
