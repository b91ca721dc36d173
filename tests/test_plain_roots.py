"""Roots without conventions: imports mean what they mean without a loader, and what is loaded is reloaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# What a program sees of its imports, as text: values, places, errors.
PROBE = """
import importlib, json, os, sys
sys.dont_write_bytecode = True
root, mode, names = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.path[:0] = [os.path.join(root, "one"), os.path.join(root, "two")]
if mode == "ours":
    from pyautoload import AutoLoader
    loader = AutoLoader(os.path.join(root, "one"), conventions=False)
    loader.push_dir(os.path.join(root, "two"), conventions=False)
    loader.enable_reloading(watch=False)
    loader.setup()
told = []
def look(what, get):
    try:
        value = get()
    except BaseException as error:
        told.append([what, type(error).__name__, str(error)])
    else:
        told.append([what, value if isinstance(value, (str, int, list)) else repr(value)])
for name in names:
    def load(name=name):
        module = importlib.import_module(name)
        visible = sorted(key for key in vars(module) if not key.startswith("__"))
        path = [os.path.relpath(each, root) for each in getattr(module, "__path__", [])]
        file = getattr(module, "__file__", None)
        return [visible, path, file and os.path.relpath(file, root), module.__package__, str(vars(module).get("V"))]
    look(name, load)
    look(name + " attribute", lambda name=name: getattr(sys.modules[name], "Thing"))
    look(name + " star", lambda name=name: (exec("from " + name + " import *", space := {}), sorted(space))[1][1:])
    look(name + " from", lambda name=name: exec("from " + name + " import sub, V", {}))
told.append(sorted(name for name, module in sys.modules.items()
                   if str(getattr(module, "__file__", "") or "").startswith(root)))
print(json.dumps(told))
"""


def seen(root: Path, names: list[str], mode: str) -> object:
    """What imports give, with a loader or without."""
    command = [sys.executable, "-c", PROBE, str(root), mode, json.dumps(names)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


TREES: dict[str, tuple[dict[str, str], list[str]]] = {
    "a file beside a directory": (
        {"one/foo.py": "V = 'file'", "one/foo/sub.py": "V = 'sub'", "two/foo/sub.py": "V = 2"},
        ["foo", "foo.sub"],
    ),
    "a file beside a package": ({"one/foo.py": "V = 'file'", "one/foo/__init__.py": "V = 'package'"}, ["foo"]),
    "two roots, one name": ({"one/foo.py": "V = 1", "two/foo.py": "V = 2", "two/bar.py": "V = 3"}, ["foo", "bar"]),
    "a namespace package over two roots": (
        {"one/ns/a.py": "V = 'a'", "two/ns/b.py": "from . import a\nV = a.V + 'b'", "two/ns/deep/c.py": "V = 'c'"},
        ["ns", "ns.a", "ns.b", "ns.deep", "ns.deep.c", "ns.none"],
    ),
    "relative imports": (
        {
            "one/pkg/__init__.py": "from .sub import V",
            "one/pkg/sub.py": "from ..pkg import other\nfrom . import other as again\nV = other.V",
            "one/pkg/other.py": "V = __name__",
            "one/pkg/beyond.py": "from ... import nothing",
        },
        ["pkg", "pkg.beyond", "pkg.sub.no"],
    ),
    "a circle": (
        {"one/a.py": "import b\nV = b.V", "one/b.py": "from a import V"},
        ["a", "b"],
    ),
    "errors inside": (
        {
            "one/a.py": "V = missing",
            "one/b.py": "import nowhere",
            "one/c.py": "V = (",
            "one/d.py": "raise SystemExit(3)",
        },
        ["a", "b", "c", "d"],
    ),
    "an attribute loads no file": (
        {"one/pkg/__init__.py": "V = 1", "one/pkg/thing.py": "class Thing: pass", "one/pkg/sub.py": "V = 2"},
        ["pkg"],
    ),
    "names that are none": ({"one/not-a-name.py": "V = 1", "one/class.py": "V = 2"}, ["not-a-name", "class"]),
    "a module of Python's name": ({"one/json.py": "V = 'mine'", "one/colorsys.py": "V = 'mine'"}, ["colorsys"]),
    "a module that replaces itself": (
        {"one/odd.py": "import sys, types\nm = types.ModuleType('odd')\nm.V = 9\nsys.modules[__name__] = m"},
        ["odd"],
    ),
    "a package with its own path": (
        {"one/pkg/__init__.py": "__path__.append(__path__[0] + '/more')\nV = 1", "one/pkg/more/sub.py": "V = 2"},
        ["pkg", "pkg.sub"],
    ),
}


@pytest.mark.parametrize("which", TREES)
def test_imports_are_those_of_python(tmp_path: Path, which: str) -> None:
    """Same values, same places, same errors, same modules loaded."""
    files, names = TREES[which]
    write(tmp_path, {"one/__keep": "", "two/__keep": "", **files})
    assert seen(tmp_path, names, "ours") == seen(tmp_path, names, "stock")


STEMS = ("a", "b", "sub")
LINES = (
    "V = 1",
    "from . import sub",
    "import a",
    "from a import V",
    "from .a import V",
    "import b.sub\nV = b.sub.V",
    "V = 1 / 0",
    "from .. import b",
)
PLACES = st.sampled_from(
    [
        f"{root}/{place}.py"
        for root in ("one", "two")
        for place in (*STEMS, "a/__init__", "a/b", "a/sub", "b/__init__", "b/sub", "b/a/__init__", "b/a/sub")
    ]
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.dictionaries(PLACES, st.sampled_from(LINES), min_size=1, max_size=7))
def test_any_tree_imports_like_without_us(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> None:
    """Trees nobody has thought of."""
    root = tmp_path_factory.mktemp("tree")
    write(root, {"one/__keep": "", "two/__keep": "", **files})
    names = ["a", "a.b", "a.sub", "b", "b.sub", "b.a", "b.a.sub", "sub", "c"]
    assert seen(root, names, "ours") == seen(root, names, "stock")
