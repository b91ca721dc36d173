"""Feeds for news readers."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import select

from blog.controllers import Controller
from blog.models import Post
from blog.services import AtomFeed


class FeedsController(Controller):
    """The newest posts, to subscribe to."""

    def atom(self) -> Response:
        """The twenty newest posts as Atom."""
        posts = self.session.scalars(select(Post).order_by(Post.created_at.desc()).limit(20)).all()
        feed = AtomFeed(self.configuration.title, request.url_root, request.url)
        xml = feed.render(posts, lambda post: url_for("PostsController#show", slug=post.slug, _external=True))
        return Response(xml, mimetype="application/atom+xml")
