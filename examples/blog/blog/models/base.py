"""What every model has."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The declarative base; each table has a number of its own as its key."""

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
