"""The panel: what is wrong, the user's code first and libraries folded, on error pages and in the corner of others."""

from __future__ import annotations

import html
import os
import re
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
pytest.importorskip("werkzeug")
pytest.importorskip("uvicorn")

from served import Served
from serving_app import get

from pyautoload.serving.page.failure import Failure
from pyautoload.serving.page.panel import panel
from pyautoload.serving.page.traceback_frames import is_library, source_around

Tree = Callable[[dict[str, str]], Path]

VIEW = """
    import json


    def read(text):
        value = json.loads(text)
        return value


    def answer():
        try:
            return read("{")
        except ValueError as error:
            raise LookupError("<b>no</b>") from error
"""
WSGI = """
    from shop import view


    def app(environ, start_response):
        view.answer()
"""
ASGI = """
    from shop import view


    async def app(scope, receive, send):
        if scope["type"] == "http":
            view.answer()
        raise NotImplementedError
"""
FILES = {
    "pyproject.toml": '[tool.pyautoload]\nroots = ["shop"]\n',
    "shop/view.py": VIEW,
    "shop/web.py": WSGI,
    "shop/awesome.py": ASGI,
}
BOTH = pytest.mark.parametrize("target", ["shop.web:app", "shop.awesome:app"], ids=["wsgi", "asgi"])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve("shop.web:app")`` on a free port, in the test's directory; ended after the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(Served(tmp_path, *arguments, **more))


def is_safe(headers: Any) -> bool:
    """Whether an answer cannot be guessed at, framed, or told of elsewhere."""
    return (
        headers["x-content-type-options"] == "nosniff"
        and headers["x-frame-options"] == "SAMEORIGIN"
        and headers["referrer-policy"] == "same-origin"
        and "frame-ancestors 'self'" in headers["content-security-policy"]
    )


def user_first(page: str) -> bool:
    """Whether the user's frames, with the lines around, come before those of libraries, which are folded."""
    unfolded = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert "json/decoder.py" not in unfolded.replace("\\", "/")
    assert "frames of libraries</summary>" in page
    assert '<span class="here">    6      value = json.loads(text)\n</span>' in html.unescape(unfolded)
    assert "    7      return value" in unfolded  # the line after the marked one
    return page.index("view.py") < page.index("decoder.py")


@BOTH
def test_a_request_that_fails_shows_the_panel(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target, PYAUTOLOAD_EDITOR="pycharm").ready()
    answer = get(served.port)
    page = answer.text
    assert answer.status == 500
    assert is_safe(answer.headers)
    assert user_first(page)
    assert "which was caused by" in page
    assert "<b>no</b>" not in page
    assert re.search(r'href="pycharm://open\?file=[^"]*view.py&amp;line=\d+"', page)
    stranger = get(served.port, headers={"X-Forwarded-For": "127.0.0.1"})
    assert stranger.status == 500
    assert is_safe(stranger.headers)
    assert "LookupError" not in stranger.text
    assert "--secret" in stranger.text


def test_a_generator_that_fails_before_its_first_part_shows_the_panel(tree: Tree, serve: Callable[..., Served]) -> None:
    late = WSGI.replace("view.answer()", "start_response('200 OK', [])\n        yield b''\n        view.answer()")
    tree({**FILES, "shop/web.py": late})
    served = serve("shop.web:app").ready()
    answer = get(served.port)
    assert (answer.status, user_first(answer.text)) == (500, True)
    assert get(served.port, method="HEAD").body == b""


@BOTH
def test_who_asks_for_no_page_gets_a_word_and_the_terminal_the_users_traceback(
    target: str, tree: Tree, serve: Callable[..., Served]
) -> None:
    tree(FILES)
    served = serve(target).ready()
    answer = get(served.port, headers={"Sec-Fetch-Dest": "empty"})
    assert (answer.status, answer.text) == (500, "Internal Server Error")
    assert answer.headers["x-content-type-options"] == "nosniff"
    served.printed("LookupError")
    assert "pyautoload/serving" not in served.log.replace("\\", "/")


def test_a_program_that_does_not_start_shows_the_panel(tree: Tree, serve: Callable[..., Served]) -> None:
    tree({**FILES, "shop/web.py": "from shop import view\nview.answer()\n"})
    served = serve("shop.web:app").ready()
    answer = get(served.port)
    assert answer.status == 503
    assert is_safe(answer.headers)
    assert user_first(answer.text)
    for headers in ({"Via": "1.1 proxy"}, {"Host": "[::1].evil.example"}, {"Origin": "http://evil.example"}):
        stranger = get(served.port, headers=headers)
        assert (stranger.status, "LookupError" in stranger.text) == (503, False)
        assert is_safe(stranger.headers)


