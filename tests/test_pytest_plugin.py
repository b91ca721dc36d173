"""The pytest plugin, in real runs of pytest in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import pyautoload

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(240)

# Where the package is not installed but only importable, its entry point is not there either.
INSTALLED = bool(entry_points(group="pytest11", name="pyautoload"))
CONFIGURED = '[tool.pyautoload]\nroots = ["shop"]\ncollapse = ["*/concerns"]\n'
FILES = {
    "pyproject.toml": CONFIGURED,
    "shop/models/order.py": "from shop.models import Priced\n\n\nclass Order(Priced): ...\n",
    "shop/models/concerns/priced.py": "class Priced:\n    price = 3\n",
    "tests/test_order.py": "from shop.models import Order\n\n\ndef test_price():\n    assert Order().price == 3\n",
}
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run({"tests/test_x.py": "..."}, "-q")`` writes files and runs pytest with the plugin in a child process.

    With ``as_installed``, pytest finds the plugin, and all others there are, as it does for everybody. The others are
    three quarters of the time that such a run takes.
    """
    monkeypatch.setenv("PYTHONPATH", str(Path(pyautoload.__file__).parent.parent))
    # This run's own workers and coverage are not for the child.
    for name in [name for name in os.environ if name.startswith(("PYTEST_XDIST", "COV_", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)

    def run(files: dict[str, str], *arguments: str, as_installed: bool = False) -> pytest.RunResult:
        for name, text in files.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not as_installed:
            monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        plugin = () if as_installed and INSTALLED else ("-p", "pyautoload.pytest_plugin")
        return pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", *arguments, timeout=120)

    return run


def test_the_plugin_is_declared_as_an_entry_point():
    project = Path(pyautoload.__file__).parent.parent / "pyproject.toml"
    if not project.exists():
        assert INSTALLED
        return
    assert '[project.entry-points.pytest11]\npyautoload = "pyautoload.pytest_plugin"' in project.read_text()


def test_a_project_without_the_table_sees_nothing_of_it(run):
    result = run(
        {
            "pyproject.toml": "[project]\nname = 'x'  # without [tool.pyautoload]\n",
            "test_it.py": "import sys\n\ndef test_inert():\n"
            "    assert not {'click', 'watchdog', 'inflection', 'pyautoload.autoloader'} & set(sys.modules)\n"
            "    assert not any(type(finder).__module__.startswith('pyautoload') for finder in sys.meta_path)\n",
        },
        as_installed=True,
    )
    result.assert_outcomes(passed=1)


def test_the_loader_is_set_up_before_the_first_conftest(run):
    files = {**FILES, "conftest.py": "from shop.models import Order\n"}
    run(files, as_installed=True).assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_every_import_mode_works(run, mode):
    run(FILES, f"--import-mode={mode}").assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_tests_may_lie_between_the_modules(run, mode):
    beside = (
        "from shop.models import Order\n\n\ndef test_beside():\n    assert Order.__module__ == 'shop.models.order'\n"
    )
    files = {**FILES, "pyproject.toml": CONFIGURED + 'ignore = ["*_test.py"]\n', "shop/models/order_test.py": beside}
    run(files, f"--import-mode={mode}", "shop/models/order_test.py", "tests").assert_outcomes(passed=2)


def test_it_works_with_xdist(run):
    pytest.importorskip("xdist")
    more = {f"tests/test_{n}.py": FILES["tests/test_order.py"] for n in range(3)}
    run({**FILES, **more}, "-p", "xdist.plugin", "-n", "2").assert_outcomes(passed=4)


def test_coverage_counts_what_the_loader_loads(run):
    pytest.importorskip("pytest_cov")
    result = run(FILES, "-p", "pytest_cov.plugin", "--cov=shop", "--cov-report=term-missing")
    result.assert_outcomes(passed=1)
    result.stdout.re_match_lines([r"shop[/\\]models[/\\]concerns[/\\]priced.py\s+2\s+0\s+100%.*"])


def test_setting_up_can_be_left_to_the_program(run):
    own = "from pyautoload import AutoLoader\nloader = AutoLoader('shop').collapse('*/concerns').setup()\n"
    files = {
        **FILES,
        "pyproject.toml": CONFIGURED + "[tool.pytest.ini_options]\nautoload_setup = false\n",
        "conftest.py": own,
    }
    run(files).assert_outcomes(passed=1)


def test_a_mistake_in_the_table_is_told_in_one_line(run):
    result = run({**FILES, "pyproject.toml": '[tool.pyautoload]\nroot = ["shop"]\n'})
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown key 'root'. Did you mean 'roots'?*"])


# --autoload-check


BROKEN = {
    "shop/models/invoice.py": "class Bill: ...\n",
    "shop/models/ghost.py": "from shop.models import Invoice\n\n\nclass Ghost(Invoice): ...\n",
    "shop/boom.py": "raise RuntimeError('boom')\n",
}


def test_each_problem_is_a_test_that_fails_with_what_check_says(run):
    result = run({**FILES, **BROKEN}, "--autoload-check", "-rf")
    assert result.parseoutcomes()["failed"] >= 2
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(["*boom.py*RuntimeError: boom*"])
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_tree_without_problems_is_one_test_that_passes(run):
    run(FILES, "--autoload-check").assert_outcomes(passed=2)


def test_static_checking_runs_no_file(run):
    files = {**FILES, "shop/boom.py": "import pathlib\n\npathlib.Path('ran').touch()\nBoom = 1\n"}
    run(files, "--autoload-check=static").assert_outcomes(passed=2)
    assert not Path("ran").exists()
    run(files, "--autoload-check").assert_outcomes(passed=2)
    assert Path("ran").exists()


def test_workers_of_xdist_get_the_same_problems(run):
    pytest.importorskip("xdist")
    alone = run({**FILES, **BROKEN}, "--autoload-check").parseoutcomes()
    spread = run({}, "--autoload-check", "-p", "xdist.plugin", "-n", "2").parseoutcomes()
    assert {key: spread[key] for key in ("failed", "passed")} == {key: alone[key] for key in ("failed", "passed")}


def test_checking_needs_a_configuration(run):
    result = run({"test_it.py": "def test_it(): ...\n"}, "--autoload-check")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no [[]tool.pyautoload[]]*"])


# Fixtures


def test_the_fixture_loader_is_the_loader_of_the_project(run):
    uses = "def test_it(loader):\n    assert loader.where('shop.models.Priced').endswith('priced.py')\n"
    run({**FILES, "tests/test_loader.py": uses}).assert_outcomes(passed=2)


def test_the_fixture_loader_says_what_is_missing(run):
    result = run({"test_it.py": "def test_it(loader): ...\n"})
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no [[]tool.pyautoload[]]*"])


def test_the_fixture_autoload_tree_makes_loaders_that_leave_nothing_behind(run):
    source = """
import sys

def test_one(autoload_tree):
    loader = autoload_tree({"app/user.py": "class User: number = 1"}, configure=lambda it: it.inflect({"user": "User"}))
    import app
    assert app.User.number == 1
    assert loader.loaded() == ["app", "app.user"]

def test_two(autoload_tree):
    assert "app" not in sys.modules
    autoload_tree({"app/user.py": "class User: number = 2"})
    import app
    assert app.User.number == 2

def test_three():
    assert "app" not in sys.modules
    assert not any(type(finder).__module__.startswith("pyautoload") for finder in sys.meta_path)
"""
    run({"test_it.py": source}).assert_outcomes(passed=3)


def test_a_program_that_makes_its_loader_from_the_same_table_gets_the_same_loader(run):
    own = (
        "from pyautoload import AutoLoader\n\nloader = AutoLoader.from_config(__file__.replace('app.py', '')).setup()\n"
    )
    uses = "def test_it(loader):\n    import app\n    assert app.loader is loader\n"
    run({**FILES, "app.py": own, "tests/test_loader.py": uses}, "-o", "pythonpath=.").assert_outcomes(passed=2)


def test_doctests_of_modules_run_in_the_modules_of_the_loader(run):
    documented = '''
class Priced:
    """
    >>> from shop.models import Priced as Same
    >>> Same is Priced
    True
    """

    price = 3
'''
    files = {name: text for name, text in FILES.items() if "concerns" not in name}
    files["shop/models/priced.py"] = documented
    run(files, "--doctest-modules", "--import-mode=importlib", "shop", "tests").assert_outcomes(passed=2)
