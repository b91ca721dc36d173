"""WSGI: requests and edits at the same time, applications made anew, streams, failures."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import http.client
import threading
import time
import wsgiref.util
import wsgiref.validate
from functools import partial
from unittest.mock import Mock

import pytest
from reload_app import app, replace_atomically  # noqa: F401
from running import PATIENCE
from serving_app import Events, get, until, wsgi_server

from pyautoload import AutoLoader, ReloadingDisabled, SetupError
from pyautoload.errors import ProductionError
from pyautoload.serving.wsgi import ReloadMiddleware

# An application without a framework: every path is a function of the module.
PLAIN = """
from APP import parts
MADE = []
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [parts.text().encode()]
"""
# One that a function makes, with a view that it only registers.
FACTORY = """
from APP.views import show, TITLE
def create_app():
    views = {"/": show}
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [(prefix() + TITLE + views["/"]()).encode()]
    return app
def prefix():
    return "<"
"""


def text(port, path="/"):
    answer = get(port, path)
    assert answer.status == 200
    return answer.text


def test_an_edit_is_in_the_next_answer_and_the_application_stays(app):
    a = app(web=PLAIN, parts="def text():\n    return 'one'\n")
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    before = middleware.application
    with wsgi_server(middleware) as port:
        assert text(port) == "one"
        a.edit(parts="def text():\n    return 'two'\n")
        assert text(port) == "two"
    assert middleware.application is before


def test_four_clients_during_twenty_edits_get_whole_answers_of_one_version(app):
    pair = "def left():\n    return {0}\ndef right():\n    return {0}\n"
    web = PLAIN.replace("parts.text()", "f'{parts.left()} {parts.right()}'")
    a = app(web=web, parts=pair.format(0))
    problems, stop, seen = [], threading.Event(), set()

    def hammer(port):
        while not stop.is_set():
            try:
                left, right = text(port).split()
            except (OSError, http.client.HTTPException, AssertionError) as error:
                problems.append(error)
                return
            seen.add(left)
            if left != right:
                problems.append((left, right))

    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        threads = [threading.Thread(target=hammer, args=(port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 21):
            a.after(partial(replace_atomically, a.root / "parts.py", pair.format(number)))
        until(lambda: "20" in seen or problems)
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []


# Applications


def test_an_application_that_a_module_holds_is_taken_anew_when_it_is_another_object(app):
    source = "class App:\n    def __init__(self, x):\n        self.x = x\n"
    source += "    def __call__(self, environ, start_response):\n        start_response('200 OK', [])\n"
    source += "        return [NAME]\nNAME = {0!r}\napp = App({1})\n"
    a = app(web=source.format(b"one", 1))
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    first = middleware.application
    with wsgi_server(middleware) as port:
        a.edit(web=source.format(b"two", 2))
        assert text(port) == "two"
    assert middleware.application is a("web").app is not first


def test_a_module_that_is_not_managed_shows_where_the_application_comes_from(app, tmp_path, monkeypatch):
    source = "import functools\ndef answer(name, environ, start):\n    start('200 OK', [])\n    return [name]\n"
    a = app(web=source + "app = functools.partial(answer, b'one')\n")
    (tmp_path / "outside_wsgi.py").write_text(f"from {a.name}.web import app\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with wsgi_server(ReloadMiddleware("outside_wsgi:app", a.loader)) as port:
        assert text(port) == "one"
        a.edit(web=source + "app = functools.partial(answer, b'two')\n")
        assert text(port) == "two"


def test_a_made_application_stays_when_a_view_is_patched_a_line_moves_or_another_function_changes(app):
    a = app(web=FACTORY + "def other():\n    return 1\n", views="TITLE = 'T'\ndef show():\n    return 'one'\n")
    middleware = ReloadMiddleware(f"{a.name}.web:create_app()", a.loader)
    made = middleware.application
    with wsgi_server(middleware) as port:
        assert text(port) == "<Tone"
        a.edit(views="TITLE = 'T'\ndef show():\n    return 'two'\n")
        a.edit(web="# moved\n" + FACTORY + "def other():\n    return 2\n")
        a.edit(web=FACTORY.replace('"<"', '"["') + "def other():\n    return 2\n")
        assert text(port) == "[Ttwo"
    assert middleware.application is made


def test_a_view_that_a_factory_defines_is_patched_in_the_application_that_is_there(app):
    a = app(web=FACTORY, views="TITLE = 'T'\ndef show():\n    return 'one'\n")
    middleware = ReloadMiddleware(f"{a.name}.web:create_app", a.loader, factory=True)
    made = middleware.application
    with wsgi_server(middleware) as port:
        a.edit(web=FACTORY.replace("[(prefix()", "[('!' + prefix()"))
        assert text(port) == "!<Tone"
    assert middleware.application is made


@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ({"web": FACTORY.replace('{"/": show}', '{"/": lambda: "lambda"}')}, "<Tlambda"),
        ({"views": "TITLE = 'U'\ndef show():\n    return 'one'\n"}, "<Uone"),
        ({"views": "TITLE = 'T'\ndef show(): return 'new'\nshow = lambda f=show: f()\n"}, "<Tnew"),
    ],
)
def test_a_made_application_is_made_anew_when_what_made_it_changes(app, edits, shown):
    a = app(web=FACTORY, views="TITLE = 'T'\ndef show():\n    return 'one'\n")
    middleware = ReloadMiddleware(f"{a.name}.web:create_app()", a.loader)
    made = middleware.application
    with wsgi_server(middleware) as port:
        result = a.edit(**edits)
        assert text(port) == shown
    assert middleware.application is not made
    assert "the application was recreated" in str(result)


def test_a_factory_that_is_given_as_a_function_is_called_again_when_what_it_calls_changes(app):
    a = app(
        web="from APP.conf import name\ndef make():\n    return lambda e, s: [s('200 OK', []), NAME][1:]\nNAME = b''\n"
    )
    a.write("conf.py", "def name():\n    return b'one'\n")
    a.edit(web="from APP.conf import name\ndef make():\n    kept = name()\n    def app(e, s):\n"
               "        s('200 OK', [])\n        return [kept]\n    return app\n")  # fmt: skip
    middleware = ReloadMiddleware(a("web").make, a.loader, factory=True)
    with wsgi_server(middleware) as port:
        assert text(port) == "one"
        a.edit(conf="def name():\n    return b'two'\n")
        assert text(port) == "two"


def test_a_factory_with_arguments(app):
    a = app(
        web="def make(name, mark='.'):\n    return lambda e, s: s('200 OK', []) and None or [(name + mark).encode()]\n"
    )
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:make('shop', mark='!')", a.loader)) as port:
        assert text(port) == "shop!"


@pytest.mark.parametrize("text", ["web", "web:", "web:1+1", "web:app(x)", "we-b:app", "web:app; 1"])
def test_what_is_no_application_is_refused(app, text):
    a = app(web="")
    with pytest.raises(SetupError, match="is not an application"):
        ReloadMiddleware(f"{a.name}.{text}", a.loader)


def test_a_name_that_is_missing_and_a_factory_that_returns_nothing_are_refused(app):
    a = app(web="def make():\n    pass\n")
    with pytest.raises(SetupError, match="has no nothing"):
        ReloadMiddleware(f"{a.name}.web:nothing", a.loader)
    with pytest.raises(SetupError, match="returned None"):
        ReloadMiddleware(f"{a.name}.web:make()", a.loader)


def test_a_rebuild_that_fails_leaves_the_old_application_and_is_told_until_it_is_mended(app):
    a = app(web=FACTORY, views="TITLE = 'T'\ndef show():\n    return 'one'\n")
    middleware = ReloadMiddleware(f"{a.name}.web:create_app()", a.loader, overlay=True)
    with wsgi_server(middleware) as port, Events(port) as events:
        assert events.next()["troubles"] == []
        a.edit(web=FACTORY.replace("    views =", "    1 / 0\n    views ="))
        trouble = events.next()["troubles"][0]
        assert (trouble["summary"], trouble["line"]) == ("ZeroDivisionError: division by zero", 4)
        assert text(port) == "<Tone"
        a.edit(web=FACTORY.replace("views =", "views = v ="))
        assert events.next()["troubles"] == []
        assert text(port) == "<Tone"


# Requests


def test_a_long_request_ends_on_the_version_it_began_with_while_others_go_on(app):
    slow = """
        import threading
        entered, go = threading.Event(), threading.Event()
        def app(environ, start_response):
            start_response("200 OK", [])
            first = version()
            if environ["PATH_INFO"] == "/slow":
                entered.set()
                go.wait(30)
            return [f"{first} {version()}".encode()]
        def version():
            return 1
    """
    a = app({"web.py": slow}, options={"gate_timeout": PATIENCE})
    answers = []
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        web = a("web")
        client = threading.Thread(target=lambda: answers.append(text(port, "/slow")))
        client.start()
        assert web.entered.wait(PATIENCE)
        a.write("web.py", slow.replace("return 1", "return 2"))
        gate = a.loader.reloader.gate
        until(lambda: gate._busy)
        assert text(port) == "1 1"  # not held until the long one is done
        web.go.set()
        client.join()
        until(lambda: text(port) == "2 2")
    assert answers == ["1 1"]


def test_a_stream_does_not_hold_up_reloads(app):
    stream = """
        import threading
        go = threading.Event()
        def app(environ, start_response):
            start_response("200 OK", [])
            if environ["PATH_INFO"] == "/":
                return [version().encode()]
            return parts()
        def parts():
            yield version().encode()
            go.wait(30)
            yield version().encode()
        def version():
            return "1"
    """
    a = app({"web.py": stream}, options={"gate_timeout": PATIENCE * 3})
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        assert answer.read(1) == b"1"
        a.edit("web.py", stream.replace('return "1"', 'return "2"'))
        assert text(port) == "2"
        a("web").go.set()
        assert answer.read() == b"2"
        connection.close()


def test_the_gate_is_left_when_the_application_raises_or_the_client_goes(app):
    a = app(web="""
        def app(environ, start_response):
            if environ["PATH_INFO"] == "/raise":
                1 / 0
            start_response("200 OK", [])
            return parts()
        def parts():
            for _ in range(10**9):
                yield b"x" * 100000
    """)  # fmt: skip
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        assert get(port, "/raise").status == 500
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/")
        connection.getresponse().read(10)
        connection.sock.close() if connection.sock else None
        connection.close()
        until(lambda: not a.loader.reloader.gate._inside)


def test_a_failed_reload_breaks_no_request(app):
    a = app(web=PLAIN, parts="def text():\n    return 'one'\n")
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        text(port)
        a.edit(parts="def text(:\n")
        assert text(port) == "one"
        a.edit(parts="def text():\n    return 'two'\n")
        assert text(port) == "two"


def test_without_a_watcher_changes_are_applied_before_the_next_request(app):
    a = app(web=PLAIN, parts="def text():\n    return 'one'\n", options={"watch": False})
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        assert text(port) == "one"
        a.write("parts.py", "def text():\n    return 'two!'\n")
        assert text(port) == "two!"
        a.write("parts.py", "def text(:\n")
        assert text(port) == "two!"
        a.write("parts.py", "def text():\n    return 'three'\n")
        assert text(port) == "three"


@pytest.mark.parametrize("overlay", [False, True])
def test_it_is_wsgi_by_the_validator_of_the_standard_library(app, overlay):
    a = app(web="""
        def app(environ, start_response):
            html = environ["PATH_INFO"] == "/html"
            start_response("200 OK", [("Content-Type", "text/html" if html else "text/plain")])
            return iter([b"<html><body>", b"</body></html>"])
    """)  # fmt: skip
    inner = wsgiref.validate.validator(a("web").app)
    middleware = ReloadMiddleware(inner, a.loader, overlay=overlay)
    outer = wsgiref.validate.validator(middleware)
    for method, path in [("GET", "/html"), ("HEAD", "/html"), ("GET", "/plain"), ("GET", "/__pyautoload__/client.js")]:
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": ""}
        wsgiref.util.setup_testing_defaults(environ)  # adds what is missing
        start = Mock()
        body = outer(environ, partial(_started, start))
        assert (b"client.js" in b"".join(body)) is (overlay and (method, path) == ("GET", "/html"))
        body.close()
        start.assert_called_once_with("200 OK")


def _started(start, status, headers, exc_info=None):
    start(status)
    return print


def test_a_server_with_one_thread_is_not_kept_by_the_event_stream(app):
    a = app(web=PLAIN, parts="def text():\n    return 'one'\n")
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader, refresh=True)
    with wsgi_server(middleware, threaded=False) as port:
        assert b"retry:" in get(port, "/__pyautoload__/events").body
        assert text(port) == "one"


# Where it does not start


@pytest.mark.parametrize(
    ("name", "value"), [("PYAUTOLOAD_ENV", "production"), ("PYAUTOLOAD_ENV", "Production "), ("FLASK_DEBUG", "0")]
)
def test_production_is_refused_unless_forced(app, monkeypatch, name, value):
    a = app(web=PLAIN, parts="")
    monkeypatch.setenv(name, value)
    with pytest.raises(ProductionError, match=f"^{name}=(production|0) says"):
        ReloadMiddleware(f"{a.name}.web:app", a.loader)
    ReloadMiddleware(f"{a.name}.web:app", a.loader, force=True)


def test_development_is_not_refused(app, monkeypatch):
    a = app(web=PLAIN, parts="")
    monkeypatch.setenv("PYAUTOLOAD_ENV", "development")
    monkeypatch.setenv("FLASK_DEBUG", "1")
    ReloadMiddleware(f"{a.name}.web:app", a.loader)


def test_a_loader_that_does_not_reload_is_refused(tmp_path):
    (tmp_path / "shop").mkdir()
    with pytest.raises(ReloadingDisabled):
        ReloadMiddleware(lambda e, s: [], AutoLoader(tmp_path / "shop").setup())


def test_a_middleware_that_is_dropped_is_not_kept_by_the_loader(app):
    import gc
    import weakref

    a = app(web=PLAIN, parts="def text():\n    return 'one'\n")
    reference = weakref.ref(ReloadMiddleware(f"{a.name}.web:app", a.loader))
    gc.collect()
    a.edit(parts="def text():\n    return 'two'\n")
    assert reference() is None


def test_nothing_waits_while_nothing_happens(app):
    a = app(web=PLAIN, parts="def text():\n    return 'one'\n")
    with wsgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader, refresh=True)) as port, Events(port) as events:
        events.next()
        threads = {thread.name for thread in threading.enumerate()}
        start = time.process_time()
        time.sleep(0.3)
        assert {thread.name for thread in threading.enumerate()} == threads
        assert time.process_time() - start < 0.3