@BOTH
def test_the_address_that_is_printed_opens_the_panel(target: str, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve(target, "--secret").ready()
    path = re.search(r"http://[\w.:]+(/\S+)", served.printed("serving"))
    assert path
    closed = get(served.port)
    assert (closed.status, "LookupError" in closed.text) == (500, False)
    assert "`pyautoload serve` printed" in closed.text
    cookie = get(served.port, path[1]).headers["set-cookie"].partition(";")[0]
    assert "LookupError" in get(served.port, headers={"Cookie": cookie}).text
    assert path[1].partition("?")[2] not in served.log.replace(path[0], ""), "it is printed once"


def test_the_page_of_a_program_that_does_not_start_needs_the_secret_too(
    tree: Tree, serve: Callable[..., Served]
) -> None:
    tree({**FILES, "shop/web.py": "from shop import view\nview.answer()\n"})
    served = serve("shop.web:app", "--allow-host", "shop.test").ready()
    path = re.search(r"http://[\w.:]+(/\S+)", served.printed("waiting"))
    assert path
    host = {"Host": f"shop.test:{served.port}"}
    assert "LookupError" not in get(served.port, headers=host).text
    cookie = get(served.port, path[1], host).headers["set-cookie"].partition(";")[0]
    assert "LookupError" in get(served.port, headers={**host, "Cookie": cookie}).text


@pytest.mark.parametrize(
    ("options", "needed"), [([], False), (["--secret"], True), (["--host", "0.0.0.0"], True), (["--host", "::"], True),
                            (["--host", "localhost"], False), (["--allow-host", "x.test"], True)]
)  # fmt: skip
def test_when_a_secret_is_needed(options: list[str], needed: bool, tree: Tree, serve: Callable[..., Served]) -> None:
    tree(FILES)
    served = serve("shop.web:app", *options).ready()
    assert ("/__pyautoload__/open?" in served.log) is needed
    assert served.end(signal.SIGTERM) == 0


def test_libraries_are_told_from_the_users_code() -> None:
    library = sysconfig.get_path("stdlib")
    assert is_library(f"{library}/json/decoder.py")
    assert is_library("/srv/app/.venv/lib/python3.12/site-packages/flask/app.py".replace("/", os.sep))
    assert is_library("<frozen runpy>")
    assert not is_library("/srv/app/shop/view.py")
    assert not is_library("/srv/other/place/view.py")


def test_a_failure_that_is_passed_on_is_short() -> None:
    def deep(number: int) -> None:
        if number == 0:
            raise ValueError("x" * 100_000)
        deep(number - 1)

    with pytest.raises(ValueError, match="x") as caught:
        deep(300)
    failure = Failure.of(caught.value)
    short = failure.within(20_000)
    assert len(str(failure.as_dict())) > 100_000
    assert len(str(short.as_dict())) <= 20_000
    assert (short.file, short.line) == (failure.file, failure.line)


def test_an_error_that_cannot_be_shown_is_shown_as_far_as_it_can() -> None:
    class HostileError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    failure = Failure.of(HostileError())
    assert failure.summary.startswith("HostileError: ")
    assert "HostileError" in panel(failure, failure.headline(""))


def test_a_syntax_error_is_shown_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("A = 1\ndef broken(:\n    pass\n")
    with pytest.raises(SyntaxError) as caught:
        compile((tmp_path / "bad.py").read_text(), str(tmp_path / "bad.py"), "exec")
    first = Failure.of(caught.value, str(tmp_path)).parts[0]
    assert first["summary"].startswith("SyntaxError: ")
    assert (first["frames"][0]["shown"], first["frames"][0]["line"]) == ("bad.py", 2)
    assert (3, "    pass") in first["frames"][0]["source"]


def test_only_files_are_read_for_source(tmp_path: Path) -> None:
    assert source_around(str(tmp_path), 1) == []
    assert source_around("<string>", 1) == []
    assert source_around(str(tmp_path / "nowhere.py"), 1) == []
    (tmp_path / "a.py").write_bytes(b"\xff\xfe = 1\n")
    assert len(source_around(str(tmp_path / "a.py"), 1)) == 1


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ("def f(:\n    pass\n", ":"),
        ("value = [1]\n\nother = 'ä' + value[0]['x']\n", "value[0]['x']"),
        ("\tbroken = 1\n", None),
    ],
)
def test_a_mark_stands_below_what_raised(source: str, marked: str | None, tmp_path: Path) -> None:
    if sys.version_info < (3, 11) and "def" not in source:
        pytest.skip("this Python says no columns")
    file = tmp_path / "wrong.py"
    file.write_text(source, encoding="utf-8")
    with pytest.raises((SyntaxError, TypeError)) as caught:
        exec(compile(source, str(file), "exec"), {})
    failure = Failure.of(caught.value, str(tmp_path))
    frame = next(frame for frame in failure.parts[0]["frames"] if frame["file"] == str(file))
    line = dict(frame["source"])[frame["line"]]
    if marked is not None:
        start, length = frame["mark"].index("^"), frame["mark"].count("^")
        assert line[start : start + length] == marked
        assert f"{frame['mark']}\n" in panel(failure, failure.headline(""))
    assert len(frame["mark"].replace("^", "")) <= len(line)
