"""A comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from blog import models
from blog.models import Base, Timestamped, Validated

if TYPE_CHECKING:
    from blog.models import Post


class Comment(Timestamped, Validated, Base):
    """What a reader said about a post."""

    __tablename__ = "comments"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), index=True)
    author: Mapped[str] = mapped_column(String(60))
    body: Mapped[str]
    post: Mapped[Post] = relationship(lambda: models.Post, back_populates="comments")

    def problems(self) -> dict[str, str]:
        """A comment needs somebody who says something."""
        found = {
            "author": self.length_problem(self.author, 60),
            "body": self.length_problem(self.body, 5_000),
        }
        return {field: reason for field, reason in found.items() if reason}
