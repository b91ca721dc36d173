"""Redaction: what is shown of a URL. Who reads an error or a log need not know how we are let in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

__all__ = ["HIDDEN", "redacted", "secrets_in", "without"]

HIDDEN = "****"

# From one scheme to the next one, to white space, or to the punctuation in which a text wraps a URL.
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}:[/\\]{2,}(?:(?![a-z][a-z0-9+.-]{0,30}:[/\\]{2})\S)*", re.IGNORECASE)
_START = re.compile(r"(?P<scheme>[^:]*:[/\\]{2,})(?P<authority>[^/\\?#]*)(?P<rest>.*)", re.DOTALL)
# "user:word@" where no scheme is before it, or one slash only.
_BARE = re.compile(r"(?P<secret>[^\s/\\@:'\"]{0,200}:[^\s/\\@'\"]{1,500})@(?=[\w\[])")
_PARAMETER = re.compile(r"(?P<name>(?<=[?&;#])[^=&;#\s]+)=(?P<value>[^&;#\s]*)")
_SENSITIVE = re.compile(
    r"token|key|passw|passphrase|pwd|secret|auth|cred|sig|session|private|jwt|bearer|access|^pass$|^pat$|^sas$|^code$",
    re.IGNORECASE,
)
_PORT = re.compile(r"[^:]*|\[[^\]]*\](?::\d*)?|[^:]*:\d*")
# Who asks by SSH is called so nearly everywhere, and lets nobody in by that.
_NO_SECRET = "git"


def redacted(text: str) -> str:
    """A text without what lets one in: the user and password of each URL in it, and parameters of such names."""
    return _BARE.sub(f"{HIDDEN}@", _URL.sub(lambda match: _shown(match[0]), text))


def _shown(url: str) -> str:
    start, secret, rest = _parted(url)
    if secret is not None and not _is_git(start, secret):
        return f"{start}{HIDDEN}@{_PARAMETER.sub(_hidden, rest)}"
    return start + ("" if secret is None else f"{secret}@") + _PARAMETER.sub(_hidden, rest)


def _hidden(match: re.Match[str]) -> str:
    return f"{match['name']}={HIDDEN}" if _SENSITIVE.search(unquote(match["name"])) else match[0]


def _parted(url: str) -> tuple[str, str | None, str]:
    """Scheme with its slashes, user and password or ``None``, and the rest of a URL, be it well-formed or not."""
    match = _START.match(url)
    if match is None:
        return url, None, ""
    authority = match["authority"]
    if "@" in authority:
        secret, _, host = authority.rpartition("@")
        return match["scheme"], secret, host + match["rest"]
    whole = authority + match["rest"]
    if _PORT.fullmatch(authority) is None and "@" in whole:
        # A password with a slash, a question mark or a hash in it that was not quoted.
        secret, _, rest = whole.rpartition("@")
        return match["scheme"], secret, rest
    return match["scheme"], None, whole


def _is_git(start: str, secret: str) -> bool:
    return "ssh" in start.lower() and secret == _NO_SECRET


def secrets_in(text: str) -> set[str]:
    """What is secret in the URLs of a text, as it stands there and unquoted: programs show it in either form."""
    found: set[str] = set()
    for match in _URL.finditer(text):
        start, secret, rest = _parted(match[0])
        if secret is not None and not _is_git(start, secret):
            user, colon, password = secret.partition(":")
            found |= {secret, password if colon else user}
        parameters = _PARAMETER.finditer(rest)
        found |= {each["value"] for each in parameters if _SENSITIVE.search(unquote(each["name"]))}
    found |= {match["secret"].partition(":")[2] for match in _BARE.finditer(_URL.sub(" ", text))}
    return {each for secret in found for each in (secret, unquote(secret)) if each}


def without(text: str, secrets: Iterable[str]) -> str:
    """A text without these secrets, the longest first, and without those of its own URLs."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 2:  # what is shorter stands in every other word
            text = text.replace(secret, HIDDEN)
    return redacted(text)
