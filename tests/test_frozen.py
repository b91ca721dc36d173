"""Programs in one file or directory: zipapp, shiv, pex, PyInstaller, Nuitka.

Most take a minute and more: ``nox -s frozen`` tries them, it sets PYAUTOLOAD_FROZEN to 1. Nuitka may take an hour, and
is tried only where that is set to nuitka.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

import pyautoload
from pyautoload import settings
from pyautoload.freezing import hook_directories, nuitka_configuration
from pyautoload.freezing.collecting import collected, imported_by, own_modules

EVERYTHING = bool(os.environ.get("PYAUTOLOAD_FROZEN"))
on_demand = pytest.mark.skipif(not EVERYTHING, reason="takes a minute and more: nox -s frozen")

PROJECT = {
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\ncollapse = ["shop/concerns"]\n',
    "shop/order.py": "import colorsys\nimport xml.dom.minidom\nclass Order:\n    hue = colorsys.rgb_to_hsv(0, 0, 0)\n",
    "shop/models/__init__.py": "text = __doc__\n",
    "shop/models/user.py": "from shop import Order\n\n\nclass User:\n    order = Order\n",
    "shop/concerns/audit.py": "class Audit: ...\n",
    "shop/names.txt": "Ada\n",
}
USE = """
    import shop
    from shop.models import User
    loaded = loader.eager_load()
    print(User.__name__, User.order is shop.Order, shop.Audit.__name__, User.order.hue, len(loader.loaded()))


if __name__ == "__main__":
    main()
"""
FROM_CONFIG = (
    "from pyautoload import AutoLoader\n\n\ndef main():\n    loader = AutoLoader.from_config().setup()\n" + USE
)
FROM_FILE = (
    "import os\nfrom pyautoload import AutoLoader\n\n\ndef main():\n"
    "    loader = AutoLoader(os.path.join(os.path.dirname(__file__), 'shop'))\n"
    "    loader.collapse('**/concerns')\n    loader.setup()\n" + USE
)
EXPECTED = "User True Audit (0.0, 0.0, 0) 5\n"


def run(command, cwd, **environment):
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
    # Nuitka needs a tool that may lie beside the interpreter.
    env["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), env.get("PATH", "")])
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**env, **environment},
        capture_output=True,
        text=True,
        timeout=5000,
    )
    assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


def libraries(target):
    """Put PyAutoload and what it needs into a directory."""
    for name in ("pyautoload", "inflection", "watchdog"):
        place = Path(importlib.util.find_spec(name).origin)
        if place.name == "__init__.py":
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(place.parent, target / name, ignore=ignored)
        else:
            shutil.copy(place, target / place.name)


@pytest.fixture
def elsewhere(tmp_path):
    """A directory to run programs in that is not the project's."""
    path = tmp_path / "elsewhere"
    path.mkdir()
    return path


def test_a_zipapp_holds_its_roots(tree, tmp_path, elsewhere):
    files = {f"app/{name}": text for name, text in PROJECT.items()}
    root = tree({**files, "app/start.py": FROM_FILE, "app/__main__.py": "import start\nstart.main()\n"})
    libraries(root / "app")
    zipapp.create_archive(root / "app", tmp_path / "app.pyz")
    shutil.rmtree(root / "app")

    assert run([sys.executable, tmp_path / "app.pyz"], elsewhere) == EXPECTED


@on_demand
@pytest.mark.timeout(600)
def test_shiv(tree, tmp_path, elsewhere):
    pytest.importorskip("shiv")
    root = tree({f"app/{name}": text for name, text in {**PROJECT, "start.py": FROM_FILE}.items()})
    libraries(root / "app")
    shiv = [
        sys.executable,
        "-m",
        "shiv",
        "--site-packages",
        root / "app",
        "-e",
        "start:main",
        "-o",
        tmp_path / "app.pyz",
    ]
    run(shiv, root)
    shutil.rmtree(root / "app")

    assert run([sys.executable, tmp_path / "app.pyz"], elsewhere, SHIV_ROOT=str(tmp_path / "shiv")) == EXPECTED


