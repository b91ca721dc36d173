"""ASGI: requests, streams, websockets and lifespans, with edits in their midst."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from reload_app import app, replace_atomically  # noqa: F401
from running import PATIENCE
from serving_app import Events, asgi_server, get, until

from pyautoload.errors import ProductionError
from pyautoload.serving.asgi import ReloadMiddleware

pytest.importorskip("uvicorn", reason="uvicorn is not installed")

# An application without a framework, which notes its lifespans.
PLAIN = """
import functools
from APP import parts, notes
async def handle(number, scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await parts.start(scope)
        notes.SEEN.append(f"start {number}")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        notes.SEEN.append(f"end {number}")
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": parts.text(scope) + " " + message["text"]})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await globals()[scope["path"].strip("/") or "plain"](scope, send)
async def plain(scope, send):
    await send({"type": "http.response.body", "body": parts.text(scope).encode()})
async def stream(scope, send):
    await send({"type": "http.response.body", "body": parts.text(scope).encode(), "more_body": True})
    await notes.GO.wait()
    await send({"type": "http.response.body", "body": parts.text(scope).encode()})
async def slow(scope, send):
    notes.SEEN.append("slow")
    first = parts.text(scope)
    await notes.GO.wait()
    await send({"type": "http.response.body", "body": (first + parts.text(scope)).encode()})
app = functools.partial(handle, 1)
def make():
    return functools.partial(handle, 1)
"""
SECOND = PLAIN.replace("(handle, 1)\ndef", "(handle, 2)\ndef")
MADE_OTHERWISE = PLAIN.replace(
    "    return functools.partial(handle, 1)", "    app = functools.partial(handle, 2)\n    return app"
)
REFUSING = (
    "await parts.start(scope)",
    'await send({"type": "lifespan.startup.failed", "message": "no database"})\n        return',
)
PARTS = """
async def start(scope):
    scope["state"]["name"] = "{0}"
def text(scope):
    return "{0}"
"""
NOTES = "import asyncio\nSEEN = []\nGO = asyncio.Event()\n"


@pytest.fixture
def shop(app):
    def make(**options):
        return app(
            {"web.py": PLAIN, "parts.py": PARTS.format("one"), "notes.py": NOTES},
            options=options,
        )

    return make


def text(port, path="/"):
    answer = get(port, path)
    assert answer.status == 200
    return answer.text


def go(middleware, a):
    """Let what waits go on, in the loop of the server."""
    middleware._applications.loop.call_soon_threadsafe(a("notes").GO.set)


def test_an_edit_is_in_the_next_answer_and_the_application_stays(shop):
    a = shop()
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    before = middleware.application
    with asgi_server(middleware) as port:
        assert text(port) == "one"
        a.edit(parts=PARTS.format("one").replace('return "one"', 'return "two"'))
        assert text(port) == "two"
    assert middleware.application is before
    assert a("notes").SEEN == ["start 1", "end 1"]


def test_four_clients_during_twenty_edits_get_whole_answers_of_one_version(shop):
    a = shop()
    problems, stop, seen = [], threading.Event(), set()

    def hammer(port):
        while not stop.is_set():
            try:
                seen.add(text(port))
            except (OSError, http.client.HTTPException, AssertionError) as error:
                problems.append(error)
                return

    pair = PARTS.replace('return "{0}"', "return left() + right()") + "def left():\n    return 'l{0}'\n"
    pair += "def right():\n    return 'r{0}'\n"
    a.write("parts.py", pair.format(0))
    with asgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        threads = [threading.Thread(target=hammer, args=(port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 21):
            a.after(partial(replace_atomically, a.root / "parts.py", pair.format(number)))
        until(lambda: "l20r20" in seen or problems)
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert seen <= {f"l{number}r{number}" for number in range(21)}


def test_a_long_request_ends_on_its_version_while_others_go_on_and_the_loop_is_never_blocked(shop):
    a = shop(gate_timeout=PATIENCE)
    middleware, answers = ReloadMiddleware(f"{a.name}.web:app", a.loader), []
    with asgi_server(middleware) as port:
        client = threading.Thread(target=lambda: answers.append(text(port, "/slow")))
        client.start()
        until(lambda: "slow" in a("notes").SEEN)
        a.write("parts.py", PARTS.format("two"))
        until(lambda: a.loader.reloader.gate._busy)
        assert text(port) == "one"
        go(middleware, a)
        client.join()
        until(lambda: text(port) == "two")
    assert answers == ["oneone"]


def test_a_stream_does_not_hold_up_reloads(shop):
    a = shop(gate_timeout=PATIENCE * 3)
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    with asgi_server(middleware) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        assert answer.read(3) == b"one"
        a.edit(parts=PARTS.format("two"))
        go(middleware, a)
        assert answer.read() == b"two"
        connection.close()


def test_a_websocket_stays_through_reloads_and_answers_with_the_new_code(shop):
    websocket = pytest.importorskip("websocket", reason="websocket-client is not installed")
    pytest.importorskip("wsproto", reason="wsproto is not installed")
    a = shop()
    with asgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader)) as port:
        connection = websocket.create_connection(f"ws://127.0.0.1:{port}/", timeout=PATIENCE)
        connection.send("a")
        assert connection.recv() == "one a"
        a.edit(parts=PARTS.format("two"))
        connection.send("b")
        assert connection.recv() == "two b"
        until(lambda: not a.loader.reloader.gate._inside)
        connection.close()


# Applications and their lifespans


def test_with_overlap_a_new_application_is_started_before_the_old_one_has_ended(shop):
    a = shop()
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader, lifespan="overlap")
    with asgi_server(middleware) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        answer.read(3)
        a.edit(web=SECOND)
        until(lambda: middleware.application is a("web").app)
        assert a("notes").SEEN == ["start 1", "start 2"]
        go(middleware, a)
        answer.read()
        until(lambda: len(a("notes").SEEN) == 3)
        connection.close()
    assert a("notes").SEEN == ["start 1", "start 2", "end 1", "end 2"]


def test_an_old_application_answers_and_ends_before_the_new_one_starts(shop):
    a = shop()
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    with asgi_server(middleware) as port, ThreadPoolExecutor(4) as clients:
        slow = clients.submit(text, port, "/slow")
        until(lambda: "slow" in a("notes").SEEN)
        edited = clients.submit(a.edit, web=SECOND)
        time.sleep(0.2)
        assert a("notes").SEEN == ["start 1", "slow"]
        go(middleware, a)
        edited.result(PATIENCE)
        assert slow.result(PATIENCE) == "oneone"
        assert text(port) == "one"
    assert a("notes").SEEN == ["start 1", "slow", "end 1", "start 2", "end 2"]


def test_a_long_request_holds_nobody_up(shop):
    a = shop()
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    with asgi_server(middleware) as port, ThreadPoolExecutor(4) as clients:
        slow = clients.submit(text, port, "/slow")
        until(lambda: "slow" in a("notes").SEEN)
        edited = clients.submit(a.edit, web=SECOND)
        assert text(port) == "one"
        assert not slow.done()
        go(middleware, a)
        edited.result(PATIENCE)
        assert slow.result(PATIENCE) == "oneone"


TASKS = """
from APP import tasks
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        tasks.ALL.extend(range({0}))
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        tasks.ALL.clear()
        await send({{"type": "lifespan.shutdown.complete"}})
    else:
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": str(len(tasks.ALL)).encode()}})
def make():
    return lambda *args: app(*args)
"""


@pytest.mark.parametrize("target", ["app", "make()"])
def test_what_the_start_fills_and_the_end_empties_is_filled_after_each_reload(app, target):
    a = app(web=TASKS.format(1), tasks="ALL = []\n")
    with asgi_server(ReloadMiddleware(f"{a.name}.web:{target}", a.loader)) as port:
        assert text(port) == "1"
        for number in range(2, 5):
            a.edit(web=TASKS.format(number))
            until(lambda number=number: text(port) == str(number))


@pytest.mark.parametrize("target", ["app", "make()"])
def test_an_application_is_started_again_when_what_its_start_ran_has_changed(shop, target):
    a = shop()
    a.write("parts.py", PARTS.format("one").replace('return "one"', 'return scope["state"]["name"]'))
    middleware = ReloadMiddleware(f"{a.name}.web:{target}", a.loader)
    with asgi_server(middleware) as port:
        assert text(port) == "one"
        a.edit(parts=PARTS.format("two").replace('return "two"', 'return scope["state"]["name"]'))
        until(lambda: text(port) == "two")
    assert a("notes").SEEN == ["start 1", "end 1", "start 1", "end 1"]


def test_a_made_application_is_made_anew_with_its_own_state(shop):
    a = shop()
    a.write("parts.py", PARTS.format("one").replace('return "one"', 'return scope["state"]["name"]'))
    middleware = ReloadMiddleware(f"{a.name}.web:make()", a.loader)
    first = middleware.application
    with asgi_server(middleware) as port:
        assert text(port) == "one"
        a.edit(parts=PARTS.format("two").replace('return "two"', 'return scope["state"]["name"]'))
        assert text(port) == "two", "its start would differ"
        second = middleware.application
        assert second is not first
        a.edit(web=MADE_OTHERWISE)
        until(lambda: middleware.application is not second)
        assert text(port) == "two"


def test_an_application_that_does_not_start_leaves_the_old_one_and_is_tried_again(shop):
    a = shop()
    middleware = ReloadMiddleware(f"{a.name}.web:make()", a.loader, overlay=True)
    first = middleware.application
    with asgi_server(middleware) as port, Events(port) as events:
        assert events.next()["troubles"] == []
        a.edit(web=MADE_OTHERWISE.replace(*REFUSING))
        assert "no database" in events.next()["troubles"][0]["summary"]
        assert (text(port), middleware.application is first) == ("one", True)
        a.edit(web=PLAIN)
        assert events.next()["troubles"] == []
        assert middleware.application is not first


def test_a_start_that_fails_at_first_is_the_servers_affair(shop):
    a = shop()
    a.write("web.py", PLAIN.replace(*REFUSING))
    sent, received = [], [{"type": "lifespan.startup"}]

    async def send(message):
        sent.append(message)

    async def receive():
        return received.pop()

    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader)
    asyncio.run(middleware({"type": "lifespan", "state": {}}, receive, send))
    assert sent == [{"type": "lifespan.startup.failed", "message": "no database"}]


def test_an_application_without_lifespan_is_served(app):
    a = app(web="""
        async def app(scope, receive, send):
            assert scope["type"] == "http"
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"served"})
    """)  # fmt: skip
    with asgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader), lifespan="on") as port:
        assert text(port) == "served"


# The rest


def test_without_a_watcher_changes_are_applied_before_the_next_request(shop):
    a = shop(watch=False)
    middleware = ReloadMiddleware(f"{a.name}.web:make()", a.loader)
    with asgi_server(middleware) as port:
        assert text(port) == "one"
        a.write("parts.py", PARTS.format("two!"))
        assert text(port) == "two!"
        a.write("parts.py", "def text(:\n")
        assert text(port) == "two!"
        a.write("parts.py", PARTS.format("three"))
        a.write("web.py", MADE_OTHERWISE)
        before = middleware.application
        assert text(port) == "three"
        assert middleware.application is not before


def test_the_event_stream_tells_of_reloads_and_ends_with_the_server(shop):
    a = shop()
    middleware = ReloadMiddleware(f"{a.name}.web:app", a.loader, refresh=True, overlay=True)
    with asgi_server(middleware) as port:
        with Events(port) as events:
            first = events.next()
            a.edit(parts=PARTS.format("two"))
            second = events.next()
            assert first["version"] != second["version"]
        until(lambda: not middleware._session.events._wakers)
        with Events(port) as events:
            assert events.next() == second
            middleware.close()
            assert events.next() is None


def test_a_task_that_a_request_leaves_behind_does_not_count_as_inside(app):
    a = app(web="""
        import asyncio
        from pyautoload.loaders import all_loaders
        tasks, passed = [], []
        async def later():
            await asyncio.sleep(0.02)
            async with all_loaders()[-1].running():
                passed.append(len(all_loaders()[-1].reloader.gate._inside))
        async def app(scope, receive, send):
            tasks.append(asyncio.create_task(later()))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"served"})
    """)  # fmt: skip
    with asgi_server(ReloadMiddleware(f"{a.name}.web:app", a.loader), lifespan="off") as port:
        assert text(port) == "served"
        until(lambda: a("web").passed)
    assert a("web").passed == [1]


def test_production_is_refused_unless_forced(shop, monkeypatch):
    a = shop()
    monkeypatch.setenv("PYAUTOLOAD_ENV", "production")
    with pytest.raises(ProductionError):
        ReloadMiddleware(f"{a.name}.web:app", a.loader)
    ReloadMiddleware(f"{a.name}.web:app", a.loader, force=True)
