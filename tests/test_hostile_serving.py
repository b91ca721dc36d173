"""Requests of strange shapes, and processes that are killed at any time: the server goes on, and nothing is let out."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from process_table import running_processes
from rounds import rounds

pytest.importorskip("click")
pytest.importorskip("werkzeug")
pytest.importorskip("uvicorn")

from running import PATIENCE, environment
from served import Served

Tree = Callable[[dict[str, str]], Path]

posix = pytest.mark.skipif(os.name == "nt", reason="Windows ends processes in other ways")
WSGI = """
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/crash":
            raise LookupError("what-is-secret")
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<!doctype html><body>fine</body>"]
"""
ASGI = """
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        if scope["path"] == "/crash":
            raise LookupError("what-is-secret")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<!doctype html><body>fine</body>"})
"""
FILES = {
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\n',
    "shop/web.py": WSGI,
    "shop/awesome.py": ASGI,
    "shop/broken.py": "raise LookupError('what-is-secret')\n",
}
SERVERS = {"werkzeug": "shop.web:app", "uvicorn": "shop.awesome:app", "startup error": "shop.broken:app"}
SECRET = b"what-is-secret"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(Served(tmp_path, *arguments, **more))


# Requests


METHODS = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"get",
    b"G\0T",
    b"X" * 9000,
    b"",
    b"\xff",
]
TARGETS = [
    b"/",
    b"/crash",
    b"/crash?x=%00",
    b"//evil.example/crash",
    b"http://evil.example/crash",
    b"http://[::1/crash",
    b"*",
    b"",
    b"/%00",
    b"/%ff%fe",
    b"/\xe9\xff",
    b"/a b",
    b"/" + b"a" * 70_000,
    b"?x",
    b"/../..",
    b"/.%2e/",
    b"\\crash",
    b"/crash#x",
    b"/__pyautoload__/events",
    b"/__pyautoload__/client.js",
    b"/__pyautoload__/open",
    b"/__pyautoload__/open?x",
    b"/__pyautoload__/%2e%2e/events",
    b"/__pyautoload__//events",
    b"/__PYAUTOLOAD__/events",
    b"evil.example:80",
    b"/\0",
]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.1 x", b"", b"HTTP/9999", b"http/1.1", b"\xff"]
STRANGE = [
    b"Host",
    b": x",
    b"A: b\0c",
    b"A: \xff\xfe",
    b"A" * 9000 + b": x",
    b"A: " + b"b" * 70_000,
    b" folded",
    b"\tfolded",
    b"A : x",
    b"Content-Length: -1",
    b"Content-Length: x",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: 99999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: x, chunked",
    b"Expect: 100-continue",
    b"Expect: x",
    b"Upgrade: h2c",
    b"Connection: upgrade\r\nUpgrade: websocket",
    b"Connection: keep-alive, close, x",
    b"Cookie: ;;;=;a=b;pyautoload=;=x",
    b"Accept-Encoding: ,,;q=x",
    b"Range: bytes=9-1,x",
    b'If-None-Match: "',
    b"Sec-Fetch-Dest: x",
    b"Content-Type: \xff;;=",
    b"Authorization: " + b"=" * 999,
    b"Date: x",
    b"A: b\nInjected: c",
    b"A: b\rInjected: c",
    b"\x0b: x",
    b"HX-Request: x",
]
# Each of these makes whoever asks a stranger, whatever else he says.
FOREIGN = [
    b"Host: evil.example",
    b"Host: [::1].evil.example",
    b"Host: [::1",
    b"Host: localhost:80@evil.example",
    b"Host: localhost\0",
    b"Host: localhost, localhost",
    b"Host: localhost:999999",
    b"Host: user@localhost",
    b"Host: 127.0.0.1.evil.example",
    b"Host: localhost%00.evil.example",
    b"Host: \xe2\x84\x93ocalhost",
    b"Host: localhost\r\nHost: evil.example",
    b"Host:",
    *(
        b"Host: localhost\r\n" + more
        for more in (
            b"Via: 1.1 x",
            b"Forwarded: for=x",
            b"X-Forwarded-For: 127.0.0.1",
            b"x-real-ip:",
            b"CF-Ray: x",
            b"Fly-Client-IP: x",
            b"True-Client-IP: x",
            b"X-Envoy-Internal: true",
            b"X-Amzn-Trace-Id: x",
            b"Origin: null",
            b"Origin: http://evil.example",
            b"Origin: http://localhost@evil.example",
            b"Origin: http://localhost\r\nOrigin: http://evil.example",
        )
    ),
]


def asked(port: int, data: bytes, patience: float) -> bytes:
    """What the server answers to bytes, until it closes or says no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.settimeout(patience)
        said = b""
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                said += part
        except OSError:
            pass  # it waits for more, or has hung up
        return said


