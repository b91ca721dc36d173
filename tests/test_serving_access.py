"""Who is shown source, errors and events: who started the server, under its own name, and nobody behind a proxy."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reload_app import app  # noqa: F401
from serving_app import Events, asgi_server, get, wsgi_server

from pyautoload.serving.asgi import ReloadMiddleware as Asgi
from pyautoload.serving.page.access import is_allowed, is_ip_address, is_loopback, is_same_origin
from pyautoload.serving.page.editor import editor_link
from pyautoload.serving.page.visitor import Visitor
from pyautoload.serving.page.visitor_guard import Guard
from pyautoload.serving.wsgi import ReloadMiddleware as Wsgi

PAGE = b"<!doctype html><html><body><p>hello</p></body></html>"
BROKEN = "def text():\n    return 'what-is-secret'\n\ndef broken(:\n    pass\n"
# What proxies, tunnels and content delivery networks send, by their own manuals.
OF_PROXIES = """
    Via Forwarded Forwarded-For X-Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto
    X-Forwarded-Port X-Forwarded-Server X-Forwarded-Prefix X-Forwarded-By X-Forwarded-Ssl
    X-Forwarded-Client-Cert X-Forward-For X-Real-IP X-Client-IP Client-IP X-Cluster-Client-IP True-Client-IP
    Fly-Client-IP Fly-Region CF-Connecting-IP CF-Connecting-IPv6 CF-Ray CF-Visitor CF-IPCountry CDN-Loop
    Fastly-Client-IP Fastly-FF Akamai-Origin-Hop X-Akamai-Edgescape X-Amzn-Trace-Id X-Amz-Cf-Id
    CloudFront-Viewer-Address X-Envoy-External-Address X-Envoy-Original-Path X-Original-URL X-Original-Host
    X-Original-Forwarded-For X-Original-For X-Rewrite-URL X-Azure-ClientIP X-ARR-LOG-ID X-MS-Forwarded
    X-AppEngine-User-IP X-Cloud-Trace-Context X-Vercel-Id X-NF-Request-ID X-Request-ID X-Request-Start
    X-Scheme X-Host X-HAProxy X-Varnish X-Squid-Error X-Sucuri-ClientIP Incap-Client-IP Ali-CDN-Real-IP
    Cdn-Src-Ip X-Tencent-UA DO-Connecting-IP Rndr-Id Tailscale-User-Login X-Ngrok-Domain X-Tunnel-Id
    X-Kong-Request-Id X-Traefik-Id X-SSL-Client-Cert SSL-Client-Verify Front-End-Https Proxy-Client-IP
    WL-Proxy-Client-IP Proxy-Authorization Proxy-Connection Remote-Addr X-Remote-Addr X-Originating-IP
    X-ProxyUser-Ip X-Proxied-For X-B3-TraceId L5d-Dst-Override Surrogate-Capability Z-Forwarded-For
    HTTP-Client-IP X_Forwarded_For
"""
# What browsers send for a page or an event stream.
OF_BROWSERS = """
    Host Connection Cache-Control Pragma Upgrade-Insecure-Requests User-Agent Accept Accept-Encoding
    Accept-Language Sec-Fetch-Site Sec-Fetch-Mode Sec-Fetch-User Sec-Fetch-Dest Sec-CH-UA Sec-CH-UA-Platform
    Sec-GPC DNT Cookie Origin Referer Priority TE If-None-Match If-Modified-Since Last-Event-ID Authorization
    Content-Type Content-Length X-Requested-With Save-Data Purpose Sec-Purpose Device-Memory Downlink ECT RTT
    X-Moz Range
