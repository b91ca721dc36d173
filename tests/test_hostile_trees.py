"""Entries that nobody expects hide nothing beside them and stop no command; ``check`` says what is left out.

The random trees of ``hostile_trees.py`` are tried with a few dozen seeds; how many more is said on demand:
``PYAUTOLOAD_HOSTILE_TREES=2000 pytest tests/test_hostile_trees.py``.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_trees import apart, cli, complaints, importable_by_ours, removed

from pyautoload import AutoLoader, FileScanner
from pyautoload.checking import find_problems
from pyautoload.errors import PathError
from pyautoload.printable import described, printable

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and the entries that POSIX has")

COUNT = int(os.environ.get("PYAUTOLOAD_HOSTILE_TREES", "0"))
CHUNK = 50


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A directory whose content is removed whatever it is: pytest itself gives up on some of it."""
    directory = tmp_path / "project"
    directory.mkdir()
    yield directory
    removed(directory)


@pytest.mark.parametrize("seed", range(24))
def test_random_hostile_trees_are_borne(project: Path, seed: int) -> None:
    assert complaints(seed, project, dynamic=seed % 8 == 0) == []


@pytest.mark.skipif(not COUNT, reason="PYAUTOLOAD_HOSTILE_TREES says how many to try")
@pytest.mark.parametrize("first", range(1000, 1000 + COUNT, CHUNK))
def test_many_hostile_trees_are_borne(tmp_path: Path, first: int) -> None:
    found = []
    for seed in range(first, first + CHUNK):
        project = tmp_path / str(seed) / "project"
        project.mkdir(parents=True)
        found += [f"{seed}: {complaint}" for complaint in complaints(seed, project)]
        removed(project)
    assert found == []


def _nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def _below_a_file(path: Path) -> None:
    path.symlink_to("good.py/x")


def _itself(path: Path) -> None:
    path.symlink_to(path.name)


def _long(path: Path) -> None:
    path.symlink_to("t" * 300)


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(here)


ENTRIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to nowhere": (_nothing, "is a link that leads nowhere"),
    "link below a file": (_below_a_file, "cannot be read: Not a directory"),
    "link to itself": (_itself, "cannot be read: Too many levels of symbolic links"),
    "link to a long name": (_long, "cannot be read: File name too long"),
    "fifo": (lambda path: os.mkfifo(path), "is not a regular file"),
    "socket": (_socket, "is not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/null"), "is not a regular file"),
    "directory": (lambda path: path.mkdir(), "is a directory, and no name of one"),
}


@pytest.mark.parametrize("name", ["bad.py", "bad", "new\nline.py", "bad.so", "__init__.py"])
@pytest.mark.parametrize("kind", ENTRIES)
def test_a_bad_entry_hides_nothing_beside_it_and_check_tells(project: Path, kind: str, name: str) -> None:
    make, why = ENTRIES[kind]
    (project / "app/below").mkdir(parents=True)
    for path in ("app/good.py", "app/zoo.py", "app/below/item.py"):
        (project / path).write_text("X = 1\n")
    if sys.platform == "darwin" and kind == "link to a long name":
        pytest.skip("the file system refuses it")
    make(project / "app" / name)
    is_no_module = name == "bad" and kind in ("fifo", "socket", "device", "directory")
    if kind == "directory" and name == "bad.so":
        pytest.skip("no name of a module, so it is looked into")

    listing = FileScanner().scan(project / "app")
    assert {"good", "zoo"} <= set(listing.files)
    assert "below" in listing.dirs
    assert listing.left_out == ({} if is_no_module else {str(project / "app" / name): why})
    assert apart(lambda: importable_by_ours(project, ["app.good", "app.zoo", "app.below.item", "app.bad"]))[:3] == [
        "app.below.item", "app.good", "app.zoo",
    ]  # fmt: skip
    problems = [p for p in find_problems(AutoLoader(project / "app"), static=True) if p.kind == "left-out"]
    assert len(problems) == (0 if is_no_module else 1)
    for problem in problems:
        assert why in problem.message
        assert "\n" not in str(problem).splitlines()[0]


def test_what_cannot_be_read_is_told_and_the_rest_is_there(project: Path) -> None:
    (project / "app/closed").mkdir(parents=True)
    (project / "app/closed/item.py").write_text("X = 1\n")
    (project / "app/secret.py").write_text("X = 1\n")
    (project / "app/open.py").write_text("X = 1\n")
    (project / "app/closed").chmod(0)
    (project / "app/secret.py").chmod(0)

    assert apart(lambda: importable_by_ours(project, ["app.open", "app.secret", "app.closed"])) == ["app.open"]
    answer = apart(lambda: cli(project, "check", "--root", "app"))
    assert answer["problem"] == ""
    assert "app/closed: warning: it is left out: it cannot be read: Permission denied [left-out]" in answer["output"]
    assert "app/secret.py: error:" in answer["output"]
    for command in (["tree"], ["graph"], ["build", "-o", "x"], ["stubs"], ["explain", "app/secret.py"]):
        answer = apart(lambda command=command: cli(project, *command, "--root", "app"))
        assert answer["problem"] == ""


def test_a_file_that_becomes_a_fifo_fails_at_once(project: Path) -> None:
    (project / "app").mkdir()
    (project / "app/user.py").write_text("class User: ...\n")

    def changed() -> str:
        os.chdir(project)
        loader = AutoLoader("app").setup()
        os.unlink("app/user.py")
        os.mkfifo("app/user.py")
        try:
            loader.resolve("app.User")
        except ImportError as error:
            return str(error)
        return "loaded"

    assert "app/user.py is no longer a regular file" in apart(changed)


def test_a_thousand_directories_deep(project: Path) -> None:
    path, here = project / "app", os.getcwd()
    path.mkdir()
    (path / "first.py").write_text("class First: ...\n")
    os.chdir(path)
    for _ in range(1000):
        os.mkdir("d")
        os.chdir("d")
    Path("bottom.py").write_text("class Bottom: ...\n")
    os.chdir(here)
    bottom = "app" + ".d" * 1000 + ".bottom"

    def loaded() -> list[str]:
        os.chdir(project)
        loader = AutoLoader("app").setup()
        assert loader.where(bottom) is not None
        loader.eager_load(strict=True)
        return [name for name in loader.loaded() if name in ("app.first", bottom)]

    assert apart(loaded) == [bottom, "app.first"]
    for command in (
        ["tree"],
        ["tree", "--json"],
        ["check", "--static"],
        ["graph"],
        ["build", "-o", "x"],
        ["explain", bottom],
    ):
        answer = apart(lambda command=command: cli(project, *command, "--root", "app"))
        assert answer["problem"] == ""
        assert answer["code"] == 0


# Text


def test_printable_text_has_no_control_characters() -> None:
    assert printable("plain äöü 中") == "plain äöü 中"
    assert printable("a\nb\x1b[2J\udcff\u202e\x7f") == "a\\nb\\x1b[2J\\udcff\\u202e\\x7f"
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"


def test_errors_escape_what_they_name() -> None:
    assert "\x1b" not in str(PathError("a\x1bb", "is bad", "mend it"))


@pytest.mark.parametrize("raised", [ValueError, SystemExit, RecursionError, GeneratorExit])
def test_an_exception_whose_text_fails_is_described(raised: type[BaseException]) -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise raised

    assert described(Hostile()) == f"Hostile: (its text cannot be shown: {raised.__name__})"
    assert described(ValueError("x")) == "ValueError: x"
    assert described(ValueError()) == "ValueError"
