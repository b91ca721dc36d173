"""Visitor: who sent a request, and what its headers say, whatever kind of server it came by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

__all__ = ["Visitor"]


class Visitor(NamedTuple):
    """Who asks.

    Attributes:
        client: the address of the connection; ``None`` where the server does not say.
        headers: name in lower case → value. One that comes twice has both, with a comma between.
    """

    client: str | None
    headers: Mapping[str, str]

    def header(self, name: str) -> str | None:
        """The value of a header, ``None`` where there is none."""
        return self.headers.get(name)

    def cookie(self, name: str) -> str | None:
        """The value of a cookie."""
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None

    @classmethod
    def of_environ(cls, environ: Mapping[str, Any]) -> Visitor:
        """From a WSGI environment."""
        headers = {name[5:].lower().replace("_", "-"): str(environ[name]) for name in environ if name[:5] == "HTTP_"}
        return cls(environ.get("REMOTE_ADDR"), headers)

    @classmethod
    def of_scope(cls, scope: Mapping[str, Any]) -> Visitor:
        """From an ASGI scope."""
        pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        client = scope.get("client")
        return cls.of_pairs(client[0] if client else None, pairs)

    @classmethod
    def of_pairs(cls, client: str | None, pairs: Iterable[tuple[str, str]]) -> Visitor:
        """From headers as they came."""
        headers: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            # Two "Host" headers: what looked at the other one must not be believed, so neither may match.
            headers[key] = f"{headers[key]}, {value}" if key in headers and key != "cookie" else value
        return cls(client, headers)