"""


def wsgi_application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [PAGE]


async def asgi_application(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": PAGE})


@pytest.fixture(params=["wsgi", "asgi"])
def shop(app, request):
    """A program of which a module has failed to reload, and ``server(**options)``."""
    a = app(parts="def text():\n    return 1\n")
    a("parts")

    def serve(**options):
        options = {"overlay": True, "refresh": True, **options}
        if request.param == "wsgi":
            return wsgi_server(Wsgi(wsgi_application, a.loader, **options))
        return asgi_server(Asgi(asgi_application, a.loader, **options))

    return a, serve


def source_is_told(port, headers=None):
    """Whether the first event has the source of the error."""
    with Events(port, headers) as events:
        if events.answer.status != 200:
            return False
        while not (troubles := events.next()["troubles"]):
            pass
        return "broken(:" in str(troubles[0]["source"])


# Proxies


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Via", "Fly-Client-IP", "Cf-Ray", "X-Made-Up-By-A-Proxy"])
def test_whoever_comes_by_way_of_a_proxy_is_told_nothing(shop, header):
    a, serve = shop
    with serve() as port:
        a.edit(parts=BROKEN)
        assert source_is_told(port)
        refused = get(port, "/__pyautoload__/events", {header: "127.0.0.1"})
        assert refused.status == 403
        assert b"what-is-secret" not in refused.body
        assert b"--secret" in refused.body
        assert get(port, "/", {header: "127.0.0.1"}).body == PAGE


@pytest.mark.parametrize("header", OF_PROXIES.split())
def test_each_header_that_a_proxy_adds_makes_a_stranger(header):
    for name in (header, header.lower(), header.upper(), header.replace("-", "_")):
        assert not is_loopback("127.0.0.1", {name})


def test_what_a_browser_sends_makes_none():
    assert [name for name in OF_BROWSERS.split() if not is_loopback("127.0.0.1", {name.lower()})] == []


@pytest.mark.parametrize(
    ("client", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.168.1.5", False),
     ("::ffff:10.0.0.1", False), ("", False), (None, False), ("localhost", False), ("fe80::1%eth0", False)],
)  # fmt: skip
def test_this_machine_is_known_by_the_address_of_the_connection(client, loopback):
    assert is_loopback(client, frozenset()) is loopback
    assert not is_loopback(client, {"x-forwarded-for"})


# Names


LOCAL = ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize(
    ("host", "fine"),
    [("localhost", True), ("LOCALHOST:8000", True), ("127.0.0.1:80", True), ("[::1]:8000", True), ("[::1]", True),
     ("[0:0:0:0:0:0:0:1]:80", True), ("localhost.", True), ("localhost.:80", True), (" localhost\t", True),
     ("app.localhost:8000", True), ("evil.example", False), ("localhost.evil.example", False), ("", False),
     ("[::2]", False), ("evil.example#localhost", False), ("localhost@evil.example", False),
     ("[::1].evil.example", False), ("[::1", False), ("[::1]]", False), ("[::1]evil", False), ("::1", False),
     ("[::1]:", False), ("[::1]:80:80", False), ("[::1%25lo]", False), ("[1::1::1]", False), ("[]", False),
     ("localhost:80@evil.example", False), ("user@localhost", False), ("user:word@localhost:80", False),
     ("localhost:", False), ("localhost:a", False), ("localhost:99999", False), ("localhost:-1", False),
     ("localhost:8000 evil", False), ("localhost, evil.example", False), ("localhost..", False), (".localhost", False),
     ("xlocalhost", False), ("localhost/", False), ("localhost?", False), ("localhost\\", False),
     ("localhost\n", False),
     ("localhost\0", False), ("ｌocalhost", False), ("localhost:８０", False),
     ("localhost%00", False), ("127.1", False),
     ("127.0.0.1.evil.example", False), ("2130706433", False), ("*", False)],
)  # fmt: skip
def test_names_are_compared_as_a_whole(host, fine):
    assert is_allowed(host, LOCAL) is fine


@given(st.text(alphabet="[]:.@/#?%\\ \t\0,;ea1localhost", max_size=20), st.sampled_from(LOCAL), st.booleans())
def test_what_stands_around_a_name_makes_it_another(more, name, before):
    host = more + name if before else name + more
    plain = re.fullmatch(r"[ \t]*((app|[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\])\.?(:\d{1,5})?[ \t]*", host.lower())
    if is_allowed(host, LOCAL):
        assert plain


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [("http://localhost:8000", "localhost:8000", True), ("http://LOCALHOST:8000", "localhost:8000", True),
     ("http://localhost", "localhost:80", True), ("https://localhost", "localhost", True),
     ("http://[::1]:8000", "[::1]:8000", True), ("http://localhost:8001", "localhost:8000", False),
     ("http://evil.example", "localhost:8000", False), ("null", "localhost:8000", False), ("", "localhost", False),
     ("http://localhost:8000@evil.example", "localhost:8000", False),
     ("http://localhost:8000/", "localhost:8000", False),
     ("http://localhost:8000, http://evil.example", "localhost:8000", False), ("file://", "localhost", False),
     ("http://127.0.0.1:8000", "localhost:8000", False), ("chrome-extension://abc", "localhost", False)],
)  # fmt: skip
def test_an_origin_is_compared_as_a_whole(origin, host, same):
    assert is_same_origin(origin, host) is same


def test_a_page_of_another_origin_is_told_nothing(shop):
    a, serve = shop
    with serve() as port:
        a.edit(parts=BROKEN)
        own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}", "Sec-Fetch-Site": "same-origin"}
        assert source_is_told(port, own)
        for headers in (
            {**own, "Origin": "http://evil.example"},
            {**own, "Origin": "null"},
            {**own, "Origin": f"http://localhost:{port}@evil.example"},
            {**own, "Host": f"localhost:{port}@evil.example"},
            {**own, "Sec-Fetch-Site": "same-site"},
            {**own, "Sec-Fetch-Site": "cross-site"},
        ):
            assert get(port, "/__pyautoload__/events", headers).status == 403, headers


def test_of_two_host_headers_neither_is_believed():
    visitor = Visitor.of_pairs("127.0.0.1", [("Host", "localhost"), ("host", "evil.example")])
    assert not Guard(LOCAL).lets_in(visitor)
    assert Guard(LOCAL).lets_in(Visitor.of_pairs("127.0.0.1", [("Host", "localhost")]))


# The secret


def test_with_a_secret_the_panel_is_for_browsers_that_know_it(shop):
    a, serve = shop
    with serve(secret="open-sesame") as port:
        a.edit(parts=BROKEN)
        page = get(port)
        assert b"<script" not in page.body
        assert b"<!-- " in page.body
        assert page.body.startswith(PAGE[:30])
        refused = get(port, "/__pyautoload__/events")
        assert (refused.status, b"what-is-secret" in refused.body) == (403, False)
        for query in ("", "?open-sesam", "?open-sesame1", "?"):
            wrong = get(port, f"/__pyautoload__/open{query}")
            assert (wrong.status, "set-cookie" in wrong.headers) == (403, False)

        right = get(port, "/__pyautoload__/open?open-sesame")
        cookie = right.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert b"url=/" in right.body
        known = {"Cookie": f"other=1; {cookie.partition(';')[0]}"}
        assert b"client.js" in get(port, headers=known).body
        assert source_is_told(port, known)
        # A proxy may stand between: who knows the secret has been let in.
        assert source_is_told(port, {**known, "X-Forwarded-For": "10.0.0.1"})
        # From another page the cookie does not come along; should it all the same, the page is refused.
        foreign = get(port, "/__pyautoload__/events", {**known, "Origin": "http://evil.example"})
        assert foreign.status == 403


def test_cookies_of_two_servers_on_one_machine_do_not_meet():
    def cookie(port):
        visitor = Visitor.of_pairs("127.0.0.1", [("Host", f"localhost:{port}")])
        return Guard(LOCAL, "one").cookie(visitor, "one")

    assert cookie(8000).partition("=")[0] != cookie(8001).partition("=")[0]


@pytest.mark.parametrize(
    ("host", "lets_in"), [("192.168.1.5:8000", True), ("[fe80::1]", True), ("evil.example", False)]
)
def test_with_a_secret_any_address_will_do_but_no_foreign_name(host, lets_in):
    guard = Guard(LOCAL, "one")
    port = host.rpartition(":8")[2] if ":8" in host else ""
    name = f"pyautoload-8{port}" if port else "pyautoload"
    visitor = Visitor.of_pairs("192.168.1.9", [("Host", host), ("Cookie", f"{name}=one")])
    assert guard.lets_in(visitor) is lets_in
    assert is_ip_address(host) is lets_in


def test_what_we_answer_cannot_be_framed_guessed_or_kept(shop):
    _, serve = shop
    with serve(secret="one") as port:
        paths = ["client.js", "events", "other", "open?one", "open?two"]
        answers = [get(port, f"/__pyautoload__/{path}") for path in paths]
        answers += [get(port, "/__pyautoload__/events", {"Host": "evil.example"})]
        answers += [get(port, "/__pyautoload__/events", method="POST")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


# Editors


@pytest.mark.parametrize(
    ("environment", "link"),
    [({}, "vscode://file/srv/a%20b.py:3"), ({"PYAUTOLOAD_EDITOR": "none"}, ""),
     ({"PYAUTOLOAD_EDITOR": "pycharm"}, "pycharm://open?file=/srv/a%20b.py&line=3"),
     ({"PYAUTOLOAD_EDITOR": "x://{file}#{line}"}, "x:///srv/a%20b.py#3"),
     ({"PYAUTOLOAD_EDITOR": "javascript:alert('{file}')"}, ""),
     ({"PYCHARM_HOSTED": "1"}, "pycharm://open?file=/srv/a%20b.py&line=3")],
)  # fmt: skip
def test_places_lead_to_an_editor(environment, link):
    assert editor_link("/srv/a b.py", 3, environment) == link
    assert editor_link("<string>", 3, environment) == ""
