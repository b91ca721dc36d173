"""``pyautoload serve``: what cannot be reloaded is handed to a new process, if one can run it; restarts by hand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
pytest.importorskip("uvicorn")

from running import environment
from served import Served

Tree = Callable[[dict[str, str]], Path]
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and terminals")

# A registry that refuses what it has already, as many libraries do: what runs again fails, a new process does not.
WEB = """
    import os
    from shop import {module}

    def app(environ, start_response):
        body = f"{{{module}.text()}} {{os.getpid()}}".encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
"""
ASGI = """
    import os
    from shop import {module}

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body = f"{{{module}.text()}} {{os.getpid()}}".encode()
        length = (b"content-length", str(len(body)).encode())
        await send({{"type": "http.response.start", "status": 200, "headers": [length]}})
        await send({{"type": "http.response.body", "body": body}})
"""
REGISTRY = """
    KNOWN = set()

    def register(name):
        if name in KNOWN:
            raise RuntimeError(f"{name} is already registered")
        KNOWN.add(name)
        return name
"""
ONCE = """
    from registry import register

    NAME = register("parts")
    WORD = {word!r}

    def text():
        return WORD
"""
# What may run as often as it likes.
OFTEN = """
    WORD = 'first'

    def text():
        return WORD
"""
FILES = {
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\n',
    "registry.py": REGISTRY,
    "shop/parts.py": ONCE.format(word="first"),
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(Served(tmp_path, *arguments, **more))


def reexecuted(word: str) -> str:
    """An edit of the statement that registers, which therefore has to run again."""
    return ONCE.format(word=word).replace('register("parts")', f'register("parts") or {word!r}')


BOTH = pytest.mark.parametrize("web", [WEB, ASGI], ids=["wsgi", "asgi"])


# What cannot be reloaded


@BOTH
def test_an_edit_that_a_library_refuses_is_in_use_in_a_new_process(
    web: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({**FILES, "shop/web.py": web.format(module="parts")})
    served = serve("shop.web:app").ready()
    before = served.get().text.split()[1]
    refused = threading.Event()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            if served.get().status != 200:
                refused.set()

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    served.write("shop/parts.py", reexecuted("second").replace("\n    ", "\n"))
    answer = served.shows("second")
    stop.set()
    for client in clients:
        client.join()
    assert not refused.is_set()
    assert answer.text.split()[1] != before
    assert "already registered" in served.printed("restarted process")
    assert "exact" not in served.log


def test_an_edit_that_is_wrong_stays_out_and_the_old_process_stays(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**FILES, "shop/parts.py": OFTEN, "shop/web.py": WEB.format(module="parts")})
    served = serve("shop.web:app").ready()
    before = served.get().text
    served.edit("shop/parts.py", "WORD = 'first'", "WORD = frist")
    served.printed(r"start failed: .*NameError.*still running")
    assert served.get().text == before
    served.edit("shop/parts.py", "WORD = frist", "WORD = 'mended'")
    assert served.shows("mended").text.split()[1] == before.split()[1]
    served.printed("exact in")


def test_a_module_that_is_loaded_late_is_tried_too(tree: Tree, serve: Callable[..., Served]) -> None:
    late = "import os\n\ndef app(environ, start_response):\n    from shop import parts\n"
    late += "    start_response('200 OK', [])\n    return [f'{parts.text()} {os.getpid()}'.encode()]\n"
    tree({**FILES, "shop/web.py": late})
    served = serve("shop.web:app").ready()
    before = served.get().text
    served.edit("shop/parts.py", "WORD = 'first'", "WORD = frist")
    served.printed(r"start failed: .*NameError.*still running")
    assert served.get().text == before, "a new process would only fail later"


def test_a_file_that_is_no_python_needs_no_new_process(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**FILES, "shop/parts.py": OFTEN, "shop/web.py": WEB.format(module="parts")})
    served = serve("shop.web:app").ready()
    served.edit("shop/parts.py", "WORD = ", "WORD = = ")
    served.printed("reload failed")
    served.edit("shop/parts.py", "WORD = = 'first'", "WORD = 'mended'")
    served.shows("mended")
    assert "restarting" not in served.log
    assert served.started == 1


# By hand


@posix
def test_a_signal_restarts(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**FILES, "shop/web.py": WEB.format(module="parts")})
    served = serve("shop.web:app").ready()
    before = served.get().text
    served.process.send_signal(signal.SIGUSR1)
    assert "by hand (SIGUSR1)" in served.printed("restarted process")
    assert served.get().text != before


@posix
def test_the_key_r_restarts_until_the_program_reads_keys(tree: Tree, tmp_path: Path) -> None:
    import pty

    tree({**FILES, "shop/web.py": WEB.format(module="parts")})
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pyautoload", "serve", "--port", "0", "shop.web:app"],
        cwd=tmp_path,
        env=environment(),
        stdin=its,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(its),
    )
    os.close(its)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if re.search("serving", line):
                os.write(ours, b"r")
            if re.search("restarted process", line):
                assert "by hand (the key r)" in line
                break
        else:
            raise AssertionError("it was not restarted")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()  # type: ignore[union-attr]
        os.close(ours)


def _take_terminal(number: int) -> None:
    """Make it the terminal of the session that this process has begun."""
    import fcntl
    import termios

    fcntl.ioctl(number, termios.TIOCSCTTY, 0)


# Applications that are made


FACTORY = """
    import os
    import time
    from shop import parts

    def create_app():
        {slow}
        word = parts.text()
        def app(environ, start_response):
            start_response("200 OK", [])
            return [f"{{word}} {{os.getpid()}}".encode()]
        return app
