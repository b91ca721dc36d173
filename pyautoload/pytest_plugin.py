"""The pytest plugin: the project's loader is set up before the first ``conftest.py`` is imported, and checked if asked.

It does nothing in a project that has no ``[tool.pyautoload]`` in its ``pyproject.toml``. This module is imported in
every run of pytest where PyAutoload is installed, so it imports nothing that is not needed at once.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.checking import Problem

__all__ = ["autoload_tree", "loader"]

_NOT_CONFIGURED = "this project has no [tool.pyautoload] in its pyproject.toml: run `pyautoload init` to create it"
_TABLE = re.compile(r"^[ \t]*\[tool\.pyautoload[\].]", re.MULTILINE)
# What the loader is kept under on pytest's configuration object, and again where it was made here.
_LOADER: pytest.StashKey[AutoLoader | None] = pytest.StashKey()
_MADE: pytest.StashKey[AutoLoader] = pytest.StashKey()
# What was found, for the workers of pytest-xdist.
_FOUND: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()
# The key in what pytest-xdist hands to its workers.
_WORKER_INPUT = "pyautoload_problems"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--autoload-check`` and the setting ``autoload_setup``."""
    group = parser.getgroup("pyautoload")
    group.addoption(
        "--autoload-check",
        nargs="?",
        const="full",
        choices=["full", "static"],
        help="add a test for each problem that `pyautoload check` finds; `static` imports nothing for that",
    )
    parser.addini(
        "autoload_setup",
        "whether the loader that [tool.pyautoload] describes is set up (default: true)",
        type="bool",
        default=True,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the loader up, before any ``conftest.py`` imports what it serves."""
    file = _configuration(early_config)
    if file is None or not early_config.getini("autoload_setup"):
        return
    from pyautoload.autoloader import AutoLoader
    from pyautoload.errors import AutoloadError
    from pyautoload.loaders import all_loaders, note_provisional

    before = all_loaders()
    try:
        found = AutoLoader.from_config(file)
        if found not in before:
            found.origin = found.origin._replace(maker=f"the pytest plugin, from [tool.pyautoload] in {file}")
            # A `conftest.py`, or the program under test, may make the loader itself.
            note_provisional(found)
            early_config.stash[_MADE] = found
        early_config.stash[_LOADER] = found
        found.setup()
    except AutoloadError as error:
        raise pytest.UsageError(f"pyautoload: {error}") from error


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the loader away again, for programs that call ``pytest.main()`` and go on."""
    found = config.stash.get(_MADE, None)
    if found is not None:
        found.unregister()
        del config.stash[_MADE]
    config.stash.setdefault(_LOADER, None)
    del config.stash[_LOADER]


def _loader(config: pytest.Config) -> AutoLoader | None:
    """The project's loader: what was set up at the start, or what has taken its place since."""
    from pyautoload import known_loaders

    found = config.stash.get(_LOADER, None)
    if found is None or found.is_set_up:
        return found
    for root in found.config.roots.values():
        taken: AutoLoader | None = known_loaders.for_root(root.path, root.namespace)
        if taken is not None:
            return taken
    return found


def _configuration(config: pytest.Config) -> str | None:
    """The ``pyproject.toml`` of the project if it has the table; told from its text, as most projects have none."""
    from pyautoload.sources.regular import read_regular

    for directory in dict.fromkeys([config.rootpath, config.inipath.parent if config.inipath else config.rootpath]):
        file = directory / "pyproject.toml"
        try:
            text = read_regular(str(file)).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if _TABLE.search(text):
            return str(file)
    return None


# Checking


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each problem; one that passes where there is none."""
    if not config.getoption("--autoload-check"):
        return
    handed_down = getattr(config, "workerinput", {}).get(_WORKER_INPUT)
    found = _load_problems(handed_down) if handed_down is not None else _problems(config)
    checks = [CheckItem.make(session, config, problem, number) for number, problem in enumerate(found)]
    items.extend(checks or [CheckItem.make(session, config, None, 0)])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Look for problems once, and hand them to the workers of pytest-xdist: all have to collect the same tests."""
    config = node.config
    if config.getoption("--autoload-check"):
        if _FOUND not in config.stash:
            config.stash[_FOUND] = [problem.as_dict() for problem in _problems(config)]
        node.workerinput[_WORKER_INPUT] = config.stash[_FOUND]


def _problems(config: pytest.Config) -> list[Problem]:
    from pyautoload import settings
    from pyautoload.autoloader import AutoLoader
    from pyautoload.checking import find_problems
    from pyautoload.errors import AutoloadError

    file = _configuration(config)
    if file is None:
        raise pytest.UsageError(f"--autoload-check: {_NOT_CONFIGURED}")
    try:
        found = settings.read(file)
        mine = _loader(config)
        loader = mine if mine is not None else found.apply(AutoLoader(tag=found.tag))
        try:
            static = config.getoption("--autoload-check") == "static"
            problems = find_problems(loader, static=static, plain=found.plain_modules, base=found.directory)
        finally:
            if mine is None:
                loader.unregister()
    except AutoloadError as error:
        raise pytest.UsageError(f"--autoload-check: {error}") from error
    return [problem for problem in problems if problem.is_finding]


def _load_problems(data: list[dict[str, Any]]) -> list[Problem]:
    from pyautoload.checking import Problem

    return [Problem(**{**entry, "details": tuple(entry["details"])}) for entry in data]


class CheckItem(pytest.Item):
    """A test that fails with one problem."""

    problem: Problem | None = None

    @classmethod
    def make(cls, session: pytest.Session, config: pytest.Config, problem: Problem | None, number: int) -> CheckItem:
        """The test for a problem, or the one that says that there is none."""
        name = "no problem" if problem is None else f"{problem.kind}-{number + 1}"
        path = Path(problem.path) if problem is not None and problem.path else config.rootpath / "pyproject.toml"
        try:
            place = path.relative_to(config.rootpath).as_posix()
        except ValueError:
            place = path.as_posix()
        item: CheckItem = cls.from_parent(session, name=name, nodeid=f"{place}::autoload-check::{name}")
        item.problem = problem
        item.path = path
        return item

    def runtest(self) -> None:
        """Fail if there is a problem."""
        if self.problem is not None:
            raise CheckFailed(self.problem)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problem as ``pyautoload check`` shows it; a traceback would only show this file."""
        if isinstance(excinfo.value, CheckFailed):
            from pyautoload.checking.problem_search import relative_to

            return str(relative_to(str(self.config.rootpath), excinfo.value.problem))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the problem is."""
        line = self.problem.line if self.problem is not None else None
        return self.path, line - 1 if line else None, f"autoload-check: {self.name}"


class CheckFailed(Exception):
    """What a test for a problem fails with."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


# Fixtures


@pytest.fixture(scope="session")
def loader(pytestconfig: pytest.Config) -> AutoLoader:
    """The project's loader, as ``[tool.pyautoload]`` describes it, set up."""
    found = _loader(pytestconfig)
    if found is None:
        pytest.fail(f"the fixture `loader` has no loader to give: {_NOT_CONFIGURED}", pytrace=False)
    return found


@pytest.fixture
def autoload_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AutoLoader]]:
    """``autoload_tree({"shop/order.py": "class Order: ..."})``: files in a fresh directory, and their loader, set up.

    The first part of the first path is the root. ``base`` names another one, ``configure`` is called with the loader
    before ``setup()``, other keywords go to ``AutoLoader``. After the test, loaders and modules are gone.
    """
    from pyautoload.autoloader import AutoLoader

    made: list[AutoLoader] = []
    before = dict(sys.modules)

    def make(
        files: Mapping[str, str],
        *,
        base: str | None = None,
        configure: Callable[[AutoLoader], object] | None = None,
        **options: Any,
    ) -> AutoLoader:
        for name, source in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source), encoding="utf-8")
        root = base if base is not None else next(iter(files)).split("/")[0]
        loader = AutoLoader(tmp_path / root, **options)
        made.append(loader)
        if configure is not None:
            configure(loader)
        return loader.setup()

    monkeypatch.chdir(tmp_path)
    yield make
    for loader in made:
        _take_back(loader, before)
    directory = str(tmp_path)
    for name in [name for name, module in sys.modules.items() if name not in before and _lies_in(module, directory)]:
        del sys.modules[name]


def _take_back(loader: AutoLoader, before: Mapping[str, Any]) -> None:
    names = [name for name in loader.loaded() if name not in before]
    loader.disable_reloading()
    loader.unregister()
    for name in names:
        sys.modules.pop(name, None)


def _lies_in(module: object, directory: str) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(directory + os.sep)
