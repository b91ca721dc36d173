"""Posts, as JSON."""

from __future__ import annotations

from flask import jsonify, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blog.controllers import Finding, Pagination
from blog.controllers.api import Controller
from blog.models import Post
from blog.services import PostSerializer, SavePost


class PostsController(Finding, Pagination, Controller):
    """Reading and writing posts from a program."""

    def index(self) -> ResponseReturnValue:
        """A page of posts, without their comments."""
        page = self.page(select(Post).order_by(Post.created_at.desc(), Post.id.desc()))
        posts = [PostSerializer(post).summary() for post in page.items]
        return jsonify(posts=posts, page=page.number, pages=page.total)

    def show(self, slug: str) -> ResponseReturnValue:
        """One post with everything."""
        return jsonify(PostSerializer(self.find_post(slug)).full())

    def create(self) -> ResponseReturnValue:
        """Take ``{"title": ..., "body": ..., "tags": "a, b"}``; 422 says what is wrong with it."""
        post = SavePost(self.session).save(None, **self.fields("title", "body", "tags"))
        place = url_for("api:PostsController#show", slug=post.slug)
        return jsonify(PostSerializer(post).full()), 201, {"Location": place}
