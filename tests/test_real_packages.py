"""Installed third-party packages as roots: under a loader they import, and pass their own tests, as they do without.

Each package is imported twice, in processes of their own: as Python does it, and with a loader over its directory that
was set up before. The few packages that the suite has anyway are always tried; all others by ``nox -s packages``, which
sets PYAUTOLOAD_REAL_PACKAGES and prints a line for each.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import pyautoload

PROBE = Path(__file__).with_name("package_probe.py")
EVERYTHING = bool(os.environ.get("PYAUTOLOAD_REAL_PACKAGES"))
DJANGO = """
import django
from django.conf import settings
apps = "admin auth contenttypes flatpages humanize messages redirects sessions sitemaps sites staticfiles syndication"
settings.configure(INSTALLED_APPS=[f"django.contrib.{app}" for app in apps.split()], SITE_ID=1)
django.setup()
"""
# What a module gets from whoever loads it, and what a loader adds to packages.
OURS = {"__loader__", "__spec__", "__builtins__", "__getattr__", "__dir__"}


class Case(NamedTuple):
    """A package to try.

    Attributes:
        name: its import name; the directory of that name is the root.
        distribution: what it is called where it is installed from.
        prepare: what has to run before its modules can be imported.
        tests: the tests of its own that are run, as ``pytest --pyargs`` takes them.
        known: modules that differ by design; docs/real-packages.md says why.
    """

    name: str
    distribution: str
    prepare: str = ""
    tests: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


ALWAYS = [
    Case("sqlalchemy", "sqlalchemy"),  # C extensions; modules that look for others by name
    Case("werkzeug", "werkzeug"),  # pure Python, data files
    Case("hypothesis", "hypothesis"),  # modules that fail without other packages, a compiled core
    Case("rich", "rich"),  # modules whose names are not valid Python names, loaded by import_module
]
MORE = [
    Case("sympy", "sympy", tests=("sympy.logic.tests", "sympy.sets.tests", "sympy.core.tests.test_expr")),
    Case(
        "numpy",
        "numpy",
        tests=("numpy.polynomial", "numpy.lib.tests.test_arraysetops", "numpy.ma.tests.test_core"),
        # Two directories without Python, the tests that import one of them, and the tests that go through dir(numpy).
        known=("numpy._core.include", "numpy._core.lib", "numpy.tests.test_configtool", "numpy._core.tests.test_ufunc"),
    ),
    Case("networkx", "networkx", tests=("networkx.classes", "networkx.readwrite", "networkx.algorithms.tree")),
    Case("zope", "zope.interface", tests=("zope.interface.tests", "zope.interface.common.tests")),
    Case("google", "google-api-core"),  # a namespace that several distributions share
    Case("django", "django", DJANGO),  # import-time registration
    Case("skimage", "scikit-image"),  # lazy exports of its own, C extensions
    Case("setuptools", "setuptools"),  # replaces distutils while it is imported
    Case("lxml", "lxml"),  # C extensions
    Case("babel", "babel"),  # 1,000 data files
    Case("py", "py"),  # a package that replaces itself in sys.modules
    Case("pytz", "pytz"),  # data files by path
    Case("certifi", "certifi"),  # data files by importlib.resources
]
CASES = ALWAYS + (MORE if EVERYTHING else [])


def directory_of(case: Case) -> Path:
    spec = importlib.util.find_spec(case.name)
    assert spec is not None, f"{case.distribution} is not installed"
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))


def probe(case: Case, where: Path, *, autoload: bool, tests: bool = False) -> dict[str, Any]:
    """What the probe says, from a process of its own that runs in ``where``."""
    where.mkdir()
    request = {
        "name": case.name,
        "directory": str(directory_of(case)),
        "autoload": autoload,
        "prepare": case.prepare,
        "tests": case.tests if tests else (),
    }
    (where / "request.json").write_text(json.dumps(request), encoding="utf-8")
    done = subprocess.run(
        # Arguments that are the same in both processes: some modules are scripts that quote them.
        [sys.executable, str(PROBE), "request.json", "answer.json"],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(Path(pyautoload.__file__).parent.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    answer: dict[str, Any] = json.loads((where / "answer.json").read_text(encoding="utf-8"))
    return answer


def is_added(name: str, key: str, modules: dict[str, Any]) -> bool:
    """Whether a loader gave the module ``name`` the attribute ``key`` on purpose.

    That is what a module of that stem below it defines, what a star import copied from such a package, and ``__all__``
    of a namespace without code of its own.
    """
    if key == "__all__":
        return modules[name]["file"] is None
    value = modules[name]["names"][key]
    return any(
        module.rpartition(".")[2].replace("_", "").lower() == key.replace("_", "").lower()
        and described["names"].get(key) == value
        for module, described in modules.items()
    )


def same_failure(stock: str | None, autoload: str | None) -> bool:
    """Whether a module fails alike; for a circle our error says more than Python's, and is an ImportError as well."""
    if stock and autoload and autoload.startswith("CircularDependencyError: "):
        return stock.startswith("ImportError: ") and "circular import" in stock
    return stock == autoload


