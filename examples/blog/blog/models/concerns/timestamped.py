"""Knowing when a record came and when it changed."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy.orm import Mapped, mapped_column


def _now() -> datetime:
    # SQLite keeps no time zone: what is stored is UTC.
    return datetime.now(timezone.utc).replace(tzinfo=None)


class Timestamped:
    """Adds ``created_at`` and ``updated_at``, in UTC."""

    created_at: Mapped[datetime] = mapped_column(default=_now, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(default=_now, onupdate=_now, sort_order=91)
