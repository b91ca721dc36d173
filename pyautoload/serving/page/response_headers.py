"""The headers of what we answer ourselves: nothing is kept, guessed, framed by others, or told to others."""

from __future__ import annotations

__all__ = ["OF_ALL", "OF_PAGES", "policy"]

OF_ALL = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    # Not "no-referrer": a form that is sent once more would then come from the origin "null", and be refused.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


def policy(nonce: str = "") -> str:
    """The content security policy of a page of ours: its own style, our script, and no more.

    Args:
        nonce: of a script in the page itself.
    """
    script = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src {script}; style-src 'unsafe-inline'; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


OF_PAGES = [("Content-Security-Policy", policy())]
