"""Guard: who may see the panel, the events and source. Who started the server does; others get the pages alone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from urllib.parse import unquote

from pyautoload.serving.page.access import (
    authority,
    has_passed_a_proxy,
    is_allowed,
    is_ip_address,
    is_loopback,
    is_loopback_address,
    is_same_origin,
)
from pyautoload.serving.page.visitor import Visitor

__all__ = ["Guard"]

# A browser says so of what a page of this server asks for, and of what a person typed.
_FROM_HERE = (None, "same-origin", "none")
_WITH_SECRET = (
    "To see errors here, and to have pages reload by themselves, open once in this browser the address that "
    "`pyautoload serve` printed: its secret stays in a cookie."
)
_WITHOUT = (
    "What is wrong is shown to browsers of the machine that serves, which ask it directly and under one of its names. "
    "From elsewhere, or by way of a proxy, it takes a secret: `pyautoload serve --secret`."
)


class Guard:
    """Tells those who may see source from the others.

    Args:
        hosts: the names under which pages may be asked for.
        secret: what a browser has to know; where it is empty, one on this machine need know nothing.
    """

    def __init__(self, hosts: Iterable[str], secret: str = "") -> None:
        self.hosts = tuple(hosts)
        self.secret = secret

    @property
    def hint(self) -> str:
        """What to do for somebody who was not let in."""
        return _WITH_SECRET if self.secret else _WITHOUT

    def knows(self, visitor: Visitor) -> bool:
        """Whether a request came under a name of ours, and from no page but our own."""
        host, origin = visitor.header("host") or "", visitor.header("origin")
        # Where a secret is needed, an address will do: it cannot be made to point here, and has a cookie of its own.
        if not is_allowed(host, self.hosts) and not (self.secret and is_ip_address(host)):
            return False
        return origin is None or is_same_origin(origin, host)

    def is_of_another_site(self, visitor: Visitor) -> bool:
        """Whether a browser says that a page of somebody else asks."""
        return visitor.header("sec-fetch-site") not in _FROM_HERE

    def lets_in(self, visitor: Visitor) -> bool:
        """Whether source may be shown."""
        if not self.knows(visitor):
            return False
        if self.secret:
            return self._is_secret(visitor.cookie(_cookie_name(visitor)) or "")
        return is_loopback(visitor.client, visitor.headers)

    def is_stranger(self, visitor: Visitor) -> bool:
        """Whether somebody is known not to be let in, with no way to change that: the page is then all he gets.

        A server that does not say who asks (``client`` is ``None``) leaves that open.
        """
        if self.secret:
            return False
        is_elsewhere = visitor.client is not None and not is_loopback_address(visitor.client)
        return is_elsewhere or has_passed_a_proxy(visitor.headers)

    def cookie(self, visitor: Visitor, query: str) -> str | None:
        """The cookie for somebody who opens the address with the secret; ``None`` where that is wrong, or not needed.

        Args:
            visitor: who asks.
            query: what stands behind the question mark.
        """
        if not self.secret or not self.knows(visitor) or not self._is_secret(unquote(query)):
            return None
        return f"{_cookie_name(visitor)}={self.secret}; Path=/; HttpOnly; SameSite=Strict"

    def _is_secret(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.secret.encode())


def _cookie_name(visitor: Visitor) -> str:
    """Cookies do not tell one port from another: each server on a machine has a name of its own."""
    asked = authority(visitor.header("host") or "")
    return f"pyautoload-{asked.port}" if asked is not None and asked.port is not None else "pyautoload"
