"""Posts as JSON has them."""

from __future__ import annotations

from typing import Any

from blog.models import Post
from blog.services import HTMLRenderer


class PostSerializer:
    """The two shapes in which the API gives a post."""

    def __init__(self, post: Post) -> None:
        self.post = post

    def summary(self) -> dict[str, Any]:
        """What a list shows."""
        return {
            "slug": self.post.slug,
            "title": self.post.title,
            "summary": self.post.summary,
            "created_at": f"{self.post.created_at.isoformat(timespec='seconds')}Z",
            "tags": [tag.name for tag in self.post.tags],
            "comments": len(self.post.comments),
        }

    def full(self) -> dict[str, Any]:
        """Everything."""
        comments = [{"author": comment.author, "body": comment.body} for comment in self.post.comments]
        html = HTMLRenderer().render(self.post.body)
        return {**self.summary(), "body": self.post.body, "html": html, "comments": comments}
