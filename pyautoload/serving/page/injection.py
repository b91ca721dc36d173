"""Page: how our script gets into an HTML response, and what has to change in its headers."""

from __future__ import annotations

import gzip
import html
import re
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pyautoload.serving.page.content_security_policy import allowed, policies_in

__all__ = ["Headers", "Insertion", "insertion_for", "is_for_a_page"]

Headers = list[tuple[str, str]]

# What is true of the response of before only.
_OUTDATED = frozenset(
    {"content-length", "etag", "last-modified", "accept-ranges", "content-md5", "digest", "content-digest",
     "repr-digest", "cache-control", "expires"}
)  # fmt: skip
# A document, unlike a fragment that a script puts into one, has one of these near its beginning.
_DOCUMENT = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_NEAR = 4096
_BODY_END = re.compile(rb"</body\s*>", re.IGNORECASE)
# What a browser asks a page for. Empty: a script asks, and puts the answer where it likes.
_DESTINATIONS = frozenset({"document", "iframe", "frame"})
_NOT_ASCII = ("utf-16", "utf-32", "utf16", "utf32", "ucs-2", "utf-7")


class Insertion:
    """One HTML response on its way.

    Args:
        tag: makes the script's element, given the nonce.
        headers: of the response.
        encoding: ``""``, ``"gzip"`` or ``"deflate"``.
    """

    def __init__(self, tag: Callable[[str], bytes], headers: Headers, encoding: str) -> None:
        self.headers = headers
        self._tag = tag
        self._encoding = encoding
        self._policies = [value for name, value in headers if name.lower() == "content-security-policy"]

    def without_body(self) -> Headers:
        """The headers of an answer to HEAD: how long the body would be is not known."""
        return self._changed(None)

    def whole(self, body: bytes) -> tuple[Headers, bytes]:
        """Put the script into a complete body: before its end, so that the page comes first."""
        plain = self._decode(body)
        tag = self._element(plain) if plain is not None else None
        if plain is None or tag is None:
            return self.headers, body
        ends = list(_BODY_END.finditer(plain))
        at = ends[-1].start() if ends else len(plain)
        new = self._encode(plain[:at] + tag + plain[at:])
        return self._changed(len(new)), new

    def stream(self, first: bytes) -> tuple[Headers, bytes]:
        """What is to follow the last part of a body of which the first part is here, and the headers for that.

        Nothing is held back, and nothing is put into the middle of what has not been seen as a whole.
        """
        tag = self._element(first) if not self._encoding else None
        if tag is None:
            return self.headers, b""
        length = next((value for name, value in self.headers if name.lower() == "content-length"), None)
        return self._changed(int(length) + len(tag) if length is not None and length.isdigit() else None), tag

    def _element(self, plain: bytes) -> bytes | None:
        if _DOCUMENT.search(plain, 0, _NEAR) is None:
            return None
        nonce = allowed([*self._policies, *policies_in(plain)])
        return self._tag(nonce) if nonce is not None else None

    def _changed(self, length: int | None) -> Headers:
        headers = [(name, value) for name, value in self.headers if name.lower() not in _OUTDATED]
        headers.append(("Cache-Control", "no-store"))
        if length is not None:
            headers.append(("Content-Length", str(length)))
        return headers

    def _decode(self, body: bytes) -> bytes | None:
        try:
            if self._encoding == "gzip":
                return gzip.decompress(body)
            if self._encoding == "deflate":
                return zlib.decompress(body)
        except (OSError, EOFError, zlib.error):
            return None  # not what it says: not our affair
        return body

    def _encode(self, body: bytes) -> bytes:
        if self._encoding == "gzip":
            return gzip.compress(body, 1, mtime=0)
        return zlib.compress(body, 1) if self._encoding == "deflate" else body


class Script(NamedTuple):
    """Where the script is, how new the page is, and what the script is to do.

    Attributes:
        note: what the page gets in place of the script.
    """

    base: str
    version: str
    overlay: bool
    refresh: bool
    note: str = ""

    def element(self, nonce: str) -> bytes:
        """The ``<script>`` element, or a comment with the note."""
        if self.note:
            return f"<!-- {html.escape(self.note, quote=False)} -->".encode("ascii", "replace")
        wants = " ".join(word for word, wanted in (("overlay", self.overlay), ("refresh", self.refresh)) if wanted)
        with_nonce = f' nonce="{html.escape(nonce)}"' if nonce else ""
        source = html.escape(f"{self.base}client.js")
        data = f'data-version="{self.version}" data-wants="{wants}"'
        return f'<script async src="{source}" {data}{with_nonce}></script>'.encode("ascii", "replace")


def insertion_for(script: Script, status: int, headers: Headers) -> Insertion | None:
    """What to do with a response; ``None`` for one that is passed on as it is."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    kind, _, parameters = found.get("content-type", "").lower().partition(";")
    if kind.strip() != "text/html" or any(word in parameters for word in _NOT_ASCII):
        return None
    if status < 200 or status in (204, 205, 206, 304) or "content-range" in found:
        return None
    if found.get("content-disposition", "").lower().startswith("attachment"):
        return None
    encoding = found.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "deflate"):
        return None
    return Insertion(script.element, headers, encoding.removeprefix("identity"))


def is_for_a_page(header: Callable[[str], str | None]) -> bool:
    """Whether a request asks for a page, as far as its headers tell; older browsers do not.

    Args:
        header: gives the value of a header, ``None`` where there is none.
    """
    destination = header("sec-fetch-dest")
    if destination is not None:
        return destination in _DESTINATIONS
    return header("x-requested-with") is None and header("hx-request") is None


def acceptable(encodings: str) -> str:
    """``Accept-Encoding`` without what we could not open: ``"gzip, br"`` gives ``"gzip"``."""
    return ", ".join(_known(encodings.split(","))) or "identity"


def _known(encodings: Iterable[str]) -> list[str]:
    stripped = [each.strip() for each in encodings]
    return [each for each in stripped if each.partition(";")[0].strip().lower() in ("gzip", "deflate", "identity")]
