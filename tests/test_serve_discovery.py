"""``pyautoload serve`` without a ``[tool.pyautoload]``: the program is found, or the error says what to add."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")

from command_line import run_apart
from served import Served

Tree = Callable[[dict[str, str]], Path]

APP = """
import os

def word():
    return "first"

def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{word()} {os.getpid()}".encode()]
"""
USER = """
import os
from MODULE import word

def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{word()} {os.getpid()}".encode()]
"""
WORD = "def word():\n    return 'first'\n"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(Served(tmp_path, *arguments, **more))


@pytest.mark.parametrize(
    ("target", "files", "edited"),
    [
        ("app:app", {"app.py": APP}, "app.py"),
        ("app:app", {"app.py": USER.replace("MODULE", "helpers"), "helpers.py": WORD}, "helpers.py"),
        ("wsgi:app", {"wsgi.py": USER.replace("MODULE", "blog.x"), "blog/x.py": WORD}, "blog/x.py"),
        ("app:app", {"src/app.py": APP}, "src/app.py"),
        ("wsgi:app", {"wsgi.py": APP, "manage.py": ""}, "wsgi.py"),
        ("blog.web:app", {"blog/web.py": USER.replace("MODULE", "helpers"), "helpers.py": WORD}, "helpers.py"),
        ("foo:app", {"foo.py": "", "foo/__init__.py": APP}, "foo/__init__.py"),
        ("blog:app", {"blog/__init__.py": APP}, "blog/__init__.py"),
        ("blog:app", {"src/blog/__init__.py": APP}, "src/blog/__init__.py"),
        ("blog.web:app", {"blog/web.py": APP}, "blog/web.py"),
        ("blog.web:app", {"src/blog/web.py": APP}, "src/blog/web.py"),
        ("blog.web:app", {"src/blog/api/__init__.py": "", "src/blog/web.py": APP}, "src/blog/web.py"),
        (
            "site1.web:app",
            {"site1/web.py": USER.replace("MODULE", "polls.x"), "polls/__init__.py": "", "polls/x.py": WORD},
            "polls/x.py",
        ),
        ("my_shop.web:app", {"my-shop/web.py": APP}, "my-shop/web.py"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_what_is_edited_is_in_the_next_answer_of_the_same_process(
    target: str, files: dict[str, str], edited: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({"tests/test_it.py": "", "venv/pyvenv.cfg": "", "venv/lib/x.py": "", "pyproject.toml": "", **files})
    served = serve(target).ready()
    before = served.get().text
    assert before.startswith("first ")
    served.edit(edited, "first", "second")
    assert served.shows("second").text.split()[1] == before.split()[1]
    served.printed("exact in")


def test_a_package_that_is_installed_from_a_directory(tree: Tree, tmp_path: Path, serve: Callable[..., Served]) -> None:
    tree({"elsewhere/src/blog/__init__.py": APP, "here/.keep": ""})
    place = str(tmp_path / "elsewhere" / "src")
    with Served(tmp_path / "here", "blog:app", PYTHONPATH=os.pathsep.join([*_path(), place])) as served:
        served.ready()
        before = served.get().text
        served.directory = tmp_path
        served.edit("elsewhere/src/blog/__init__.py", "first", "second")
        assert served.shows("second").text.split()[1] == before.split()[1]


def _path() -> list[str]:
    import pyautoload

    return [str(Path(pyautoload.__file__).parent.parent)]


@pytest.mark.parametrize(
    ("target", "files", "told"),
    [
        ("nowhere:app", {}, "no nowhere either.*--root DIR"),
        ("my-shop.web:app", {"my-shop/web.py": APP}, "--root my-shop --namespace my_shop, and my_shop.web:APP"),
        ("my-shop:app", {"my-shop.py": APP}, "my-shop is not a module name"),
        ("json:app", {}, "no json either"),
        ("click:app", {}, "no click either"),
    ],
)
def test_what_is_not_found_is_told_with_what_to_add(
    target: str, files: dict[str, str], told: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({"other.py": "", **files})
    served = serve(target)
    assert served.ended() != 0
    assert re.search(told, served.log), served.log


def test_a_configuration_that_is_wrong_is_not_passed_over(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({"pyproject.toml": "[tool.pyautoload]\nrots = ['blog']\n", "blog/web.py": APP})
    served = serve("blog.web:app")
    assert served.ended() != 0
    assert "unknown key 'rots'" in served.log


# Variables

FLASK = """
import os
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return " ".join(os.environ.get(name, "-") for name in ("ONE", "TWO", "THREE"))
"""
QUART = FLASK.replace("from flask import Flask", "from quart import Quart").replace("Flask(", "Quart(")


@pytest.mark.parametrize(("framework", "source"), [("flask", FLASK), ("quart", QUART.replace("def i", "async def i"))])
def test_variables_are_read_as_flask_run_reads_them(
    framework: str, source: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    pytest.importorskip(framework)
    pytest.importorskip("dotenv")
    tree(
        {"app.py": source, ".flaskenv": "ONE=flaskenv\nTWO=flaskenv\nTHREE=flaskenv\n", ".env": "TWO=env\nTHREE=env\n"}
    )
    served = serve("app:app", THREE="outside").ready()
    assert served.get().text == "flaskenv env outside"
    served.write(".env", "TWO=changed\n")
    assert served.shows("changed").text == "flaskenv changed outside"
    assert ".env" in served.printed("restarted")


def test_variables_are_left_alone_for_other_programs(tree: Tree, serve: Callable[..., Served]) -> None:
    pytest.importorskip("dotenv")
    tree({"app.py": APP.replace('return "first"', 'return os.environ.get("ONE", "-")'), ".env": "ONE=env\n"})
    assert serve("app:app").ready().get().text.startswith("- ")


@pytest.mark.parametrize("name", [".flaskenv", ".env"])
def test_flask_run_port_is_where_it_listens(name: str, tree: Tree, serve: Callable[..., Served], free: int) -> None:
    pytest.importorskip("flask")
    pytest.importorskip("dotenv")
    directory = tree({"app.py": FLASK, ".flaskenv": "", name: f"FLASK_RUN_PORT={free}\n"})
    from running import Running

    with Running(directory, "-m", "pyautoload", "serve", "app:app") as running:
        assert f":{free}" in running.printed("serving")


@pytest.fixture
def free() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# Lines


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has no TZ")
def test_a_program_that_sets_a_time_zone_changes_no_line(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({"app.py": APP + "import time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()\n"})
    served = serve("app:app", TZ="UTC").ready()
    served.edit("app.py", "first", "second")
    served.shows("second")
    lines = [served.printed("serving"), served.printed("exact in"), served.printed("200 GET /")]
    hours = {int(line[:2]) for line in lines}
    now = time.gmtime().tm_hour
    assert hours <= {now, (now - 1) % 24}


def test_a_misspelt_target_is_told_once_with_a_suggestion(tree: Tree) -> None:
    root = tree({"wsgi.py": APP})
    done = run_apart("serve", "wsgii:app", "--port", "0", cwd=root, expect=2)
    assert "did you mean wsgi?" in done.stderr
    assert done.stderr.count("wsgii") == 1