def request(chance: random.Random, *, foreign: bool) -> bytes:
    """Something like a request."""
    if not foreign and chance.random() < 0.1:
        return chance.randbytes(chance.randrange(1, 2000))
    odd = chance.random() < 0.5
    target = chance.choice(TARGETS) if odd else b"/crash"
    words = [chance.choice(METHODS) if odd else b"GET", target, chance.choice(VERSIONS) if odd else b"HTTP/1.1"]
    lines = [b" ".join(words), chance.choice(FOREIGN) if foreign else b"Host: localhost"]
    lines += chance.choices(STRANGE, k=chance.randrange(4))
    data = (
        b"\r\n".join(lines)
        + b"\r\n\r\n"
        + chance.choice([b"", b"", b"x" * 100, b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n\r\n"])
    )
    return data[: chance.randrange(len(data))] if chance.random() < 0.1 else data


@pytest.mark.parametrize("name", SERVERS)
def test_requests_of_strange_shapes_harm_nobody(name: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(SERVERS[name]).ready()
    chance = random.Random(42)
    answered = shown = 0
    for number in range(rounds(60, 1000)):
        foreign = number % 2 == 0
        data = request(chance, foreign=foreign)
        said = asked(served.port, data, 0.15)
        assert not (foreign and SECRET in said), f"number {number}: {data!r}"
        answered += bool(said)
        shown += SECRET in said
    fine = served.get()
    assert (fine.status, "fine" in fine.text) == ((503, False) if name == "startup error" else (200, True))
    assert shown, "who is let in sees it"
    assert answered
    assert served.started == (0 if name == "startup error" else 1), served.log[-3000:]
    ours = served.log.replace("\\", "/").find("pyautoload/serving")
    assert ours == -1, served.log[max(0, ours - 1500) : ours + 3000]


# Killed


def below(process: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    parents = {pid: parent for pid, (parent, _, _) in running_processes().items()}
    found = [process]
    for one in found:
        found += [pid for pid, parent in parents.items() if parent == one and pid not in found]
    return found[1:]


def is_there(process: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for is none."""
    return running_processes().get(process, (0, "Z", ""))[1] != "Z"


def wait_until(check: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def greeting(number: int, target: str) -> dict[str, str]:
    text = f"TEXT = 'number {number} '\n"
    return {"shop/text.py": text, **({"shop/web.py": WSGI_TEXT, "shop/awesome.py": ASGI_TEXT} if number == 0 else {})}


WSGI_TEXT = """
    from shop import text

    def app(environ, start_response):
        start_response("200 OK", [])
        return [text.TEXT.encode()]
"""
ASGI_TEXT = """
    from shop import text

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.TEXT.encode()})
"""


@posix
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("target", ["shop.web:app", "shop.awesome:app"], ids=["wsgi", "asgi"])
def test_a_worker_that_is_killed_at_any_time_comes_back_with_the_next_edit(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({**FILES, **greeting(0, target)})
    served = serve(target).ready()
    chance = random.Random(1)
    killed = 0
    for number in range(1, rounds(3, 200) + 1):
        served.write("shop/text.py", f"TEXT = 'number {number} '\n")
        if chance.random() < 0.5:
            time.sleep(chance.random() * 0.5)  # while it reloads, starts, or makes room
        for worker in below(served.process.pid)[: chance.randrange(1, 3)]:
            try:
                os.kill(worker, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass  # it has ended by itself meanwhile
        time.sleep(chance.random() * 0.1)
        served.write("shop/text.py", f"TEXT = 'number {number}, again '\n")

        saved = time.monotonic()

        def is_back(number: int = number) -> bool:
            nonlocal saved
            if time.monotonic() - saved > 15:  # it was saved in the moment between two processes
                served.write("shop/text.py", f"TEXT = 'number {number}, again '\n")
                saved = time.monotonic()
            try:
                return f"number {number}, again" in served.get().text
            except OSError:
                return False

        served.until(is_back, f"back after the kill {number}")
        assert served.process.poll() is None
    assert killed
    # The one that serves, and what the next one is made from.
    wait_until(lambda: len(below(served.process.pid)) <= 3, "no process of before is left")
    assert served.end() == 0


@posix
@pytest.mark.timeout(7200)
def test_nothing_is_left_of_a_supervisor_that_was_killed_at_any_time(tree: Tree, tmp_path: Path) -> None:
    tree({**FILES, **greeting(0, "")})
    before = sorted(path.name for path in tmp_path.iterdir())
    chance = random.Random(2)
    for number in range(rounds(2, 100)):
        target = chance.choice(["shop.web:app", "shop.awesome:app", "shop.broken:app"])
        command = [sys.executable, "-m", "pyautoload", "serve", "--port", "0", target]
        with open(tmp_path.parent / f"{tmp_path.name}.log", "w+") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=log, stderr=log)
            # From the moment that it starts to a while after that it serves.
            deadline = time.monotonic() + (chance.random() * 2 if number % 2 else PATIENCE)
            while time.monotonic() < deadline and not re.search(r"on http", Path(log.name).read_text()):
                time.sleep(0.02)
            if chance.random() < 0.3:
                (tmp_path / "shop" / "text.py").write_text(f"TEXT = '{number}'\n")
                time.sleep(chance.random() * 0.3)
            children = below(process.pid)
            process.kill()
            process.wait()
        wait_until(
            lambda children=children: not any(map(is_there, children)), f"a process is left, number {number}", 30
        )
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == before


@posix
def test_a_worker_whose_threads_never_end_goes_with_the_supervisor(tree: Tree, serve: Callable[..., Served]) -> None:
    stays = "import threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n"
    tree({**FILES, "shop/web.py": stays + WSGI.replace("\n    ", "\n")})
    served = serve("shop.web:app").ready()
    children = below(served.process.pid)
    assert children
    served.process.kill()
    wait_until(lambda: not any(map(is_there, children)), "a process is left", 30)
