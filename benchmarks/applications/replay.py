"""Replay: one application, its edits, and what became of each of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Edit", "Outcome", "Recipe", "replay"]

# Seconds that an edit may take to be in the answers.
PATIENCE = 20.0
# Seconds that a process may take to start.
_START = 120.0
# What differs between any two answers: tokens, times, and where errors were raised.
_VARIES = re.compile(
    r"(csrf\w*[^>]{0,60}?(value=|: ?)|nonce=)[\"'][^\"']+[\"']|0x[0-9a-f]+|\d\d:\d\d:\d\d(\.\d+)?", re.IGNORECASE
)
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_WORDS = ("exact", "anew", "restarted", "partly", "saved", "reload failed", "start failed")
_LINE = re.compile(rf"^\d\d:\d\d:\d\d ({'|'.join(_WORDS)})\b.*", re.MULTILINE)
_FRESH = """
import importlib, os, sys
sys.path.insert(0, os.getcwd())
target, interface = sys.argv[1:]
module, _, name = target.partition(":")
application = getattr(importlib.import_module(module), name.removesuffix("()"))
application = application() if name.endswith("()") else application
if interface == "wsgi":
    from werkzeug.serving import make_server
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print("port", server.port, flush=True)
    server.serve_forever()
else:
    import socket, uvicorn
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    real = server.startup
    async def startup(sockets=None):
        await real(sockets)
        print("port", listener.getsockname()[1], flush=True)
    server.startup = startup
    server.run(sockets=[listener])
"""


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        kind: ``"a view body"``.
        changes: file → what stands there and what is to, or the whole text; ``None`` deletes it.
        urls: further addresses to look at from now on.
        is_wrong: whether it is a mistake: a fresh process does not start, or fails to answer. The old answers stay.
        everything_back: whether all files get the text that they had at first, at once: a checkout.
    """

    kind: str
    changes: Mapping[str, tuple[str, str] | str | None] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    is_wrong: bool = False
    everything_back: bool = False


