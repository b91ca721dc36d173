"""Who may see what: nobody in production, source on this machine only, and no page of a foreign name."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Collection, Iterable, Mapping

from pyautoload.errors import ProductionError

__all__ = ["LOCAL", "host_of", "is_allowed", "is_loopback", "refuse_production"]

# The names of this machine, under which a browser may ask for pages.
LOCAL = ("localhost", "127.0.0.1", "[::1]")

# A proxy that forwards for somebody else says so in one of these; what it says is not to be trusted.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "cf-connecting-ip", "true-client-ip")
_NO = frozenset({"0", "false", "no", "off"})


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


def is_loopback(client: str | None, headers: Collection[str]) -> bool:
    """Whether a request comes from this machine.

    Args:
        client: the address of the connection.
        headers: the names of the request's headers in lower case; one that a proxy sets makes it a stranger's.
    """
    if client is None or any(name in headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def host_of(header: str) -> str:
    """The name in a ``Host`` header, without the port, in lower case: ``"[::1]:8000"`` gives ``"[::1]"``."""
    header = header.strip().lower()
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0].removesuffix(".")


def is_allowed(header: str, allowed: Iterable[str]) -> bool:
    """Whether a ``Host`` header is one under which this server is known.

    A page of a foreign site can have its name point to this machine; what its scripts then ask for says so here.
    """
    name = host_of(header)
    return bool(name) and any(name == host_of(each) for each in allowed)