@on_demand
@pytest.mark.timeout(600)
@pytest.mark.parametrize("options", [[], ["--venv"], ["--layout", "packed"]], ids=["zip", "venv", "packed"])
def test_pex(tree, tmp_path, elsewhere, options):
    pytest.importorskip("pex")
    root = tree({f"app/{name}": text for name, text in {**PROJECT, "start.py": FROM_FILE}.items()})
    libraries(root / "app")
    run(
        [sys.executable, "-m", "pex", "-D", root / "app", "-e", "start:main", "-o", tmp_path / "app.pex", *options],
        root,
    )
    shutil.rmtree(root / "app")
    made = tmp_path / "app.pex"
    command = [sys.executable, made / "__main__.py" if made.is_dir() else made]

    assert run(command, elsewhere, PEX_ROOT=str(tmp_path / "pex")) == EXPECTED


@on_demand
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["--onedir", "--onefile"])
def test_pyinstaller_takes_the_roots_of_the_project_along(tree, tmp_path, elsewhere, mode):
    pytest.importorskip("PyInstaller")
    root = tree({**{f"app/{name}": text for name, text in PROJECT.items()}, "app/start.py": FROM_CONFIG})
    run([sys.executable, "-m", "PyInstaller", "--noconfirm", mode, "--log-level", "WARN", "start.py"], root / "app")
    made = tmp_path / "made"
    shutil.move(str(root / "app/dist"), made)
    shutil.rmtree(root / "app")
    program = made / "start" / "start" if mode == "--onedir" else made / "start"

    assert run([program], elsewhere) == EXPECTED


@pytest.mark.skipif(os.environ.get("PYAUTOLOAD_FROZEN") != "nuitka", reason="takes up to an hour")
@pytest.mark.timeout(6000)
def test_nuitka_with_the_roots_as_raw_files(tree, tmp_path, elsewhere):
    pytest.importorskip("nuitka")
    root = tree({**{f"app/{name}": text for name, text in PROJECT.items()}, "app/start.py": FROM_FILE})
    options = ["--standalone", "--assume-yes-for-downloads", "--include-raw-dir=shop=shop", "--nofollow-import-to=shop"]
    options += [f"--user-package-configuration-file={nuitka_configuration()}"]
    options += ["--include-module=colorsys", "--include-module=xml.dom.minidom"]
    run([sys.executable, "-m", "nuitka", *options, "start.py"], root / "app")
    made = tmp_path / "made"
    shutil.move(str(root / "app/start.dist"), made)
    shutil.rmtree(root / "app")

    assert run([made / "start.bin"], elsewhere) == EXPECTED


# What is collected


def test_the_files_of_a_project_keep_their_places_and_their_imports_are_named(tree):
    root = tree(PROJECT)
    (root / "shop/__pycache__").mkdir()
    (root / "shop/__pycache__/order.cpython-312.pyc").write_bytes(b"")

    modules, files = collected(str(root / "shop"))

    assert {"colorsys", "xml.dom.minidom", "pyautoload.autoloader", "inflection"} <= set(modules)
    assert not any(name.startswith(("shop", "pyautoload.serving", "pyautoload.cli")) for name in modules)
    placed = {(os.path.relpath(file, root).replace(os.sep, "/"), to.replace(os.sep, "/")) for file, to in files}
    assert placed == {(name, str(Path(name).parent).replace(os.sep, "/")) for name in PROJECT}


def test_a_project_without_settings_gets_what_pyautoload_needs(tmp_path):
    modules, files = collected(str(tmp_path))

    assert modules == own_modules()
    assert files == []


def test_every_module_that_is_named_can_be_imported(python):
    code = "import importlib\nfor name in %r:\n    importlib.import_module(name)\n"

    python(code % own_modules())


def test_files_that_cannot_be_read_are_passed_over(tree):
    root = tree({"a.py": "import json, no_such_module\nfrom os import path, sep\n", "b.py": "def (:", "c.py": "\0"})

    files = [str(root / name) for name in ("a.py", "b.py", "c.py", "missing.py")]
    assert imported_by(files) == ["json", "os", "os.path"]


def test_the_settings_of_a_frozen_program_are_those_that_were_packed(tree, monkeypatch, tmp_path):
    root = tree(PROJECT)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    monkeypatch.setattr(sys, "_MEIPASS", str(root), raising=False)

    assert settings.load().file == str(root / "pyproject.toml")


def test_the_hook_is_where_its_entry_point_says():
    (directory,) = hook_directories()

    assert sorted(Path(directory).glob("hook-*.py")) == [
        Path(pyautoload.__file__).parent / "freezing/hook-pyautoload.py"
    ]
    assert Path(nuitka_configuration()).is_file()