@dataclass(frozen=True)
class Recipe:
    """How an application is served, and edited.

    Attributes:
        target: of ``pyautoload serve``.
        interface: ``"wsgi"`` or ``"asgi"``, for the fresh process.
        urls: addresses to look at.
        edits: one after the other.
        prepare: commands of Python that make its database.
        variables: of its environment.
    """

    target: str
    interface: str
    urls: tuple[str, ...]
    edits: tuple[Edit, ...]
    prepare: tuple[tuple[str, ...], ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of one edit.

    Attributes:
        kind: of the edit.
        how: ``"exact"``, ``"anew"``, ``"restarted"``, ``"saved"``, ``"failed"``, or ``"nothing"`` for no line.
        seconds: from the save to the right answer.
        stale: the addresses whose answers never were those of a fresh process.
        refused: requests that got no answer.
        told: the line.
    """

    kind: str
    how: str
    seconds: float
    stale: list[str]
    refused: int
    told: str


def replay(recipe: Recipe, directory: Path, progress: bool = True) -> list[Outcome]:
    """Serve a copy of an application, and edit it.

    Args:
        recipe: of the application.
        directory: it stays as it is.
        progress: whether each outcome is printed.
    """
    with tempfile.TemporaryDirectory(prefix="pyautoload-app-", ignore_cleanup_errors=True) as place:
        copy = Path(place, directory.name)
        shutil.copytree(directory, copy, ignore=shutil.ignore_patterns(".git", "__pycache__", "node_modules"))
        environment = {**os.environ, "FLASK_DEBUG": "1", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **recipe.variables}
        for command in recipe.prepare:
            subprocess.run([sys.executable, *command], cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
        with _Process(
            copy, environment, "-m", "pyautoload", "serve", "--port", "0", "--no-requests", recipe.target
        ) as served:
            address = served.found(r"serving .* on (http://\S+)")
            outcomes = []
            for outcome in _edited(recipe, copy, environment, served, address):
                outcomes.append(outcome)
                if progress:
                    stale = f"  STALE {outcome.stale}" if outcome.stale else ""
                    print(
                        f"  {outcome.kind:20} {outcome.how:10} {outcome.seconds:6.2f} s{stale}  {outcome.told}",
                        flush=True,
                    )
            return outcomes


def _edited(
    recipe: Recipe, copy: Path, environment: dict[str, str], served: _Process, address: str
) -> Iterator[Outcome]:
    first = {path: path.read_text(encoding="utf-8") for path in copy.rglob("*.*") if path.suffix in (".py", ".html")}
    urls = list(recipe.urls)
    expected = _fresh(recipe, copy, environment, urls)
    assert expected is not None, f"{recipe.target} does not start as it is"
    for edit in recipe.edits:
        urls += edit.urls
        told, began = len(served.text), time.monotonic()
        with _Watcher(address, urls) as watcher:
            if edit.everything_back:
                _put_back(copy, first)
            for file, change in edit.changes.items():
                _change(copy / file, change)
            answers = _fresh(recipe, copy, environment, urls)
            fails = answers is None or any(answers[url] == "500" != expected.get(url) for url in urls)
            assert fails == edit.is_wrong, f"{edit.kind}: a fresh process {'fails' if fails else 'does not fail'}"
            if answers is not None and not edit.is_wrong:
                expected = answers
            _how(served, told)  # waits for the first line
            stale, right = watcher.until(expected)
            how, line = _how(served, told)
        yield Outcome(edit.kind, how, right - began, stale, watcher.refused, line)


def _put_back(copy: Path, first: Mapping[Path, str]) -> None:
    for path in copy.rglob("*.py"):
        if path not in first:
            path.unlink()
    for path, text in first.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _change(path: Path, change: tuple[str, str] | str | None) -> None:
    if change is None:
        path.unlink()
        return
    if isinstance(change, tuple):
        text = path.read_text(encoding="utf-8")
        assert change[0] in text, f"{path} has no {change[0]!r}"
        change = text.replace(*change)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(change, encoding="utf-8")


def _fresh(recipe: Recipe, copy: Path, environment: dict[str, str], urls: list[str]) -> dict[str, str] | None:
    """The answers of a process that has just been started, without any of this library; ``None`` if it does not."""
    with _Process(copy, environment, "-c", _FRESH, recipe.target, recipe.interface) as process:
        try:
            port = process.found(r"port (\d+)")
        except AssertionError:
            return None
        return {url: _get(f"http://127.0.0.1:{port}{url}") for url in urls}


def _how(served: _Process, told: int) -> tuple[str, str]:
    deadline = time.monotonic() + 5
    while not (lines := list(_LINE.finditer(served.text[told:]))) and time.monotonic() < deadline:
        time.sleep(0.1)
    if not lines:
        return "nothing", ""
    found = next((line for line in lines if line[1] == "restarted"), lines[-1])
    return found[1].replace("reload failed", "failed").replace("start failed", "failed"), found[0][9:160]


def _get(url: str) -> str:
    """Status and text, without what differs between any two answers."""
    # As a script would ask, so that nothing is put into pages.
    request = urllib.request.Request(url, headers={"Sec-Fetch-Dest": "empty", "Accept": "*/*"})
    try:
        with _OPENER.open(request, timeout=20) as response:
            status, text = response.status, response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        return f"no answer: {error}"
    if status == 500:
        return "500"  # the page shows a traceback, ours another one
    text = _VARIES.sub("", text)
    return f"{status} {re.sub(r'127.0.0.1:[0-9]+', '', text)}"


class _Watcher:
    """Asks for all pages over and over, and notes when it got which answers."""

    def __init__(self, address: str, urls: Iterable[str]) -> None:
        self._address = address
        self._urls = list(urls)
        # Example: [(71.2, {"/": "200 hello"})]
        self._seen: list[tuple[float, dict[str, str]]] = []
        self.refused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._stop.wait(0.02):
            answers = {url: _get(self._address + url) for url in self._urls}
            self.refused += sum(answer.startswith("no answer") for answer in answers.values())
            self._seen.append((time.monotonic(), answers))

    def until(self, expected: Mapping[str, str]) -> tuple[list[str], float]:
        """Wait for the answers that are right, and stay so; the addresses where they never were, and since when."""
        deadline = time.monotonic() + PATIENCE
        while True:
            count = len(self._seen)
            while len(self._seen) < count + 2:
                time.sleep(0.02)
            wrong = [[url for url in expected if answers[url] != expected[url]] for _, answers in list(self._seen)]
            if not wrong[-1] or time.monotonic() > deadline:
                since = len(wrong) - next((number for number, each in enumerate(reversed(wrong)) if each), len(wrong))
                return wrong[-1], self._seen[min(since, len(wrong) - 1)][0]

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()


class _Process:
    """A Python process, ended at the end of a ``with`` statement."""

    def __init__(self, directory: Path, environment: dict[str, str], *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.text += line

    def found(self, pattern: str) -> str:
        """Wait until it prints something; the part of it in parentheses."""
        deadline = time.monotonic() + _START
        while (match := re.search(pattern, self.text)) is None:
            ended = self._process.poll() is not None
            if ended:
                self._reader.join(5)
            if ended or time.monotonic() > deadline:
                match = re.search(pattern, self.text)
                assert match, f"it printed no {pattern!r}:\n{self.text[-3000:]}"
                break
            time.sleep(0.02)
        return str(match[1])

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)
