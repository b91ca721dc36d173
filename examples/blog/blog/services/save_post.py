"""Saving a post."""

from __future__ import annotations

from sqlalchemy.orm import Session

from blog.models import Post, Tag


class SavePost:
    """What has to happen together when somebody presses "Save"."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def save(self, post: Post | None, title: str, body: str, tags: str = "") -> Post:
        """Write a new post, or the new content of ``post``.

        Args:
            post: the post to change, or ``None`` for a new one; its address stays as it was.
            title: its title.
            body: its text, in the simple markup that HTMLRenderer knows.
            tags: the names of its tags, with commas between them.

        Raises:
            Invalid: something is wrong with the post or a tag.
        """
        with self.session.no_autoflush:
            post = post or Post()
            post.title, post.body = title, body
            post.tags = Tag.named(self.session, tags)
            post.validate()
            if not post.slug:
                post.assign_slug(self.session, title)
            self.session.add(post)
        self.session.commit()
        return post
