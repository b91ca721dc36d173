"""Ways to lose an event, and that the edit goes live all the same, again and again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading

import pytest

from pyautoload import AutoLoader
from pyautoload.reloading.watching import observation
from pyautoload.reloading.watching.watchdog_events import WatchdogEvents

EDITS = 3


def source(number: int) -> str:
    return f"def f():\n    return {number}\n"


def saves(number: int, path) -> None:
    path.write_text(source(number))


def replaces(number: int, path) -> None:
    other = path.with_name("other.tmp")
    other.write_text(source(number))
    os.replace(other, path)


class Tree:
    """A root with modules in it, one directory down too; ``real`` is where the files lie."""

    def __init__(self, tmp_path, name: str = "shop") -> None:
        self.base = tmp_path
        self.real = tmp_path / name
        self.fill(self.real)
        self.root = self.real

    @staticmethod
    def fill(directory) -> None:
        (directory / "below").mkdir(parents=True)
        (directory / "a.py").write_text(source(0))
        (directory / "below" / "b.py").write_text(source(0))


# Each takes a tree, prepares it before it is watched, and gives what is done once it is watched.


def root_made_again(tree):
    def lose():
        shutil.rmtree(tree.real)
        tree.fill(tree.real)

    return lose


def root_moved_away_and_made_again(tree):
    def lose():
        os.rename(tree.real, tree.base / "old")
        tree.fill(tree.real)

    return lose


def root_replaced_by_a_copy(tree):
    def lose():
        shutil.copytree(tree.real, tree.base / "copy")
        os.rename(tree.real, tree.base / "old")
        os.rename(tree.base / "copy", tree.real)

    return lose


def root_away_for_a_while(tree):
    def lose():
        os.rename(tree.real, tree.base / "old")
        threading.Event().wait(0.6)
        os.rename(tree.base / "old", tree.real)

    return lose


def root_is_a_link(tree):
    tree.root = tree.base / "link"
    tree.root.symlink_to(tree.real)
    return lambda: None


def link_that_is_switched(tree):
    Tree.fill(tree.base / "two")
    tree.root = tree.base / "link"
    tree.root.symlink_to(tree.real)

    def lose():
        (tree.base / "next").symlink_to(tree.base / "two")
        os.replace(tree.base / "next", tree.root)
        tree.real = tree.base / "two"

    return lose


def link_above_that_is_switched(tree):
    (tree.base / "one").mkdir()
    os.rename(tree.real, tree.base / "one" / "shop")
    tree.real = tree.base / "one" / "shop"
    Tree.fill(tree.base / "two" / "shop")
    (tree.base / "current").symlink_to("one")
    tree.root = tree.base / "current" / "shop"

    def lose():
        (tree.base / "next").symlink_to("two")
        os.replace(tree.base / "next", tree.base / "current")
        tree.real = tree.base / "two" / "shop"

    return lose


def directory_inside_is_a_link(tree):
    os.rename(tree.real / "below", tree.base / "elsewhere")
    (tree.real / "below").symlink_to(tree.base / "elsewhere")
    return lambda: None


def target_of_a_directory_link_made_again(tree):
    os.rename(tree.real / "below", tree.base / "elsewhere")
    (tree.real / "below").symlink_to(tree.base / "elsewhere")

    def lose():
        shutil.rmtree(tree.base / "elsewhere")
        (tree.base / "elsewhere").mkdir()
        (tree.base / "elsewhere" / "b.py").write_text(source(0))

    return lose


def directory_replaced_by_a_link(tree):
    def lose():
        os.rename(tree.real / "below", tree.base / "elsewhere")
        (tree.real / "below").symlink_to(tree.base / "elsewhere")

    return lose


def directory_made_again(tree):
    def lose():
        shutil.rmtree(tree.real / "below")
        (tree.real / "below").mkdir()
        (tree.real / "below" / "b.py").write_text(source(0))

    return lose


def files_are_links(tree):
    for name in ("a.py", "below/b.py"):
        real = tree.base / f"real_{os.path.basename(name)}"
        os.rename(tree.real / name, real)
        (tree.real / name).symlink_to(real)
    return lambda: None


def links_that_go_round(tree):
    (tree.real / "below" / "round").symlink_to(tree.real)
    for number in range(4):
        (tree.real / f"d{number}").mkdir()
        for other in range(4):
            (tree.real / f"d{number}" / f"to{other}").symlink_to(tree.real / f"d{other}")
    return lambda: None


LOSSES = [
    root_made_again,
    root_moved_away_and_made_again,
    root_replaced_by_a_copy,
    root_away_for_a_while,
    root_is_a_link,
    link_that_is_switched,
    link_above_that_is_switched,
    directory_inside_is_a_link,
    target_of_a_directory_link_made_again,
    directory_replaced_by_a_link,
    directory_made_again,
    files_are_links,
    links_that_go_round,
]


class Watched:
    """A loader over a tree, and what it has loaded."""

    def __init__(self, tree: Tree, name: str, **options) -> None:
        self.name = name
        self.arrived = threading.Condition()
        self.loader = AutoLoader(tree.root, top_level=name).setup()
        self.loader.enable_reloading(on_reload=self.note, **options)
        self.a, self.b = self.value("a"), self.value("below.b")

    def note(self, result) -> None:
        with self.arrived:
            self.arrived.notify_all()

    def value(self, module: str):
        return self.loader.resolve(f"{self.name}.{module}").f

    def comes_to(self, *values: int) -> bool:
        """Whether both modules soon give these values: the functions that were loaded at first, if they still count."""

        def is_so() -> bool:
            try:
                self.a, self.b = self.value("a"), self.value("below.b")
            except (AttributeError, ImportError):  # between its end and its return
                return False
            return (self.a(), self.b()) == values

        with self.arrived:
            return self.arrived.wait_for(is_so, 20)


@pytest.fixture
def watched(monkeypatch, tmp_path):
    made = []

    def make(tree, **options):
        made.append(Watched(tree, f"lost{os.urandom(4).hex()}", **options))
        return made[-1]

    yield make
    for each in made:
        each.loader.disable_reloading()
        each.loader.unregister()


def by_watchdog(monkeypatch):
    monkeypatch.setattr(observation, "_events", WatchdogEvents)
    return {}


def by_inotify(monkeypatch):
    if sys.platform != "linux":
        pytest.skip("there is no inotify here")
    return {}


def by_polling(monkeypatch):
    return {"polling": True}


@pytest.mark.parametrize(
    ("way", "save"), [(by_inotify, saves), (by_inotify, replaces), (by_polling, saves), (by_watchdog, replaces)]
)
@pytest.mark.parametrize("loss", LOSSES)
def test_edits_go_live_whatever_was_lost(tmp_path, monkeypatch, watched, loss, way, save):
    tree = Tree(tmp_path)
    lose = loss(tree)
    it = watched(tree, **way(monkeypatch))
    save(1, tree.real / "a.py")
    save(1, tree.real / "below" / "b.py")
    assert it.comes_to(1, 1)
    lose()
    for number in range(2, 2 + EDITS):
        save(number, tree.real / "a.py")
        save(number, tree.real / "below" / "b.py")
        assert it.comes_to(number, number)
    assert it.loader.reloader.watches


@pytest.mark.skipif(sys.platform != "linux", reason="there is no inotify here")
def test_an_overflow_of_the_system_s_queue(tmp_path, watched):
    tree = Tree(tmp_path)
    it = watched(tree)
    watcher = it.loader.reloader._watcher
    with watcher._condition:  # the thread that takes events waits from the next wanted one on
        saves(1, tree.real / "a.py")
        for number in range(4_500):  # five events each; the queue takes 16,384
            (tree.real / "note.txt").write_text(str(number))
            (tree.real / f"{number % 7}.txt").touch()
        shutil.rmtree(tree.real / "below")
        (tree.real / "below").mkdir()
        saves(1, tree.real / "below" / "b.py")
    assert it.comes_to(1, 1)
    saves(2, tree.real / "below" / "b.py")
    assert it.comes_to(1, 2)


def test_a_flood_of_files_of_others_while_python_is_busy(tmp_path, watched):
    tree = Tree(tmp_path)
    it = watched(tree)
    script = """
    import os, sys
    for number in range(20_000):
        path = os.path.join(sys.argv[1], f"other{number % 50}.dat")
        open(path, "w").close()
        os.unlink(path)
    """
    stop = threading.Event()

    def be_busy():
        while not stop.is_set():
            sum(range(1_000))

    busy = [threading.Thread(target=be_busy) for _ in range(2)]
    for thread in busy:
        thread.start()
    try:
        other = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), str(tree.real)])
        for number in range(1, 6):
            saves(number, tree.real / "a.py")
            saves(number, tree.real / "below" / "b.py")
            assert it.comes_to(number, number)
        other.wait()
    finally:
        stop.set()
        for thread in busy:
            thread.join()


def without_events(tmp_path, monkeypatch):
    """Let no event arrive, whatever the reason."""
    monkeypatch.setattr(observation.Observation, "_take", lambda self, events: None)
    monkeypatch.setattr(observation.Observation, "_take_other", lambda self, path: False)


@pytest.mark.parametrize("save", [saves, replaces])
def test_what_no_event_tells_of_is_found(tmp_path, monkeypatch, watched, save):
    without_events(tmp_path, monkeypatch)
    tree = Tree(tmp_path)
    (tree.real / "c.py").write_text("class C: ...\n")
    (tree.real / "data.txt").write_text("1")
    (tree.real / "reader.py").write_text(
        "import pathlib\nTEXT = pathlib.Path(__file__).with_name('data.txt').read_text()\n"
    )
    it = watched(tree)
    reader = it.loader.resolve(f"{it.name}.reader")
    assert it.loader.resolve(f"{it.name}.C")
    for number in range(1, 3):
        save(number, tree.real / "a.py")
        save(number, tree.real / "below" / "b.py")
        assert it.comes_to(number, number)
    (tree.real / "data.txt").write_text("2")
    with it.arrived:
        assert it.arrived.wait_for(lambda: reader.TEXT == "2", 20)
    (tree.real / "c.py").unlink()
    with it.arrived:
        assert it.arrived.wait_for(lambda: f"{it.name}.c" not in sys.modules, 20)
    (tree.real / "below" / "new.py").write_text("class New: ...\n")
    (tree.real / "below" / "deep").mkdir()
    (tree.real / "below" / "deep" / "newer.py").write_text("class Newer: ...\n")
    assert it.loader.resolve(f"{it.name}.below.New")
    assert it.loader.resolve(f"{it.name}.below.deep.Newer")


def test_what_fails_is_found_once_and_healed(tmp_path, monkeypatch, watched):
    without_events(tmp_path, monkeypatch)
    tree = Tree(tmp_path)
    it = watched(tree)
    results = []
    it.loader.on_reload(results.append)
    (tree.real / "a.py").write_text("def f(:\n")
    saves(1, tree.real / "below" / "b.py")
    with it.arrived:
        assert it.arrived.wait_for(lambda: bool(results), 20)
    threading.Event().wait(2.5)
    assert [bool(result.errors) for result in results] == [True]
    saves(2, tree.real / "a.py")
    assert it.comes_to(2, 1)


def in_a_namespace(*command):
    return ["unshare", "--user", "--map-root-user", *command]


def may_set_limits() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    script = "echo 1000 > /proc/sys/user/max_inotify_watches"
    return subprocess.run(in_a_namespace("sh", "-c", script), capture_output=True).returncode == 0


@pytest.mark.skipif(not may_set_limits(), reason="this user may not make namespaces with limits of their own")
@pytest.mark.parametrize(("limit", "warns"), [(0, True), (1, True), (3, True), (6, False), (7, False), (100, False)])
def test_the_limit_of_watches(tmp_path, limit, warns):
    script = os.path.join(os.path.dirname(__file__), "watch_limit.py")
    done = subprocess.run(
        in_a_namespace(sys.executable, script, str(limit)), cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    everything = [f"d{number}" for number in range(5)] + [f"late{number}" for number in range(3)]
    assert told["seen"] == [everything, everything]
    assert told["watches"] == min(limit, 9)
    assert told["watches"] + told["polled"] == 9
    assert told["polls"] == (limit < 9)
    assert any("max_user_watches" in text for text in told["warnings"]) == warns
    assert ("max_user_watches" in done.stderr) == (not warns and limit < 9)


def test_what_was_loaded_stays_while_its_root_is_away(tmp_path, watched, caplog):
    tree = Tree(tmp_path)
    it = watched(tree)
    a = it.a
    os.rename(tree.real, tmp_path / "old")
    assert it.loader.reload().ok
    assert it.loader.reload_if_changed() is None
    assert it.value("a") is a
    assert "is not there" in caplog.text
    os.rename(tmp_path / "old", tree.real)
    saves(1, tree.real / "a.py")
    assert it.comes_to(1, 0)
    assert it.a is a


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_of_a_branch_without_the_root_and_back(tmp_path, watched, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would keep the directory, which git leaves then
    tree = Tree(tmp_path)

    def git(*arguments):
        options = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *options, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("checkout", "-q", "-b", "other")
    git("commit", "-q", "--allow-empty", "-m", "nothing")
    git("checkout", "-q", "-b", "main")
    git("add", "shop")
    git("commit", "-q", "-m", "the root")
    it = watched(tree)
    for number in range(1, 4):
        git("checkout", "-q", "other")
        assert not tree.real.exists()
        git("checkout", "-q", "main")
        saves(number, tree.real / "a.py")
        saves(number, tree.real / "below" / "b.py")
        assert it.comes_to(number, number)
        git("checkout", "-q", ".")
        assert it.comes_to(0, 0)


def test_another_root_is_reloaded_while_one_is_away(tmp_path, watched):
    one, two = Tree(tmp_path, "one"), Tree(tmp_path, "two")
    it = watched(one)
    it.loader.disable_reloading()
    it.loader.push_dir(two.real, f"{it.name}two")
    it.loader.enable_reloading(on_reload=it.note)
    other = it.loader.resolve(f"{it.name}two.a").f
    os.rename(one.real, tmp_path / "old")
    for number in range(1, 3):
        saves(number, two.real / "a.py")
        with it.arrived:
            assert it.arrived.wait_for(lambda number=number: other() == number, 20)


def test_status_says_what_is_watched_and_how(tmp_path, watched):
    tree = Tree(tmp_path)
    os.rename(tree.real / "below", tmp_path / "elsewhere")
    (tree.real / "below").symlink_to(tmp_path / "elsewhere")
    it = watched(tree)
    status = it.loader.status()
    assert status.watching
    assert status.modules == 2
    assert status.events == ("inotify" if sys.platform == "linux" else "watchdog")
    assert status.links == {str(tree.real / "below"): str(tmp_path / "elsewhere")}
    assert (status.polled, status.missing, status.failing) == ({}, [], [])
    assert "modules" in str(status)
    it.loader.enable_reloading(polling=True)
    status = it.loader.status()
    assert status.events is None
    assert status.polled == dict.fromkeys(map(str, (tree.real, tree.real / "below")), "polling was asked for")
    it.loader.enable_reloading(watch=False)
    assert not it.loader.status().watching
    assert "nothing is watched" in str(it.loader.status())
