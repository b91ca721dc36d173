"""Records by the words in an address."""

from __future__ import annotations

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.models import Post, Tag


class Finding:
    """Adds ``find_post`` and ``find_tag``, which answer 404 when there is none."""

    session: Session

    def find_post(self, slug: str) -> Post:
        """The post with this slug."""
        post = self.session.scalar(select(Post).where(Post.slug == slug))
        return post if post else abort(404, f"There is no post {slug!r}.")

    def find_tag(self, name: str) -> Tag:
        """The tag with this name."""
        tag = self.session.scalar(select(Tag).where(Tag.name == name))
        return tag if tag else abort(404, f"There is no tag {name!r}.")
