"""What pages get: the script, and nothing where it does not belong; and who is told what."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from reload_app import app  # noqa: F401
from serving_app import Events, asgi_server, get, wsgi_server

from pyautoload.serving.asgi import ReloadMiddleware as Asgi
from pyautoload.serving.page.content_security_policy import allowed
from pyautoload.serving.wsgi import ReloadMiddleware as Wsgi

PAGE = b"<!doctype html><html><head><title>t</title></head><body><p>hello</p></body></html>"
HTML = [("Content-Type", "text/html; charset=utf-8")]
META = b'<head><meta http-equiv="Content-Security-Policy" content="script-src x.example">'
TAG = b"/__pyautoload__/client.js"


def wsgi_answer(status, headers, parts):
    def application(environ, start_response):
        application.environ = environ
        start_response(f"{status} Status", list(headers))
        return iter(parts)

    return application


def asgi_answer(status, headers, parts):
    async def application(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        application.scope = scope
        encoded = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    return application


@pytest.fixture(params=["wsgi", "asgi"])
def served(app, request):
    """``served(headers, *parts)`` gives the answer of a real server to a request for a page."""
    a = app(parts="def text():\n    return 1\n")
    kinds = {"wsgi": (Wsgi, wsgi_answer, wsgi_server), "asgi": (Asgi, asgi_answer, asgi_server)}
    middleware_of, answer_of, server = kinds[request.param]

    def serve(headers, *parts, status=200, method="GET", ask=None, **options):
        application = answer_of(status, headers, parts)
        middleware = middleware_of(application, a.loader, **{"refresh": True, "overlay": True, **options})
        with server(middleware) as port:
            serve.application = application
            return get(port, headers=ask, method=method)

    return serve


# Where the script goes


def test_a_page_gets_the_script_before_the_end_of_its_body(served):
    answer = served([*HTML, ("Content-Length", str(len(PAGE))), ("ETag", '"1"'), ("Cache-Control", "max-age=9")], PAGE)
    before, _, after = answer.body.partition(b"<script")
    assert before == PAGE[: PAGE.index(b"</body>")]
    assert TAG in after
    assert after.endswith(b"</script></body></html>")
    assert answer.headers["content-length"] == str(len(answer.body))
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_every_status_with_a_page_has_it(served, status):
    assert TAG in served([*HTML, ("Content-Length", str(len(PAGE)))], PAGE, status=status).body


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>t</title>x", b"<html>x", b"<body>x", b"<p>x<body>\n</BODY >"])
def test_documents_with_omitted_tags_have_it_too(served, page):
    assert TAG in served([*HTML, ("Content-Length", str(len(page)))], page).body


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Content-Type", "text/html")], b"<li>a fragment for a script to put in</li>"),
        ([("Content-Type", "application/json")], json.dumps("<html><body></body></html>").encode()),
        ([("Content-Type", "application/xhtml+xml")], PAGE),
        ([("Content-Type", "text/html; charset=utf-16")], PAGE.decode().encode("utf-16")),
        ([*HTML, ("Content-Disposition", "attachment; filename=page.html")], PAGE),
        ([*HTML, ("Content-Encoding", "br")], b"\x1b<html><body>"),
        ([*HTML, ("Content-Encoding", "gzip")], b"<html><body>not gzip at all"),
        ([*HTML, ("Content-Security-Policy", "default-src 'none'")], PAGE),
        ([*HTML, ("Content-Security-Policy", "default-src 'self'; connect-src https://elsewhere.example")], PAGE),
        (HTML, PAGE.replace(b"<head>", META)),
        ([], PAGE),
    ],
)  # fmt: skip
def test_what_is_no_page_or_must_not_have_it_passes_unchanged(served, headers, body):
    headers = [*headers, ("Content-Length", str(len(body))), ("ETag", '"1"')]
    answer = served(headers, body)
    assert answer.body == body
    assert answer.headers["etag"] == '"1"'


@pytest.mark.parametrize(("status", "more"), [(204, []), (304, []), (206, [("Content-Range", "bytes 0-9/99")])])
def test_answers_without_a_whole_body_pass_unchanged(served, status, more):
    body = PAGE if status == 206 else b""
    length = [("Content-Length", str(len(body)))] if body else []
    answer = served([*HTML, *more, *length, ("ETag", '"1"')], body, status=status)
    assert (answer.status, answer.body, answer.headers["etag"]) == (status, body, '"1"')


def test_head_tells_no_length_that_would_be_wrong(served):
    answer = served([*HTML, ("Content-Length", str(len(PAGE)))], b"", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers.get("content-length") != str(len(PAGE))


@pytest.mark.parametrize(("encoding", "pack", "unpack"), [
    ("gzip", gzip.compress, gzip.decompress), ("deflate", zlib.compress, zlib.decompress)])  # fmt: skip
def test_a_compressed_page_is_opened_and_compressed_again(served, encoding, pack, unpack):
    body = pack(PAGE)
    answer = served([*HTML, ("Content-Encoding", encoding), ("Content-Length", str(len(body)))], body)
    assert answer.headers["content-encoding"] == encoding
    assert TAG in unpack(answer.body)
    assert answer.headers["content-length"] == str(len(answer.body))


def test_a_streamed_page_is_not_held_back_and_gets_it_at_the_end(served):
    answer = served(HTML, PAGE[:60], PAGE[60:])
    assert answer.body.startswith(PAGE)
    assert TAG in answer.body[len(PAGE) :]


def test_a_page_in_parts_with_a_length_keeps_a_true_one(served):
    answer = served([*HTML, ("Content-Length", str(len(PAGE)))], PAGE[:60], PAGE[60:])
    assert answer.headers["content-length"] == str(len(answer.body))
    assert TAG in answer.body


def test_a_compressed_stream_passes_unchanged(served):
    body = gzip.compress(PAGE)
    assert served([*HTML, ("Content-Encoding", "gzip")], body[:50], body[50:]).body == body


def test_the_application_is_not_asked_for_what_could_not_be_opened(served):
    served(HTML, PAGE, ask={"Accept-Encoding": "br, gzip;q=0.8, zstd"})
    scope = getattr(served.application, "scope", None)
    seen = (
        dict(scope["headers"])[b"accept-encoding"].decode()
        if scope
        else served.application.environ["HTTP_ACCEPT_ENCODING"]
    )
    assert seen == "gzip;q=0.8"


@pytest.mark.parametrize("ask", [{"Sec-Fetch-Dest": "empty"}, {"HX-Request": "true"}, {"X-Requested-With": "x"}])
def test_what_a_script_asks_for_has_none(served, ask):
    assert served([*HTML, ("Content-Length", str(len(PAGE)))], PAGE, ask=ask).body == PAGE


def test_a_nonce_of_the_policy_is_used(served):
    policy = ("Content-Security-Policy", "script-src 'nonce-aB3+/=' 'strict-dynamic'; object-src 'none'")
    assert b' nonce="aB3+/="' in served([*HTML, ("Content-Length", str(len(PAGE))), policy], PAGE).body


def test_nothing_is_touched_unless_asked_for(served):
    assert served([*HTML, ("Content-Length", str(len(PAGE)))], PAGE, refresh=False, overlay=False).body == PAGE


def test_a_page_under_a_foreign_name_is_left_alone(served):
    headers = [*HTML, ("Content-Length", str(len(PAGE)))]
    assert served(headers, PAGE, ask={"Host": "evil.example"}).body == PAGE
    assert TAG in served(headers, PAGE, ask={"Host": "dev.example:8000"}, allowed_hosts=("dev.example",)).body


# The policies


@pytest.mark.parametrize(
    ("policies", "verdict"),
    [
        ([], ""),
        (["default-src 'self'"], ""),
        (["script-src 'self'; style-src 'none'"], ""),
        (["script-src-elem 'self'; script-src 'none'"], ""),
        (["script-src 'strict-dynamic' 'self'"], None),
        (["default-src 'self'", "script-src 'nonce-x1'"], "x1"),
        (["default-src 'self', script-src 'none'"], None),
        (["script-src 'nonce-\"><img>'"], None),
        (["sandbox allow-forms"], None),
        (["sandbox allow-scripts allow-same-origin"], ""),
        (["frame-ancestors 'none'; upgrade-insecure-requests"], ""),
        (["script-src 'self'; connect-src 'none'"], None),
        ([" ; ;"], ""),
    ],
)
def test_a_policy_is_kept(policies, verdict):
    assert allowed(policies) == verdict


# Who is told what


@pytest.fixture(params=["wsgi", "asgi"])
def shop(app, request):
    """An application of which a module has failed to reload, and ``(App, server(**options))``."""
    a = app(parts="def text():\n    return 1\n")
    a("parts")

    def serve(**options):
        if request.param == "wsgi":
            middleware = Wsgi(wsgi_answer(200, HTML, [PAGE]), a.loader, overlay=True, **options)
            return wsgi_server(middleware)
        return asgi_server(Asgi(asgi_answer(200, HTML, [PAGE]), a.loader, overlay=True, **options))

    return a, serve


BROKEN = "def text():\n    return '<script>alert(1)</script>'\n\ndef broken(:\n    pass\n"


def test_an_error_is_told_with_its_place_and_source_until_it_is_mended(shop):
    a, serve = shop
    with serve() as port, Events(port) as events:
        assert events.next()["troubles"] == []
        a.edit(parts=BROKEN)
        told = events.next()
        trouble = told["troubles"][0]
        assert trouble["summary"].startswith("SyntaxError: ")
        assert (trouble["file"], trouble["line"]) == (f"{a.name}/parts.py", 4)
        assert [4, "def broken(:"] in trouble["source"]
        a.edit(parts="def text():\n    return 2\n")
        mended = events.next()
        assert mended["troubles"] == []
        assert mended["version"] != told["version"]


def test_an_error_that_is_taken_back_is_gone_and_pages_need_not_reload(shop):
    a, serve = shop
    with serve() as port, Events(port) as events:
        first = events.next()
        a.edit(parts=BROKEN)
        assert events.next()["troubles"]
        a.edit(parts="def text():\n    return 1\n")
        assert events.next() == first


def test_our_paths_are_for_our_own_names_and_pages_only(shop):
    _, serve = shop
    with serve() as port:
        for path in ("/__pyautoload__/events", "/__pyautoload__/client.js"):
            assert get(port, path, {"Host": f"evil.example:{port}"}).status == 403
            assert get(port, path, {"Sec-Fetch-Site": "cross-site"}).status == 403
            assert get(port, path, method="POST").status == 405
            assert get(port, path, method="HEAD").status == 200
        assert get(port, "/__pyautoload__/other").status == 404
        script = get(port, "/__pyautoload__/client.js")
        assert script.headers["content-type"].startswith("text/javascript")


def test_without_overlay_and_refresh_our_paths_are_the_applications(app):
    a = app(parts="")
    with wsgi_server(Wsgi(wsgi_answer(200, HTML, [PAGE]), a.loader)) as port:
        assert get(port, "/__pyautoload__/events").body == PAGE


def test_a_page_of_a_mounted_application_finds_the_script(app):
    a = app(parts="")
    middleware = Wsgi(wsgi_answer(200, HTML, [PAGE]), a.loader, refresh=True)

    def below(environ, start_response):
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/shop", environ["PATH_INFO"].removeprefix("/shop")
        return middleware(environ, start_response)

    below.close = middleware.close
    with wsgi_server(below) as port:
        assert b'src="/shop/__pyautoload__/client.js"' in get(port, "/shop/").body
        assert get(port, "/shop/__pyautoload__/client.js").status == 200
