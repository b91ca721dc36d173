"""``pyautoload serve``: edits are live, mistakes harm nobody, and a restart is not noticed by those who ask."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
pytest.importorskip("uvicorn")

import pyautoload

Tree = Callable[[dict[str, str]], Path]

# Generous, as machines are busy at times: nothing waits for it when all is well.
LIMIT = 60.0
SOURCE = str(Path(pyautoload.__file__).parent.parent)
CONFIG = '[tool.pyautoload]\nroots = ["shop"]\ndo_not_reload = ["db.py"]\n'
VIEW = """
    import os
    import time
    from shop import db, greeting

    visits = []


    def answer(path):
        visits.append(path)
        return f"{greeting.text()} {len(visits)} {db.STATE} {os.getpid()}".encode()
"""
WSGI = """
    import time
    from shop import view


    def app(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            time.sleep(1)
        body = view.answer(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


    def create_app():
        return app
"""
ASGI = """
    import asyncio
    from shop import view


    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    print("closed", flush=True)
                    return
        if scope["path"] == "/slow":
            await asyncio.sleep(1)
        body = view.answer(scope["path"])
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})
"""
FILES = {
    "pyproject.toml": CONFIG,
    "shop/web.py": WSGI,
    "shop/awesome.py": ASGI,
    "shop/view.py": VIEW,
    "shop/greeting.py": "def text():\n    return 'hello'\n",
    "shop/db.py": "STATE = 'first'\n",
}
BOTH = pytest.mark.parametrize("target", ["shop.web:app", "shop.awesome:app"], ids=["wsgi", "asgi"])
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals for this")


class Served:
    """``python -m pyautoload serve`` in a process of its own."""

    def __init__(self, directory: Path, *arguments: str, **environment: str) -> None:
        names = ("PYAUTOLOAD", "FLASK", "COV_", "PYTEST")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(names)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pyautoload", "serve", *arguments],
            cwd=directory,
            env={**kept, "PYTHONPATH": SOURCE, "PYTHONUTF8": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        self.port = 0

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str, times: int = 1) -> str:
        """Wait until it has said something so many times; the line where it did."""
        found: list[str] = []

        def said() -> bool:
            found[:] = [line for line in list(self.lines) if text in line]
            return len(found) >= times

        self.until(said, f"to say {text!r}")
        return found[-1]

    def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < end, f"waited {LIMIT} s for it {what}; it said:\n{self.output}"
            time.sleep(0.01)

    def ready(self) -> Served:
        line = self.wait_for(" on http://")
        self.port = int(line.partition("http://")[2].split()[0].rpartition(":")[2])
        return self

    def ask(self, path: str = "/", host: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(host, self.port, timeout=LIMIT)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def words(self) -> list[str]:
        """What the application answers: greeting, number of visits, ``db.STATE``, process."""
        status, text = self.ask()
        assert status == 200, text
        return text.split()

    def until_answer(self, word: str) -> list[str]:
        """Ask until a word is in the answer."""
        last: list[str] = []

        def answered() -> bool:
            last[:] = self.ask()[1].split()
            return word in last

        self.until(answered, f"to answer with {word!r}, the last answer was {last}")
        return last

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(LIMIT)
        self.reader.join(LIMIT)  # ends when nobody has the other end of the pipe any more: no process is left
        assert not self.reader.is_alive(), "a process was left behind"
        return code


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    all_of_them: list[Served] = []

    def start(*arguments: str, **environment: str) -> Served:
        served = Served(tmp_path, *arguments, "--port", "0", **environment)
        all_of_them.append(served)
        return served

    yield start
    for served in all_of_them:
        if served.process.poll() is None:
            served.process.terminate()
        try:
            served.process.wait(20)
        except subprocess.TimeoutExpired:
            served.process.kill()
        served.reader.join(20)
        assert served.process.stdout is not None
        served.process.stdout.close()


def save(path: str, text: str) -> None:
    """As an editor does, in one piece."""
    Path(path + ".new").write_text(text, encoding="utf-8")
    os.replace(path + ".new", path)


def greet(word: str) -> None:
    save("shop/greeting.py", f"def text():\n    return {word!r}\n")


# Edits


@BOTH
def test_an_edit_is_in_the_next_answer_and_state_stays(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target).ready()
    before = served.words()
    greet("goodbye")
    after = served.until_answer("goodbye")
    assert after[3] == before[3], "the process is the same"
    assert int(after[1]) > int(before[1]), "and what it remembers"
    line = served.wait_for("reloaded in")
    assert "patched shop.greeting" in line
    assert served.output.count("reloaded in") == 1


@BOTH
def test_a_mistake_is_told_once_and_the_code_of_before_serves_on(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(FILES)
    served = serve(target).ready()
    save("shop/greeting.py", "def text(:\n    return 'never'\n")
    line = served.wait_for("reload failed")
    assert os.path.join("shop", "greeting.py") + ":1: SyntaxError" in line
    assert served.words()[0] == "hello"
    greet("mended")
    served.until_answer("mended")
    assert served.output.count("SyntaxError") == 1


def test_a_flask_application(tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("flask")
    view = "@app.get('/')\ndef index():\n    return render_template('page.html', word={word!r})\n"
    head = "from flask import Flask, render_template\napp = Flask(__name__)\n"
    tree(
        {
            "pyproject.toml": CONFIG,
            "shop/web.py": head + view.format(word="first"),
            "shop/templates/page.html": "{{ word }}",
        }
    )
    served = serve("shop.web:app").ready()
    assert served.ask() == (200, "first")
    save("shop/web.py", head + view.format(word="second"))
    served.until_answer("second")
    save("shop/templates/page.html", "{{ word }} template")
    served.until_answer("template")


@pytest.mark.parametrize("target", ["shop.web:create_app()", "shop.web:create_app"])
def test_a_factory(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target, *([] if target.endswith(")") else ["--factory"])).ready()
    assert served.words()[0] == "hello"
    greet("goodbye")
    served.until_answer("goodbye")


def test_without_a_configuration_the_package_of_the_target_is_the_root(
    tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({name: text for name, text in FILES.items() if name != "pyproject.toml"})
    served = serve("shop.web:app").ready()
    greet("goodbye")
    served.until_answer("goodbye")


def test_the_loader_that_the_program_makes_is_used(tree: Tree, serve: Callable[..., Served]) -> None:
    own = "from pyautoload import AutoLoader\nloader = AutoLoader('shop').inflect({'db': 'Database'}).setup()\n"
    tree({**FILES, "autoload.py": own, "wsgi.py": "import autoload\nimport shop\napp = shop.web.app\n"})
    served = serve("wsgi:app").ready()
    greet("goodbye")
    served.until_answer("goodbye")
    assert "patched shop.greeting" in served.wait_for("reloaded in")


# Pages

PAGE = """
    from shop import greeting


    def app(environ, start_response):
        body = f"<!doctype html><title>shop</title><body>{greeting.text()}</body>".encode()
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        return [body]
"""
APAGE = """
    from shop import greeting


    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body = f"<!doctype html><title>shop</title><body>{greeting.text()}</body>".encode()
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
"""
PAGES = {**FILES, "shop/web.py": PAGE, "shop/awesome.py": APAGE}


class Events:
    """The stream of events that an open page has."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self.socket.sendall(b"GET /__pyautoload__/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.received = b""

    def wait_for(self, text: bytes) -> None:
        while text not in self.received:
            part = self.socket.recv(65536)
            assert part, f"the stream ended without {text!r}: {self.received!r}"
            self.received += part

    def wait_for_end(self) -> None:
        while part := self.socket.recv(65536):
            self.received += part