"""
PARTS = "def text():\n    return {0!r}\n"


@pytest.mark.parametrize(
    ("slow", "stays", "told"), [("pass", True, "anew in"), ("time.sleep(1.2)", False, "restarted")]
)
def test_an_application_is_made_anew_here_or_where_that_takes_long_in_a_new_process(
    slow: str, stays: bool, told: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({"shop/web.py": FACTORY.format(slow=slow), "shop/parts.py": PARTS.format("first")})
    served = serve("shop.web:create_app()").ready()
    before = served.get().text.split()[1]
    served.write("shop/parts.py", PARTS.format("second"))
    assert (served.shows("second").text.split()[1] == before) is stays
    assert "shop.parts.text has changed" in served.printed(told)


@pytest.mark.parametrize("inside", ["cache", "shop/cache"])
def test_a_factory_that_makes_files_is_called_once(inside: str, tree: Tree, serve: Callable[..., Served]) -> None:
    clear = f"import shutil, pathlib; shutil.rmtree('{inside}', True); pathlib.Path('{inside}').mkdir(); "
    clear += f"pathlib.Path('{inside}/made.py').write_text('X = 1'); print('called', flush=True)"
    tree({"shop/web.py": FACTORY.format(slow=clear), "shop/parts.py": PARTS.format("first")})
    served = serve("shop.web:create_app()").ready()
    served.get()
    served.write("shop/parts.py", PARTS.format("second"))
    served.shows("second")
    served.printed("anew in")
    served.write("shop/other.txt", "")
    served.write("shop/parts.py", PARTS.format("third"))
    served.shows("third")
    assert served.log.count("called") == 3


# Modules beside the roots

PLAIN = """
    import os
    from shop import parts

    def make(word):
        def app(environ, start_response):
            start_response("200 OK", [])
            return [f"{parts.text()} {word} {os.getpid()}".encode()]
        return app

    app = make("made")
    WORD = "first"

    def create_app():
        return make("first")
"""


@pytest.mark.parametrize(
    ("wsgi", "old", "new"),
    [
        ("from shop.web import create_app\napp = create_app()\n", 'make("first")', 'make("second")'),
        ("import shop.web\napp = shop.web.create_app()\n", 'make("first")', 'make("second")'),
        ("import shop\napp = shop.web.create_app()\n", "parts.text()", "parts.text(), 'second'"),
        ("from shop.web import WORD, make\napp = make(WORD)\n", '"first"\n\n', '"second"\n\n'),
        ("from shop.web import make\nimport shop.web as w\napp = make(w.WORD)\n", '"first"\n\n', '"second"\n\n'),
        ("from shop.web import make\nimport shop\napp = make(str(shop.web.WORD))\n", '"first"\n\n', '"second"\n\n'),
        ("from shop.web import *\napp = make(WORD)\n", '"first"\n\n', '"second"\n\n'),
        ("from shop.web import app\n", 'make("made")', 'make("second")'),
        ("import shop\napplication = app = shop.web.app\n", 'make("made")', 'make("second")'),
        ("from shop.web import app as made\napp = lambda *args: made(*args)\n", 'make("made")', 'make("second")'),
    ],
)
def test_what_a_module_beside_the_roots_made_or_holds_is_never_old(
    wsgi: str, old: str, new: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    files = {"shop/web.py": PLAIN, "shop/parts.py": PARTS.format("parts"), "wsgi.py": wsgi}
    tree({"pyproject.toml": FILES["pyproject.toml"], **files})
    served = serve("wsgi:app").ready()
    served.get()
    served.edit("shop/web.py", old, new)
    served.shows("second")


def test_a_module_beside_the_roots_does_not_restart_for_a_body_that_it_never_ran(
    tree: Tree, serve: Callable[..., Served]
) -> None:
    wsgi = "from shop.web import create_app, WORD\napp = create_app()\n"
    files = {"shop/web.py": PLAIN, "shop/parts.py": PARTS.format("parts"), "wsgi.py": wsgi}
    tree({"pyproject.toml": FILES["pyproject.toml"], **files})
    served = serve("wsgi:app").ready()
    before = served.get().text.split()[-1]
    served.write("shop/parts.py", PARTS.format("second"))
    assert served.shows("second").text.split()[-1] == before


def test_a_file_that_the_loader_ignores_restarts(tree: Tree, serve: Callable[..., Served]) -> None:
    web = PLAIN.replace("from shop import parts", "from shop.vendor import parts")
    config = FILES["pyproject.toml"] + 'ignore = ["shop/vendor"]\n'
    tree({"pyproject.toml": config, "shop/web.py": web, "shop/vendor/parts.py": PARTS.format("first")})
    served = serve("shop.web:app").ready()
    served.get()
    served.write("shop/vendor/parts.py", PARTS.format("second"))
    served.shows("second")
    served.printed("restarted")
