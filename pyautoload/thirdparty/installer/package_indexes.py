"""Indexes of distributions, some by name, some with credentials: these are never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pyautoload.thirdparty.load_errors import InstallRefused
from pyautoload.thirdparty.redaction import redacted, secrets_in, without

__all__ = ["Index", "Registries", "index_of"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Index(NamedTuple):
    """An index of distributions: a URL, or a directory of wheels.

    Attributes:
        place: the URL without credentials, or the absolute path of the directory.
        is_directory: whether it is a directory.
        credentials: user and password, or ``None``.
    """

    place: str
    is_directory: bool
    credentials: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"<Index {redacted(self.place)}{' with credentials' if self.credentials else ''}>"

    @property
    def full(self) -> str:
        """The URL with credentials: for the environment of the installer, never for a message."""
        if self.credentials is None:
            return self.place
        parts = urlsplit(self.place)
        user, password = (quote(part, safe="") for part in self.credentials)
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc}"))

    def redacted(self, text: str) -> str:
        """``text`` without the credentials, and without those of other URLs in it."""
        return without(text, self.secrets)

    @property
    def secrets(self) -> set[str]:
        """What must not be shown."""
        found = secrets_in(self.place)
        if self.credentials is not None:
            user, password = self.credentials
            secret = password or user
            found |= {secret, quote(secret, safe=""), f"{user}:{password}"}
        return found


def index_of(place: str, username: str | None = None, password: str | None = None) -> Index:
    """The index at ``place``, a URL or a directory.

    Raises:
        InstallRefused: it is neither; or a URL that anyone on the way could answer for (``http``, but for loopback).
    """
    is_url = "://" in place
    # A space ends a word where pip reads its settings from the environment.
    if not place or place.startswith("-") or not place.isprintable() or (is_url and " " in place):
        raise InstallRefused(f"{place!r} is not an index: give a URL (https://...) or a directory")
    try:
        parts = urlsplit(place)
        parts.port  # noqa: B018 - raises for what is not a number
    except ValueError as error:
        raise InstallRefused(f"{place!r} is not an index: {error}") from None
    if not is_url:
        if not os.path.isdir(place):
            raise InstallRefused(f"{place!r} is not an index: there is no such directory, registry or URL")
        return Index(os.path.realpath(place), True)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InstallRefused(f"an index has an https:// URL, not {parts.scheme}://")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InstallRefused(
            f"the index at {parts.hostname} is not protected: use https:// (http:// only for loopback)"
        )
    host = parts.netloc.rpartition("@")[2]
    user = username if username is not None else unquote(parts.username or "")
    secret = password if password is not None else unquote(parts.password or "")
    clean = urlunsplit(parts._replace(netloc=host))
    return Index(clean, False, (user, secret) if user or secret else None)


class Registries:
    """Named indexes."""

    def __init__(self) -> None:
        # Name → index. Example: {"company": Index("https://packages.company.example/simple", False, ("me", "..."))}
        self._known: dict[str, Index] = {}

    def add(self, name: str, url: str, username: str | None, password: str | None) -> None:
        """Add or replace a registry.

        Raises:
            InstallRefused: the name or the URL is not acceptable.
        """
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
            raise InstallRefused(f"{name!r} is not a name for a registry: letters, digits, - and _")
        self._known[name] = index_of(url, username, password)

    def remove(self, name: str) -> None:
        """Forget a registry; ``KeyError`` if there is none."""
        if name not in self._known:
            raise KeyError(f"there is no registry {name!r}: {', '.join(self._known) or 'none is known'}")
        del self._known[name]

    def get(self, name: str, default: str) -> Index | str:
        """The registry ``name``, or ``default``."""
        return self._known.get(name, default)

    def shown(self) -> Mapping[str, str]:
        """Name → URL without credentials."""
        return {name: redacted(index.place) for name, index in self._known.items()}
