"""Posts, as pages."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blog import Invalid
from blog.controllers import Controller, CSRFProtection, Finding, Pagination
from blog.models import Post, Tag
from blog.services import SavePost


class PostsController(CSRFProtection, Finding, Pagination, Controller):
    """Reading and writing posts in a browser."""

    def index(self) -> str:
        """All posts, the newest first."""
        page = self.page(select(Post).order_by(Post.created_at.desc(), Post.id.desc()))
        return self.render("posts/index.html", page=page, tags=Tag.counts(self.session))

    def show(self, slug: str) -> str:
        """One post with its comments and the form for another one."""
        post = self.find_post(slug)
        return self.render("posts/show.html", post=post, form={}, errors={})

    def new(self) -> str:
        """The form for a new post."""
        return self.render("posts/form.html", post=None, form={}, errors={})

    def edit(self, slug: str) -> str:
        """The form for a post that exists."""
        post = self.find_post(slug)
        form = {"title": post.title, "body": post.body, "tags": ", ".join(tag.name for tag in post.tags)}
        return self.render("posts/form.html", post=post, form=form, errors={})

    def create(self) -> ResponseReturnValue:
        """Take the form for a new post."""
        return self._save(None)

    def update(self, slug: str) -> ResponseReturnValue:
        """Take the form for a post that exists."""
        return self._save(self.find_post(slug))

    def _save(self, post: Post | None) -> ResponseReturnValue:
        form = {field: request.form.get(field, "").strip() for field in ("title", "body", "tags")}
        try:
            saved = SavePost(self.session).save(post, **form)
        except Invalid as error:
            self.session.rollback()
            return self.render("posts/form.html", post=post, form=form, errors=error.errors), 422
        return redirect(url_for("PostsController#show", slug=saved.slug), 303)