@BOTH
def test_a_page_hears_of_edits_and_of_mistakes(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(PAGES)
    served = serve(target).ready()
    assert "/__pyautoload__/client.js" in served.ask()[1]
    events = Events(served.port)
    with events.socket:
        events.wait_for(b'-0"')
        greet("goodbye")
        events.wait_for(b'-1"')
        save("shop/greeting.py", "def text(:\n")
        events.wait_for(b"SyntaxError")
        greet("mended")
        events.wait_for(b'-2"')


@BOTH
def test_pages_are_left_alone_when_asked(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(PAGES)
    served = serve(target, "--no-refresh", "--no-overlay").ready()
    assert served.ask()[1] == "<!doctype html><title>shop</title><body>hello</body>"


@BOTH
def test_a_request_that_fails_shows_a_page_that_will_reload(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(PAGES)
    served = serve(target).ready()
    save("shop/greeting.py", "def text():\n    return missing_name\n")
    served.until(lambda: served.ask()[0] == 500, "to fail")
    page = served.ask()[1]
    assert "greeting.py:2: NameError: name" in page
    assert "/__pyautoload__/client.js" in page
    assert "NameError" not in served.ask(Host="attacker.example")[1]
    assert "NameError" not in served.ask(Host="localhost", **{"X-Forwarded-For": "192.0.2.7"})[1]
    assert "greeting.py:2: NameError" in served.wait_for("error: ")
    greet("mended")
    served.until(lambda: "mended" in served.ask()[1], "to answer again")


def test_a_framework_that_answers_first_and_raises_then(tree: Tree, serve: Callable[..., Served]) -> None:
    app = """
        async def app(scope, receive, send):
            if scope["type"] != "http":
                return
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"5")]
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            await send({"type": "http.response.body", "body": b"Error"})
            if scope["path"] == "/raise":
                raise LookupError("told later")
    """
    tree({**FILES, "shop/awesome.py": app})
    served = serve("shop.awesome:app").ready()
    assert served.ask("/") == (500, "Error")
    assert "LookupError: told later" in served.ask("/raise")[1]
    assert served.ask("/raise", **{"X-Requested-With": "fetch"}) == (500, "Error")


@posix
@BOTH
def test_an_open_page_does_not_hold_up_the_end(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(PAGES)
    served = serve(target).ready()
    events = Events(served.port)
    with events.socket:
        events.wait_for(b"version")
        assert served.end(signal.SIGINT) == 0
    assert "Traceback" not in served.output


@BOTH
def test_an_open_page_finds_the_next_process(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**PAGES, "shop/greeting.py": "from shop import db\n\ndef text():\n    return db.STATE\n"})
    served = serve(target).ready()
    served.ask()
    events = Events(served.port)
    with events.socket:
        events.wait_for(b"version")
        save("shop/db.py", "STATE = = \n")
        events.wait_for(b"The restart failed")
        save("shop/db.py", "STATE = 'second'\n")
        events.wait_for_end()
    served.until(lambda: "second" in served.ask()[1], "to answer with the new code")


# Restarts


@BOTH
def test_a_restart_loses_no_request(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target, "--no-requests").ready()
    before = served.words()[3]
    slow: list[str] = []
    patient = threading.Thread(target=lambda: slow.append(served.ask("/slow")[1]))
    patient.start()
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            try:
                status, text = served.ask()
                seen[text.split()[2] if status == 200 else str(status)] += 1
            except OSError as error:
                seen[repr(error)] += 1
            except http.client.HTTPException as error:
                seen[repr(error)] += 1

    hammering = threading.Thread(target=hammer)
    hammering.start()
    save("shop/db.py", "STATE = 'second'\n")
    after = served.until_answer("second")
    time.sleep(0.1)
    stop.set()
    hammering.join(LIMIT)
    patient.join(LIMIT)
    assert set(seen) <= {"first", "second"}
    assert after[3] != before
    assert slow, "the request that was running was answered"
    assert slow[0].split()[3] == before, "by the process that had begun"
    assert "shop.db" in served.wait_for("restarting")
    served.wait_for("restarted process")


@BOTH
def test_when_the_next_process_does_not_start_this_one_serves_on(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(FILES)
    served = serve(target).ready()
    before = served.words()[3]
    save("shop/db.py", "STATE = = 2\n")
    line = served.wait_for("start failed")
    assert os.path.join("shop", "db.py") + ":1: SyntaxError" in line
    assert served.words()[2:] == ["first", before]
    save("shop/db.py", "STATE = 'third'\n")
    assert served.until_answer("third")[3] != before


def test_a_change_beside_the_roots_restarts(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**FILES, "wsgi.py": "from shop import web\napp = web.app\n"})
    served = serve("wsgi:app").ready()
    before = served.words()[3]
    save("wsgi.py", "from shop import web, greeting\ngreeting.text = lambda: 'replaced'\napp = web.app\n")
    assert served.until_answer("replaced")[3] != before


def test_a_process_that_ends_by_itself_is_no_end(tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve("shop.web:app").ready()
    os.kill(int(served.words()[3]), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    served.wait_for("waiting for an edit")
    assert served.ask()[0] == 503
    greet("again")
    served.until_answer("again")


# The start


@BOTH
def test_a_program_that_is_broken_at_the_start_shows_it_and_starts_when_it_is_mended(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({**FILES, "shop/greeting.py": "raise RuntimeError('no greeting today')\n"})
    served = serve(target).ready()
    assert "RuntimeError: no greeting today" in served.wait_for("start failed")
    status, page = served.ask()
    assert status == 503
    assert "no greeting today" in page
    assert "no greeting today" not in served.ask(Host="attacker.example")[1]
    greet("mended")
    served.until_answer("mended")
    served.wait_for("serving shop.")


def test_a_port_that_is_taken(tree: Tree, tmp_path: Path) -> None:
    tree(FILES)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        served = Served(tmp_path, "shop.web:app", "--port", str(port))
        assert served.process.wait(LIMIT) == 1
        served.reader.join(LIMIT)
    assert f"port {port} of 127.0.0.1 is in use by another program" in served.output
    assert "Traceback" not in served.output


@pytest.mark.parametrize("variable", ["PYAUTOLOAD_ENV=production", "FLASK_DEBUG=0"])
def test_it_refuses_production_unless_forced(variable: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    name, _, value = variable.partition("=")
    served = serve("shop.web:app", **{name: value})
    assert served.process.wait(LIMIT) == 1
    served.reader.join(LIMIT)
    assert variable in served.output
    assert "--force" in served.output
    forced = serve("shop.web:app", "--force", **{name: value}).ready()
    assert forced.ask()[0] == 200


@pytest.mark.parametrize(("target", "package"), [("shop.web:app", "werkzeug"), ("shop.awesome:app", "uvicorn")])
def test_an_extra_that_is_not_installed_is_named(
    target: str, package: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    missing = f"raise ModuleNotFoundError(\"No module named '{package}'\", name={package!r})\n"
    root = tree({**FILES, f"without/{package}.py": missing})
    served = serve(target, PYTHONPATH=os.pathsep.join([str(root / "without"), SOURCE]))
    assert served.process.wait(LIMIT) == 1
    served.reader.join(LIMIT)
    assert f"needs {package}" in served.output
    assert f"pyautoload[{'wsgi' if package == 'werkzeug' else 'asgi'}]" in served.output


def test_an_ipv6_address(tree: Tree, serve: Callable[..., Served]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    tree(FILES)
    served = serve("shop.web:app", "--host", "::1").ready()
    assert "http://[::1]:" in served.output
    assert served.ask(host="::1")[0] == 200


@pytest.mark.parametrize("target", ["shop.web:nothing", "shop.nothing:app"])
def test_a_target_that_is_not_there_is_told(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    assert "nothing" in serve(target).wait_for("start failed")


# The end


@posix
@BOTH
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly(target: str, number: int, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target).ready()
    served.words()
    assert served.end(number) == 0
    assert "Traceback" not in served.output
    assert "stopped" in served.lines[-1]
    assert ("closed" in served.lines) == target.startswith("shop.awesome"), "the application was told to close"


@posix
def test_ctrl_c_reaches_all_processes_at_once(tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve("shop.awesome:app").ready()
    os.killpg(served.process.pid, signal.SIGINT)
    assert served.process.wait(LIMIT) == 0
    served.reader.join(LIMIT)
    assert "Traceback" not in served.output


@posix
@BOTH
def test_an_open_connection_does_not_hold_up_the_end(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target).ready()
    with socket.create_connection(("127.0.0.1", served.port)):
        assert served.end() == 0


@posix
def test_nobody_is_left_when_the_supervisor_is_killed(tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve("shop.web:app").ready()
    assert served.end(signal.SIGKILL) != 0
