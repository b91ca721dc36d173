"""Who may see what: nobody in production, source on this machine only, and no page of a foreign name."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pyautoload.errors import ProductionError

__all__ = [
    "LOCAL",
    "Authority",
    "authority",
    "has_passed_a_proxy",
    "is_allowed",
    "is_ip_address",
    "is_loopback",
    "is_loopback_address",
    "is_same_origin",
    "refuse_production",
]

# The names of this machine, under which a browser may ask for pages.
LOCAL = ("localhost", "127.0.0.1", "[::1]")
# Names below this one are this machine's everywhere: no name server is asked for them.
_BELOW_LOCAL = ".localhost"

_NO = frozenset({"0", "false", "no", "off"})

# Host and port as a browser writes them, and nothing before, between or behind: "localhost", "[::1]:8000", "a.example."
_AUTHORITY = re.compile(
    r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)\.?(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>.+)", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}

# What a proxy says of itself, or of whom it forwards for. Whatever it says, it is not to be trusted; that it is there
# makes the request a stranger's. There are hundreds of names and more each year, nearly all of which begin with "X-";
# a browser that asks for a page sends none of these but a few. The others are families, words, and whole names.
_OF_BROWSERS = frozenset({"x-requested-with", "x-purpose", "x-moz"})
_FAMILIES = (
    "x-", "cf-", "cloudfront-", "fly-", "fastly-", "akamai-", "incap-", "cdn-", "ali-", "eagleeye-", "tailscale-",
    "proxy-", "wl-proxy-", "rndr-", "render-proxy-", "oci-", "l5d-", "ssl-", "surrogate-", "front-end-", "z-forward",
    "max-forwards", "was-default-", "disguised-", "ngrok-trace", "true-", "client-", "remote-", "edge-", "b3",
    "early-data",
)  # fmt: skip
_WORDS = re.compile(r"forward|via$|proxy|-(?:src|source|real|client|connecting|remote)-?(?:ip|addr)|(?:ip|addr)$")


def refuse_production(*, force: bool, environment: Mapping[str, str] = os.environ) -> None:
    """Do nothing in development.

    Raises:
        ProductionError: the environment says that this is production.
    """
    if force:
        return
    if environment.get("PYAUTOLOAD_ENV", "").strip().lower() == "production":
        raise ProductionError("PYAUTOLOAD_ENV=production")
    debug = environment.get("FLASK_DEBUG")
    if debug is not None and debug.strip().lower() in _NO:
        raise ProductionError(f"FLASK_DEBUG={debug}")


# Where a request comes from


def is_loopback(client: str | None, headers: Collection[str]) -> bool:
    """Whether a request comes from this machine.

    Args:
        client: the address of the connection.
        headers: the names of the request's headers; one that a proxy sets makes it a stranger's.
    """
    return client is not None and is_loopback_address(client) and not has_passed_a_proxy(headers)


def has_passed_a_proxy(headers: Collection[str]) -> bool:
    """Whether one of the names of a request's headers is one that a proxy adds."""
    return any(map(_is_of_a_proxy, headers))


def is_loopback_address(text: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_of_a_proxy(header: str) -> bool:
    # Servers and proxies do not agree whether X_Forwarded_For is another header: here it is none.
    name = header.strip().lower().replace("_", "-")
    if name in _OF_BROWSERS:
        return False
    return name.startswith(_FAMILIES) or _WORDS.search(name) is not None


# Under which name it asks


class Authority(NamedTuple):
    """What a ``Host`` header says.

    Attributes:
        name: in lower case, IPv6 in brackets and in its shortest form.
        port: if it is there.
    """

    name: str
    port: int | None


def authority(text: str) -> Authority | None:
    """Read ``"localhost:8000"``; ``None`` for anything that is not a name and a port from end to end."""
    match = _AUTHORITY.fullmatch(text.strip(" \t").lower())
    if match is None:
        return None
    name, port = match["name"], int(match["port"]) if match["port"] else None
    if port is not None and port > 65535:
        return None
    if name.startswith("["):
        try:
            name = f"[{ipaddress.IPv6Address(name[1:-1]).compressed}]"
        except ValueError:
            return None
    return Authority(name, port)


def is_allowed(header: str, allowed: Iterable[str]) -> bool:
    """Whether a ``Host`` header is one under which this server is known.

    A page of a foreign site can have its name point to this machine; what its scripts then ask for says so here.

    Args:
        header: as it came.
        allowed: names, a port with them does not count; with ``localhost`` also all names below that.
    """
    asked = authority(header)
    if asked is None:
        return False
    names = {known.name for each in allowed if (known := authority(_in_brackets(each)))}
    return asked.name in names or ("localhost" in names and asked.name.endswith(_BELOW_LOCAL))


def is_ip_address(header: str) -> bool:
    """Whether a ``Host`` header is an address: no name of a foreign site can be made to point here so."""
    asked = authority(header)
    if asked is None:
        return False
    try:
        ipaddress.ip_address(asked.name.strip("[]"))
    except ValueError:
        return False
    return True


def is_same_origin(origin: str, header: str) -> bool:
    """Whether an ``Origin`` header is that of a page which came under this ``Host``."""
    match = _ORIGIN.fullmatch(origin.strip(" \t").lower())
    if match is None:
        return False  # "null" is a page of nowhere
    default = _DEFAULT_PORTS[match["scheme"]]
    from_, here = authority(match["authority"]), authority(header)
    if from_ is None or here is None:
        return False
    return from_.name == here.name and (from_.port or default) == (here.port or default)


def _in_brackets(name: str) -> str:
    """An address as it stands in a ``Host`` header: ``"::1"`` gives ``"[::1]"``."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name
