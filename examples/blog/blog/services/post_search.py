"""Finding posts by what is in them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, or_, select

from blog.models import Post, Tag


class PostSearch:
    """Every word has to stand in the title, the text or a tag."""

    def __init__(self, words: str) -> None:
        self.words = words.split()

    def query(self) -> Select[Any]:
        """The posts that match, the newest first."""
        matches = and_(True, *(self._matches(word) for word in self.words))
        return select(Post).where(matches).order_by(Post.created_at.desc())

    def _matches(self, word: str) -> Any:
        return or_(
            Post.title.icontains(word, autoescape=True),
            Post.body.icontains(word, autoescape=True),
            Post.tags.any(Tag.name == word.lower()),
        )
