"""Files, loaders and clean processes for the tests."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import pyautoload
from pyautoload import AutoLoader, EagerLoadError
from pyautoload.bundles import builder
from pyautoload.loaders import all_loaders

# For `benchmarks`, which is no part of the package. At the end, so that an installed pyautoload stays the one tested.
sys.path.append(str(Path(__file__).parent.parent))

# A shell lets what it starts in the background ignore Ctrl-C, and all that those start; servers are ended by it here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Some environments forbid Python to write bytecode. Those of users do not, and it is where stale code hides.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

Files = Mapping[str, str]
# Some time ago, in seconds: directories that old are trusted to show a later change by their mtime.
LONG_AGO = 10


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores for ``-n auto``: a third of the time, a test waits for another process."""
    return (os.cpu_count() or 1) + 1


def write_tree(base: Path, files: Files) -> Path:
    """Write files below ``base``; a name that ends in a slash makes a directory."""
    for name, source in files.items():
        path = base / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
    return base


@pytest.fixture(scope="module")
def small_heap() -> Iterator[None]:
    """For a file with thousands of reloads: what exists before it is not looked through by any of them.

    A reload may have to look for functions and instances that are alive, among all objects that the garbage collector
    knows. Those of pytest and of a thousand tests are a million.
    """
    with pytest.MonkeyPatch.context() as patch:
        gc.collect()
        gc.freeze()
        # Each reload asks whether somebody has frozen anything, and to count takes as long as to look.
        many = gc.get_freeze_count()
        patch.setattr(gc, "get_freeze_count", lambda: many)
        yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Leave ``sys.modules``, the import system, loaders, threads and the working directory as they were."""
    modules, meta_path, path = dict(sys.modules), list(sys.meta_path), list(sys.path)
    hooks, cwd, loaders = list(sys.path_hooks), os.getcwd(), all_loaders()
    importers = set(sys.path_importer_cache)
    threads = set(threading.enumerate())
    yield
    for loader in all_loaders():
        if loader not in loaders:
            getattr(loader, "disable_reloading", lambda: None)()
            loader.unregister()
    os.chdir(cwd)
    sys.meta_path[:], sys.path[:], sys.path_hooks[:] = meta_path, path, hooks
    for name in [name for name in sys.modules if name not in modules and not _is_library(name)]:
        del sys.modules[name]
    for name in set(sys.path_importer_cache) - importers:
        sys.path_importer_cache.pop(name, None)
    deadline = time.monotonic() + 10
    while (left := [t for t in threading.enumerate() if t not in threads and not t.daemon]) and (
        time.monotonic() < deadline
    ):
        left[0].join(0.1)
    assert not left, f"the test left threads behind: {left}"


def _is_library(name: str) -> bool:
    """Whether a module comes from an installation, not from the test's own files: those stay, others hold them."""
    module = sys.modules[name]
    file = getattr(module, "__file__", None)
    if name.partition(".")[0] in sys.stdlib_module_names or name.partition(".")[0] == "pyautoload":
        return True
    return file is not None and "site-packages" in file and not str(file).startswith(str(_tmp_root()))


def _tmp_root() -> str:
    import tempfile

    return tempfile.gettempdir()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], Path]:
    """``tree({"app/user.py": "class User: ..."})`` writes files below a fresh working directory and returns that."""
    monkeypatch.chdir(tmp_path)
    return lambda files: write_tree(tmp_path, files)


# How a loader of the `autoload` fixture comes by its code. Every test that uses it runs once in each way.
LOADING = ("plain", "checked", "trusted", "eager")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of the ``autoload`` fixture plainly, from a bundle in both modes, and after an eager load.

    ``@pytest.mark.lazy`` is for a test about what is loaded when: not after an eager load. ``@pytest.mark.changes`` is
    for one that changes files after ``setup()``, which a trusted bundle does not look at. ``@pytest.mark.plain`` is for
    one about the ordinary way itself.
    """
    if "loading" not in metafunc.fixturenames:
        return
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    left_out = {"lazy": {"eager"}, "changes": {"trusted"}, "plain": set(LOADING[1:])}
    ways = [way for way in LOADING if not any(way in left_out.get(mark, ()) for mark in marks)]
    metafunc.parametrize("loading", ways)


@pytest.fixture
def autoload(
    tree: Callable[[Files], Path], loading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AutoLoader]:
    """``autoload({"app/user.py": "..."})`` writes files and gives a loader that is set up for their first directory.

    Keyword arguments: ``base`` (the root), ``configure`` (called with the loader before ``setup()``), and whatever
    ``AutoLoader`` takes.
    """

    def make(
        files: Files,
        *,
        base: str | None = None,
        configure: Callable[[AutoLoader], Any] | None = None,
        **options: Any,
    ) -> AutoLoader:
        root = tree(files)
        first = base if base is not None else next(iter(files)).split("/")[0]
        if loading in ("checked", "trusted"):
            options.setdefault("bundle", loading)
        loader = AutoLoader(base_path=root / first, **options)
        if configure is not None:
            configure(loader)
        if options.get("bundle"):
            _build_at_once(loader, tmp_path, monkeypatch)
        loader.setup()
        if loading == "eager":
            try:
                loader.eager_load()
            except (EagerLoadError, KeyboardInterrupt, SystemExit):
                pass  # of files that are meant to fail: the test will meet them again
        return loader

    return make


def _build_at_once(loader: AutoLoader, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build a bundle of files that look old enough: of new ones, it would wait until later changes are sure to show."""

    def grow_old(_: float = 0, *, files: bool = False) -> None:
        for directory, _names, names in os.walk(base):
            for path in map(Path(directory).joinpath, [".", *names] if files else ["."]):
                if not path.is_symlink():
                    age(path, 0.1)

    grow_old(files=True)
    with monkeypatch.context() as patch:
        # To compile makes directories look new again.
        patch.setattr(builder, "time", SimpleNamespace(sleep=grow_old))
        loader.build_bundle()


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``python("print(1)")`` runs code in a process of its own, in the test's directory, bytecode writing on."""

    def run(code: str, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        source = str(Path(pyautoload.__file__).parent.parent)
        env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        env.update(PYTHONPATH=source, PYTHONIOENCODING="utf-8", **environment)
        result = subprocess.run(
            [sys.executable, *arguments, "-c", textwrap.dedent(code)],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=100,
        )
        if check and result.returncode != 0:
            raise AssertionError(f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    return run


def age(path: Path, seconds: float = LONG_AGO) -> None:
    """Let a file or directory look as if it had been changed some time ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture(name="age")
def age_fixture() -> Callable[..., None]:
    """``age(path, seconds)``: let a file or directory look as if it had been changed some time ago."""
    return age
