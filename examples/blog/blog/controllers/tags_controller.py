"""Tags, as pages."""

from __future__ import annotations

from sqlalchemy import select

from blog.controllers import Controller, Finding, Pagination
from blog.models import Post, Tag


class TagsController(Finding, Pagination, Controller):
    """What was written under a tag."""

    def show(self, name: str) -> str:
        """The posts of one tag."""
        tag = self.find_tag(name)
        page = self.page(select(Post).where(Post.tags.any(Tag.id == tag.id)).order_by(Post.created_at.desc()))
        return self.render("posts/index.html", page=page, tags=Tag.counts(self.session), heading=f"#{tag.name}")
