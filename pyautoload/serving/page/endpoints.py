"""Own: the paths that belong to us, and what is answered there."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import NamedTuple

from pyautoload.serving.page.access import is_allowed, is_loopback
from pyautoload.serving.page.injection import Headers, Script, acceptable, is_for_a_page

__all__ = ["BASE", "Answer", "Pages"]

BASE = "/__pyautoload__/"
HEARTBEAT = 15.0  # seconds between two signs of life: only writing shows that a client has gone
# The first bytes of a stream: how soon a browser connects again, in milliseconds.
RETRY = b"retry: 500\n\n"


class Answer(NamedTuple):
    """What is answered at one of our paths; ``body`` is ``None`` for the event stream."""

    status: str
    headers: Headers
    body: bytes | None


class Pages:
    """What a middleware does for pages, if anything.

    Args:
        overlay: whether errors are shown.
        refresh: whether pages reload themselves.
        hosts: the names under which pages may be asked for.
    """

    def __init__(self, *, overlay: bool, refresh: bool, hosts: tuple[str, ...]) -> None:
        self.overlay = overlay
        self.refresh = refresh
        self.hosts = hosts

    def __bool__(self) -> bool:
        return self.overlay or self.refresh

    def script(self, mount: str, version: str) -> Script:
        """The script for a page.

        Args:
            mount: the path below which the application is.
            version: what the page is made with.
        """
        return Script(f"{mount.rstrip('/')}{BASE}", version, self.overlay, self.refresh)

    def wants(self, method: str, header: Callable[[str], str | None]) -> bool:
        """Whether the answer to a request may get the script."""
        if method not in ("GET", "HEAD", "POST") or not is_allowed(header("host") or "", self.hosts):
            return False
        return is_for_a_page(header)

    def answer(self, path: str, method: str, header: Callable[[str], str | None]) -> Answer | None:
        """What is answered at a path; ``None`` for one that is not ours."""
        if not path.startswith(BASE):
            return None
        if not is_allowed(header("host") or "", self.hosts):
            return _text("403 Forbidden", "This name is not among allowed_hosts.")
        if header("sec-fetch-site") == "cross-site":
            return _text("403 Forbidden", "This is for pages of this server only.")
        if method not in ("GET", "HEAD"):
            return _text("405 Method Not Allowed", "GET it.")
        if path == f"{BASE}client.js":
            code = files("pyautoload.serving.page").joinpath("client.js").read_bytes()
            return _answer("200 OK", "text/javascript; charset=utf-8", code)
        if path == f"{BASE}events":
            kind = ("Content-Type", "text/event-stream")
            return Answer("200 OK", [kind, *_ALWAYS, ("X-Accel-Buffering", "no")], None)
        return _text("404 Not Found", "There is nothing here.")

    def may_see_source(self, client: str | None, names: frozenset[str]) -> bool:
        """Whether the stream to a client may have source in it.

        Args:
            client: the address of the connection.
            names: the names of the request's headers.
        """
        return is_loopback(client, names)

    @staticmethod
    def acceptable(encodings: str) -> str:
        """``Accept-Encoding`` for the application."""
        return acceptable(encodings)


_ALWAYS: Headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]


def _answer(status: str, kind: str, body: bytes) -> Answer:
    return Answer(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *_ALWAYS], body)


def _text(status: str, text: str) -> Answer:
    return _answer(status, "text/plain; charset=utf-8", text.encode())
