"""Which post has which tag."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from blog.models import Base


class Tagging(Base):
    """One tag on one post."""

    __tablename__ = "taggings"
    __table_args__ = (UniqueConstraint("post_id", "tag_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), index=True)
