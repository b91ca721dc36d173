"""Own: the paths that belong to us, and what is answered there."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pyautoload.serving.page.injection import Headers, Script, acceptable, is_for_a_page
from pyautoload.serving.page.response_headers import OF_ALL, OF_PAGES
from pyautoload.serving.page.visitor import Visitor
from pyautoload.serving.page.visitor_guard import Guard

__all__ = ["BASE", "OPEN", "Answer", "PageEndpoints", "opened"]

BASE = "/__pyautoload__/"
# Where the secret goes, behind a question mark.
OPEN = f"{BASE}open"
HEARTBEAT = 15.0  # seconds between two signs of life: only writing shows that a client has gone
# The first bytes of a stream: how soon a browser connects again, in milliseconds.
RETRY = b"retry: 500\n\n"


class Answer(NamedTuple):
    """What is answered at one of our paths; ``body`` is ``None`` for the event stream."""

    status: str
    headers: Headers
    body: bytes | None


class PageEndpoints:
    """What a middleware does for pages, if anything.

    Args:
        overlay: whether errors are shown.
        refresh: whether pages reload themselves.
        hosts: the names under which pages may be asked for.
        secret: what a browser has to know for that; empty for nothing.
    """

    def __init__(self, *, overlay: bool, refresh: bool, hosts: tuple[str, ...], secret: str = "") -> None:
        self.overlay = overlay
        self.refresh = refresh
        self.guard = Guard(hosts, secret)

    def __bool__(self) -> bool:
        return self.overlay or self.refresh

    def script(self, mount: str, version: str, visitor: Visitor) -> Script:
        """The script for a page.

        Args:
            mount: the path below which the application is.
            version: what the page is made with.
            visitor: who receives it: without the secret that is needed, only a line that says so.
        """
        note = self.guard.hint if self.guard.secret and not self.guard.lets_in(visitor) else ""
        return Script(f"{mount.rstrip('/')}{BASE}", version, self.overlay, self.refresh, note)

    def wants(self, method: str, visitor: Visitor) -> bool:
        """Whether the answer to a request may get the script."""
        return self.asks_for_a_page(method, visitor) and not self.guard.is_stranger(visitor)

    def asks_for_a_page(self, method: str, visitor: Visitor) -> bool:
        """Whether a request asks for a page, under a name of ours."""
        return method in ("GET", "HEAD", "POST") and self.guard.knows(visitor) and is_for_a_page(visitor.header)

    def answer(self, path: str, method: str, visitor: Visitor, query: str, mount: str = "") -> Answer | None:
        """What is answered at a path; ``None`` for one that is not ours.

        Args:
            path: below ``mount``.
            method: of the request.
            visitor: who asks.
            query: what stands behind the question mark.
            mount: the path below which the application is.
        """
        if not path.startswith(BASE):
            return None
        guard = self.guard
        if not guard.knows(visitor):
            return _text("403 Forbidden", "This name is not among allowed_hosts, or a page of another site asks.")
        if method not in ("GET", "HEAD"):
            return _text("405 Method Not Allowed", "GET it.")
        if path == OPEN:
            return opened(guard, visitor, query, mount)
        if guard.is_of_another_site(visitor):
            return _text("403 Forbidden", "This is for pages of this server only.")
        if path == f"{BASE}client.js":
            return _answer("200 OK", "text/javascript; charset=utf-8", _client())
        if path == f"{BASE}events":
            if not guard.lets_in(visitor):
                return _text("403 Forbidden", guard.hint)
            kind = ("Content-Type", "text/event-stream")
            return Answer("200 OK", [kind, *OF_ALL, ("X-Accel-Buffering", "no")], None)
        return _text("404 Not Found", "There is nothing here.")

    @staticmethod
    def acceptable(encodings: str) -> str:
        """``Accept-Encoding`` for the application."""
        return acceptable(encodings)


def opened(guard: Guard, visitor: Visitor, query: str, mount: str) -> Answer:
    """The answer to who opens the address with the secret: a cookie, and on to the program's first page.

    A redirection would be shorter, but one that began on another site (a terminal in a web page) does not get the
    cookie along; a page that goes on by itself does.
    """
    cookie = guard.cookie(visitor, query)
    if cookie is None:
        why = "This is not the secret of this server. " if guard.secret else "No secret is needed here. "
        return _text("403 Forbidden", why + guard.hint)
    to = html.escape(f"{mount.rstrip('/')}/")
    page = (
        f'<!doctype html><title>Welcome</title><meta http-equiv="refresh" content="0;url={to}"><a href="{to}">Go on</a>'
    )
    answer = _answer("200 OK", "text/html; charset=utf-8", page.encode("ascii", "xmlcharrefreplace"))
    return answer._replace(headers=[*answer.headers, ("Set-Cookie", cookie)])


@cache
def _client() -> bytes:
    folder = files("pyautoload.serving.page")
    sheet = folder.joinpath("panel.css").read_text(encoding="utf-8")
    return folder.joinpath("client.js").read_text(encoding="utf-8").replace("PANEL_SHEET", sheet).encode()


def _answer(status: str, kind: str, body: bytes) -> Answer:
    more = OF_PAGES if kind.startswith("text/html") else []
    return Answer(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *OF_ALL, *more], body)


def _text(status: str, text: str) -> Answer:
    return _answer(status, "text/plain; charset=utf-8", text.encode())
