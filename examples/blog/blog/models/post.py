"""A post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from blog import models
from blog.models import Base, Sluggable, Timestamped, Validated

if TYPE_CHECKING:
    from blog.models import Comment, Tag


class Post(Sluggable, Timestamped, Validated, Base):
    """Something that was written down, with its tags and the comments it got."""

    __tablename__ = "posts"

    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str]
    comments: Mapped[list[Comment]] = relationship(
        lambda: models.Comment,
        back_populates="post",
        cascade="all, delete-orphan",
        order_by=lambda: models.Comment.created_at,
    )
    tags: Mapped[list[Tag]] = relationship(
        lambda: models.Tag,
        secondary=lambda: models.Tagging.__table__,
        back_populates="posts",
        order_by=lambda: models.Tag.name,
    )

    def problems(self) -> dict[str, str]:
        """A post needs a title and a body of a sensible length."""
        found = {
            "title": self.length_problem(self.title, 120),
            "body": self.length_problem(self.body, 100_000),
        }
        return {field: reason for field, reason in found.items() if reason}

    @property
    def summary(self) -> str:
        """The first paragraph."""
        paragraphs = (part.strip() for part in self.body.split("\n\n"))
        return next((part for part in paragraphs if part and not part.startswith(("#", "```"))), "")
