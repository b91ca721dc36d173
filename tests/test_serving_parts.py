"""Parts of the development server: the socket, what is told of errors, who sees source, what is watched."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")

from serving_app import until

from pyautoload import AutoLoader
from pyautoload.errors import ReloadError, ServeError
from pyautoload.loaders import all_loaders, note_provisional
from pyautoload.reloading.result import ReloadResult
from pyautoload.serving.page.failure import Failure
from pyautoload.serving.server.channel import Channel
from pyautoload.serving.server.listening_socket import listen, url
from pyautoload.serving.server.options import Options
from pyautoload.serving.server.report import Reporter
from pyautoload.serving.server.startup_error import StartupErrorServer
from pyautoload.serving.server.unmanaged_files import SOURCES, UnmanagedFiles, changed_since, watch_files

Tree = Callable[[dict[str, str]], Path]

# The socket


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(ServeError, match="no such address"):
        listen("no.such.host.invalid", 0)


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ServeError, match=r"in use by another program.*--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_the_address_is_one_that_a_browser_understands() -> None:
    with listen("0.0.0.0", 0) as everywhere:
        assert url(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"


def test_a_line_that_comes_in_parts_is_one_message() -> None:
    mine, its = socket.socketpair()
    with mine, its:
        channel = Channel(mine)
        its.sendall(b'{"what": "rea')
        assert channel.receive() == []
        its.sendall(b'dy"}\n{"what": "quit"}\n')
        assert [message["what"] for message in channel.receive() or []] == ["ready", "quit"]
        its.close()
        assert channel.receive() is None
        assert not (channel.send("ready") and channel.send("ready")), "nobody hears it, and nothing is raised"


def test_options_are_the_same_in_the_next_process() -> None:
    options = Options("shop.web:app", roots=("shop",), hosts=("shop.test",), drain=2.5)
    assert Options.from_json(options.to_json()) == options


# Errors


def test_the_place_of_an_error_is_in_the_project_and_machinery_is_left_out(tree: Tree) -> None:
    root = tree({"app/bad.py": "import json\n\njson.loads('{')\n"})
    loader = AutoLoader("app").setup()
    with pytest.raises(ValueError) as caught:
        loader.resolve("app.bad")
    failure = Failure.of(caught.value, str(root))
    assert failure.headline(str(root)).startswith(f"{os.path.join('app', 'bad.py')}:3: JSONDecodeError: Expecting")
    assert "importlib" not in failure.trace
    assert "json.loads('{')" in failure.trace


def test_the_place_of_a_syntax_error_is_the_line_itself() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("a = 1\nb = = 2\n", "shop/db.py", "exec")
    assert Failure.of(caught.value).headline("") == "shop/db.py:2: SyntaxError: invalid syntax"


def test_a_reload_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter("/shop")
    reporter.reload(ReloadResult(patched=["shop.a"], reexecuted=[f"shop.m{n}" for n in range(50)], duration=0.0021))
    error = ReloadError("shop.a", "/shop/a.py", 3, ValueError("first\nsecond"))
    error.__cause__ = ValueError("first\nsecond")
    reporter.reload(ReloadResult(errors=[error]))
    first, second = capsys.readouterr().err.splitlines()
    assert "exact in 2.1 ms: patched shop.a; re-executed shop.m0, shop.m1" in first
    assert first.endswith("and 46 more")
    assert "a.py:3: ValueError: first; still running the previous code" in second


def test_a_path_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter("").request("GET", "/\n12:00:00 stopped\x1b[2J", 200, 0.001)
    assert len(capsys.readouterr().err.splitlines()) == 1


# Who may see source


def test_the_page_escapes_what_it_shows() -> None:
    with listen("127.0.0.1", 0) as listener:
        server = StartupErrorServer(listener, Failure("<script>alert(1)</script>"), "", [], refresh=False)
        page, mark = server.page(in_full=True)
        assert b"<script>" not in page
        server.show(Failure("another"))
        assert server.page(in_full=True)[1] != mark


# What is watched beside the roots


def test_modules_beside_the_roots_are_watched_by_content(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"beside_the_roots.py": "A = 1\n", "app/a.py": "A = 1\n", "pyproject.toml": ""})
    monkeypatch.syspath_prepend(str(root))
    import beside_the_roots  # type: ignore[import-not-found] # noqa: F401

    told: list[str] = []
    outside = UnmanagedFiles(str(root), [str(root / "app")], told.extend, polling=False)
    outside.start(time.time() + 60)
    try:
        names = {os.path.basename(path) for path in outside.known}
        assert names == {"beside_the_roots.py", "pyproject.toml"}
        os.utime(root / "beside_the_roots.py")
        (root / "pyproject.toml").write_text("[tool]\n", encoding="utf-8")
        deadline = time.monotonic() + 60
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert told == ["pyproject.toml"]
    finally:
        outside.stop()


def test_an_outside_file_whose_event_was_lost_is_found_when_everything_is_looked_at(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"app/inside.py": "X = 1", "pyproject.toml": ""})
    monkeypatch.setattr("pyautoload.reloading.watching.observation.Observation._take", lambda self, events: None)
    told: list[str] = []
    outside = UnmanagedFiles(str(root), [str(root / "app")], told.extend, polling=False)
    outside.start(time.time() + 60)
    try:
        (root / "pyproject.toml").write_text("[tool]\n", encoding="utf-8")
        outside._watcher.look_at_everything()
        deadline = time.monotonic() + 60
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert told == ["pyproject.toml"]
    finally:
        outside.stop()


def test_what_was_saved_while_nobody_watched_is_found(tree: Tree) -> None:
    root = tree({"app/old.py": "", "app/new.py": "", "app/future.py": "", "app/text.txt": ""})
    now = time.time()
    os.utime(root / "app/old.py", (now - 100, now - 100))
    os.utime(root / "app/new.py", (now - 5, now - 5))
    os.utime(root / "app/future.py", (now + 1000, now + 1000))
    assert [os.path.basename(path) for path in changed_since([str(root)], now - 10)] == ["new.py"]


# The loader that gives way


def test_a_provisional_loader_gives_way_to_the_one_that_the_program_makes(tree: Tree) -> None:
    tree({"app/a.py": "class A: ...\n", "other/b.py": "class B: ...\n"})
    provisional, elsewhere = AutoLoader("app"), AutoLoader("other")
    for loader in (provisional, elsewhere):
        note_provisional(loader)
        loader.setup()
    own = AutoLoader("app").setup()
    assert not provisional.is_set_up
    assert elsewhere.is_set_up
    assert own.resolve("app.A").__module__ == "app.a"
    assert provisional not in all_loaders()


def test_files_are_watched_in_each_of_several_places_below_a_hidden_directory(tmp_path: Path) -> None:
    places = [tmp_path / ".trees" / name for name in ("one", "two")]
    for place in places:
        (place / ".cache").mkdir(parents=True)
    told: list[list[str]] = []
    watcher = watch_files(map(str, places), SOURCES, told.append, polling=False)
    try:
        (places[1] / ".cache" / "hidden.py").write_text("")
        (places[1] / "new.py").write_text("")
        until(lambda: told)
    finally:
        watcher.stop()
    assert told == [[str(places[1] / "new.py")]]
