"""Whether a content security policy lets a page run our script, and under which nonce."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["Verdict", "allowed", "policies_in"]

# A policy within the page itself.
_META = re.compile(rb"<meta\b[^>]*http-equiv\s*=\s*[\"']?content-security-policy[\"']?[^>]*>", re.IGNORECASE)
_CONTENT = re.compile(rb"content\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
# What may stand in a nonce: nothing that could end an attribute.
_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_=-]+)'")

# The nonce that the script needs, "" for none; `None` in place of it: the script may not run.
Verdict = str | None


def policies_in(html: bytes) -> list[str]:
    """The policies in ``<meta>`` elements."""
    found = []
    for element in _META.findall(html):
        content = _CONTENT.search(element)
        if content is not None:
            text = (content[1] or content[2] or b"").decode("latin-1")
            found.append(text.replace("&#39;", "'").replace("&#x27;", "'").replace("&apos;", "'"))
    return found


def allowed(headers: Iterable[str]) -> Verdict:
    """Whether a script of the page's own origin may run there, and connect to that origin.

    Args:
        headers: the policies; each may be a list of several, all of which hold.
    """
    policies = [_directives(policy) for header in headers for policy in header.split(",") if policy.strip()]
    nonces = [match[1] for policy in policies for source in _script(policy) or () if (match := _NONCE.match(source))]
    for nonce in ["", *nonces]:
        if all(_runs(policy, nonce) and _connects(policy) for policy in policies):
            return nonce
    return None


def _directives(policy: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for directive in policy.split(";"):
        name, *sources = directive.split()[:64] or [""]
        found.setdefault(name.lower(), sources)  # of two with one name, the first counts
    return found


def _script(policy: dict[str, list[str]]) -> list[str] | None:
    return next((policy[name] for name in ("script-src-elem", "script-src", "default-src") if name in policy), None)


def _runs(policy: dict[str, list[str]], nonce: str) -> bool:
    if not {"allow-scripts", "allow-same-origin"} <= set(policy.get("sandbox", ("allow-scripts", "allow-same-origin"))):
        return False
    sources = _script(policy)
    if sources is None:
        return True
    if nonce and f"'nonce-{nonce}'" in sources:
        return True
    words = {source.lower() for source in sources}
    return "'strict-dynamic'" not in words and not words.isdisjoint(("'self'", "*"))


def _connects(policy: dict[str, list[str]]) -> bool:
    sources = next((policy[name] for name in ("connect-src", "default-src") if name in policy), None)
    return sources is None or not {source.lower() for source in sources}.isdisjoint(("'self'", "*"))
