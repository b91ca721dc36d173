"""Readable addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import count

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column


class Sluggable:
    """Adds ``slug``: a title as it stands in an address, unique within the table."""

    slug: Mapped[str] = mapped_column(String(80), unique=True)

    def assign_slug(self, session: Session, title: str) -> None:
        """Take the first free slug for ``title``: ``hello-world``, then ``hello-world-2``."""
        with session.no_autoflush:
            taken = set(session.scalars(select(type(self).slug)))
        self.slug = next(slug for slug in _candidates(title) if slug not in taken)


def _candidates(title: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:70].rstrip("-") or "untitled"
    # "new" is the address of the form for a new post.
    if stem != "new":
        yield stem
    for number in count(2):
        yield f"{stem}-{number}"
