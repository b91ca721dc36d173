"""Comments, as JSON."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from blog.controllers import Finding
from blog.controllers.api import Controller
from blog.models import Comment
from blog.services import PostSerializer


class CommentsController(Finding, Controller):
    """Adding comments from a program."""

    def create(self, slug: str) -> ResponseReturnValue:
        """Take ``{"author": ..., "body": ...}``."""
        post = self.find_post(slug)
        post.comments.append(Comment(**self.fields("author", "body")))
        self.session.commit()
        return jsonify(PostSerializer(post).full()), 201
