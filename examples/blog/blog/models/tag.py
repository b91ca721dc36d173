"""A tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from blog import models
from blog.models import Base, Validated

if TYPE_CHECKING:
    from blog.models import Post


class Tag(Validated, Base):
    """A word that posts have in common."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(30), unique=True)
    posts: Mapped[list[Post]] = relationship(
        lambda: models.Post,
        secondary=lambda: models.Tagging.__table__,
        back_populates="tags",
        order_by=lambda: models.Post.created_at.desc(),
    )

    def problems(self) -> dict[str, str]:
        """A tag is a short word of letters, digits and dashes."""
        if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,29}", self.name or ""):
            return {}
        return {"tags": f"may hold letters, digits and dashes, {self.name!r} does not"}

    @classmethod
    def named(cls, session: Session, text: str) -> list[Tag]:
        """The tags in ``"python, web"``, each made if it does not exist yet."""
        names = dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip())
        known = {tag.name: tag for tag in session.scalars(select(cls).where(cls.name.in_(names)))}
        return [known.get(name) or cls(name=name) for name in names]

    @classmethod
    def counts(cls, session: Session) -> dict[str, int]:
        """How many posts each tag has, the most used first: ``{"python": 3, "web": 1}``."""
        posts = func.count(models.Tagging.id)
        query = select(cls.name, posts).join(models.Tagging).group_by(cls.name).order_by(posts.desc(), cls.name)
        return {row[0]: row[1] for row in session.execute(query)}