def differences(stock: dict[str, Any], autoload: dict[str, Any]) -> list[str]:
    """In what the two processes differ, except what a loader adds on purpose."""
    found = []
    for name in sorted({*stock["failures"], *autoload["failures"]}):
        one, other = stock["failures"].get(name), autoload["failures"].get(name)
        if not same_failure(one, other):
            found.append(f"import {name}: {one} / {other}")
    for question in ("loaded", "listed"):
        found += [f"{question}: {name}" for name in sorted(set(stock[question]) ^ set(autoload[question]))]
    for name in sorted({*stock["modules"]} & {*autoload["modules"]}):
        found += module_differences(name, stock["modules"][name], autoload["modules"])
    return found


def module_differences(name: str, stock: dict[str, Any], modules: dict[str, Any]) -> list[str]:
    autoload = modules[name]
    found = [
        f"{name}.{attribute}: {stock[attribute]} / {autoload[attribute]}"
        for attribute in stock
        if attribute != "names" and stock[attribute] != autoload[attribute]
    ]
    for key in sorted({*stock["names"], *autoload["names"]} - OURS):
        one, other = stock["names"].get(key), autoload["names"].get(key)
        if one != other and not (one is None and is_added(name, key, modules)):
            found.append(f"{name}.{key}: {one} / {other}")
    return found


def added_names(stock: dict[str, Any], autoload: dict[str, Any]) -> int:
    """How many expected names the packages have that they do not have without a loader."""
    return sum(
        len({*autoload["modules"][name]["names"]} - {*stock["modules"][name]["names"]} - OURS)
        for name in {*stock["modules"]} & {*autoload["modules"]}
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_module_imports_under_a_loader_as_it_does_without(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stock = probe(case, tmp_path / "stock", autoload=False)
    autoload = probe(case, tmp_path / "autoload", autoload=True)
    found = differences(stock, autoload)
    unexplained = [difference for difference in found if not any(name in difference for name in case.known)]
    if EVERYTHING:
        with capsys.disabled():
            print(
                f"\n| {case.distribution} {version(case.distribution)} | {len(stock['modules'])} | "
                f"{len(stock['failures'])} | {len(found)} | {added_names(stock, autoload)} |"
            )
    assert unexplained == []
    # All but those that put something else in their place.
    own = {name for name, module in autoload["modules"].items() if module["spec_name"] == name}
    assert own <= set(autoload["managed"])


@pytest.mark.skipif(not EVERYTHING, reason="takes minutes: nox -s packages")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", [case for case in MORE if case.tests], ids=lambda case: case.name)
def test_the_tests_that_a_package_ships_pass_under_a_loader_as_without(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stock, autoload = (probe(case, tmp_path / str(managed), autoload=managed, tests=True) for managed in (False, True))
    if EVERYTHING:
        with capsys.disabled():
            counts = Counter(stock["tests"].values())
            print(
                f"\n| {case.distribution} | " + ", ".join(f"{number} {what}" for what, number in counts.items()) + " |"
            )
    assert len(stock["tests"]) > 100
    assert autoload["tests"] == stock["tests"]
    assert len(autoload["managed"]) > 20


def test_a_package_that_renamed_itself_imports_its_modules_by_its_new_name(tree: Callable[..., Path]) -> None:
    # As setuptools does: it installs its own copy of distutils under that name.
    rename = "import sys\n__name__ = __package__ = 'plain'\nsys.modules['plain'] = sys.modules['app.vendored']\n"
    root = tree({"app/vendored/__init__.py": rename, "app/vendored/log.py": ""})
    pyautoload.AutoLoader(root / "app").setup()
    import app.vendored  # noqa: F401
    from plain import log  # type: ignore[import-not-found]

    assert log.__name__ == "plain.log"
    assert "app.vendored.log" not in sys.modules
