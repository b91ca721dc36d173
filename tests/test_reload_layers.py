"""The map of the reloading package, in its docstring, is complete, and imports point down it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyautoload import reloading

FOLDER = Path(reloading.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
LINES = [line for line in (reloading.__doc__ or "").splitlines() if line.startswith("- ")]
# Module → its line on the map. Example: {"reloader": 0, "watching": 1, "watcher": 1}
LEVELS = {name: level for level, line in enumerate(LINES) for name in re.findall(r"``(\w+)``", line)}


def imported(module: str) -> Iterator[str]:
    """The modules of the package that a module imports, those for type checkers only, too."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pyautoload.reloading."):
            yield (node.module or "").rpartition(".")[2]


def test_every_module_is_on_the_map():
    assert sorted(LEVELS) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down_the_map(module):
    assert [name for name in imported(module) if LEVELS[name] < LEVELS[module]] == []
