"""``pyautoload serve``: edits are live, mistakes harm nobody, and a restart is not noticed by those who ask."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
pytest.importorskip("uvicorn")

from running import PATIENCE
from served import Answer, Served

import pyautoload

Tree = Callable[[dict[str, str]], Path]

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


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(Served(tmp_path, *arguments, **more))


def words(answer: Answer) -> list[str]:
    """What the application answers: greeting, number of visits, ``db.STATE``, process."""
    assert answer.status == 200, answer.text
    return answer.text.split()


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
    before = words(served.get())
    greet("goodbye")
    after = words(served.shows("goodbye"))
    assert after[3] == before[3], "the process is the same"
    assert int(after[1]) > int(before[1]), "and what it remembers"
    line = served.printed("exact in")
    assert "patched shop.greeting" in line
    assert served.log.count("exact in") == 1


@BOTH
def test_a_mistake_is_told_once_and_the_code_of_before_serves_on(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(FILES)
    served = serve(target).ready()
    save("shop/greeting.py", "def text(:\n    return 'never'\n")
    line = served.printed("reload failed")
    assert os.path.join("shop", "greeting.py") + ":1: SyntaxError" in line
    assert words(served.get())[0] == "hello"
    greet("mended")
    served.shows("mended")
    assert served.log.count("SyntaxError") == 1


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
    assert served.get() == (200, "first")
    save("shop/web.py", head + view.format(word="second"))
    served.shows("second")
    save("shop/templates/page.html", "{{ word }} template")
    served.shows("template")


@pytest.mark.parametrize("target", ["shop.web:create_app()", "shop.web:create_app"])
def test_a_factory(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target, *([] if target.endswith(")") else ["--factory"])).ready()
    assert words(served.get())[0] == "hello"
    greet("goodbye")
    served.shows("goodbye")


def test_without_a_configuration_the_package_of_the_target_is_the_root(
    tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({name: text for name, text in FILES.items() if name != "pyproject.toml"})
    served = serve("shop.web:app").ready()
    greet("goodbye")
    served.shows("goodbye")


def test_the_loader_that_the_program_makes_is_used(tree: Tree, serve: Callable[..., Served]) -> None:
    own = "from pyautoload import AutoLoader\nloader = AutoLoader('shop').inflect({'db': 'Database'}).setup()\n"
    tree({**FILES, "autoload.py": own, "wsgi.py": "import autoload\nimport shop\napp = shop.web.app\n"})
    served = serve("wsgi:app").ready()
    greet("goodbye")
    served.shows("goodbye")
    assert "shop.greeting" in served.printed("exact in")


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
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
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
    assert "/__pyautoload__/client.js" in served.get().text
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
@pytest.mark.parametrize("file", ["shop/templates/page.html", "static/css/site.css"])
def test_a_page_hears_of_templates_and_style_sheets(
    target: str, file: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({**PAGES, file: "before", "shop/notes.json": "before", "shop/.cache/page.html": "before"})
    served = serve(target).ready()
    events = Events(served.port)
    with events.socket:
        events.wait_for(b'-0"')
        save("shop/notes.json", "after")
        save("shop/.cache/page.html", "after")
        save(file, "after")
        events.wait_for(b'-1"')
    served.printed(f"saved {file}; open pages load again")
    assert served.log.count("open pages load again") == 1
    assert "reloaded" not in served.log


@BOTH
def test_pages_are_left_alone_when_asked(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(PAGES)
    served = serve(target, "--no-refresh", "--no-overlay").ready()
    assert served.get().text == "<!doctype html><title>shop</title><body>hello</body>"


@BOTH
def test_a_request_that_fails_shows_a_page_that_will_reload(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(PAGES)
    served = serve(target).ready()
    save("shop/greeting.py", "def text():\n    return missing_name\n")
    served.until(lambda: served.get().status == 500, "failed")
    page = served.get().text
    assert "greeting.py:2: NameError: name" in page
    assert "/__pyautoload__/client.js" in page
    assert "NameError" not in served.get(Host="attacker.example").text
    assert "NameError" not in served.get(Host="localhost", **{"X-Forwarded-For": "192.0.2.7"}).text
    assert "greeting.py:2: NameError" in served.printed("error: ")
    greet("mended")
    served.shows("mended")


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
    assert served.get("/") == (500, "Error")
    assert "LookupError: told later" in served.get("/raise").text
    assert served.get("/raise", **{"X-Requested-With": "fetch"}) == (500, "Error")


@posix
@BOTH
def test_an_open_page_does_not_hold_up_the_end(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(PAGES)
    served = serve(target).ready()
    events = Events(served.port)
    with events.socket:
        events.wait_for(b"version")
        assert served.end(signal.SIGINT) == 0
    assert "Traceback" not in served.log


@BOTH
def test_an_open_page_finds_the_next_process(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**PAGES, "shop/greeting.py": "from shop import db\n\ndef text():\n    return db.STATE\n"})
    served = serve(target).ready()
    served.get()
    events = Events(served.port)
    with events.socket:
        events.wait_for(b"version")
        save("shop/db.py", "STATE = = \n")
        events.wait_for(b"The restart failed")
        save("shop/db.py", "STATE = 'second'\n")
        events.wait_for_end()
    served.shows("second")


# Restarts


@BOTH
def test_a_restart_loses_no_request(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target, "--no-requests").ready()
    before = words(served.get())[3]
    slow: list[str] = []
    patient = threading.Thread(target=lambda: slow.append(served.get("/slow").text))
    patient.start()
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            try:
                status, text = served.get()
                seen[text.split()[2] if status == 200 else str(status)] += 1
            except OSError as error:
                seen[repr(error)] += 1
            except http.client.HTTPException as error:
                seen[repr(error)] += 1

    hammering = threading.Thread(target=hammer)
    hammering.start()
    save("shop/db.py", "STATE = 'second'\n")
    after = words(served.shows("second"))
    time.sleep(0.1)
    stop.set()
    hammering.join(PATIENCE)
    patient.join(PATIENCE)
    assert set(seen) <= {"first", "second"}
    assert after[3] != before
    assert slow, "the request that was running was answered"
    assert slow[0].split()[3] == before, "by the process that had begun"
    assert "shop.db" in served.printed("restarting")
    served.printed("restarted process")


@BOTH
def test_when_the_next_process_does_not_start_this_one_serves_on(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(FILES)
    served = serve(target).ready()
    before = words(served.get())[3]
    save("shop/db.py", "STATE = = 2\n")
    line = served.printed("start failed")
    assert os.path.join("shop", "db.py") + ":1: SyntaxError" in line
    assert words(served.get())[2:] == ["first", before]
    save("shop/db.py", "STATE = 'third'\n")
    assert words(served.shows("third"))[3] != before


def test_a_change_beside_the_roots_restarts(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**FILES, "wsgi.py": "from shop import web\napp = web.app\n"})
    served = serve("wsgi:app").ready()
    before = words(served.get())[3]
    save("wsgi.py", "from shop import web, greeting\ngreeting.text = lambda: 'replaced'\napp = web.app\n")
    assert words(served.shows("replaced"))[3] != before


def test_a_process_that_ends_by_itself_is_no_end(tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve("shop.web:app").ready()
    os.kill(int(words(served.get())[3]), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    served.printed("waiting for an edit")
    assert served.get().status == 503
    greet("again")
    served.shows("again")


# The start


@BOTH
def test_a_program_that_is_broken_at_the_start_shows_it_and_starts_when_it_is_mended(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({**FILES, "shop/greeting.py": "raise RuntimeError('no greeting today')\n"})
    served = serve(target).ready()
    assert "RuntimeError: no greeting today" in served.printed("start failed")
    status, page = served.get()
    assert status == 503
    assert "no greeting today" in page
    assert "no greeting today" not in served.get(Host="attacker.example").text
    greet("mended")
    served.shows("mended")
    served.printed("serving shop.")


def test_a_port_that_is_taken(tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        served = serve("shop.web:app", "--port", str(port))
        assert served.ended() == 1
    assert f"port {port} of 127.0.0.1 is in use by another program" in served.log
    assert "Traceback" not in served.log


@pytest.mark.parametrize("variable", ["PYAUTOLOAD_ENV=production", "FLASK_DEBUG=0"])
def test_it_refuses_production_unless_forced(variable: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    name, _, value = variable.partition("=")
    served = serve("shop.web:app", **{name: value})
    assert served.ended() == 1
    assert variable in served.log
    assert "--force" in served.log
    forced = serve("shop.web:app", "--force", **{name: value}).ready()
    assert forced.get().status == 200


@pytest.mark.parametrize(("target", "package"), [("shop.web:app", "werkzeug"), ("shop.awesome:app", "uvicorn")])
def test_an_extra_that_is_not_installed_is_named(
    target: str, package: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    missing = f"raise ModuleNotFoundError(\"No module named '{package}'\", name={package!r})\n"
    root = tree({**FILES, f"without/{package}.py": missing})
    served = serve(target, PYTHONPATH=os.pathsep.join([str(root / "without"), SOURCE]))
    assert served.ended() == 1
    assert f"needs {package}" in served.log
    assert f"pyautoload[{'wsgi' if package == 'werkzeug' else 'asgi'}]" in served.log


def test_an_ipv6_address(tree: Tree, serve: Callable[..., Served]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    tree(FILES)
    served = serve("shop.web:app", "--host", "::1").ready()
    assert "http://[::1]:" in served.log
    assert served.get().status == 200


@pytest.mark.parametrize("target", ["shop.web:nothing", "shop.nothing:app"])
def test_a_target_that_is_not_there_is_told(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    assert "nothing" in serve(target).printed("start failed")


# The end


@posix
@BOTH
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly(target: str, number: int, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target).ready()
    words(served.get())
    assert served.end(number) == 0
    assert "Traceback" not in served.log
    assert "stopped" in served.lines[-1]
    assert ("closed" in served.lines) == target.startswith("shop.awesome"), "the application was told to close"


@posix
def test_ctrl_c_reaches_all_processes_at_once(tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve("shop.awesome:app").ready()
    os.killpg(served.process.pid, signal.SIGINT)
    assert served.ended() == 0
    assert "Traceback" not in served.log


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
