"""Comments, from the form below a post."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from blog import Invalid
from blog.controllers import Controller, CSRFProtection, Finding
from blog.models import Comment


class CommentsController(CSRFProtection, Finding, Controller):
    """Adding comments in a browser."""

    def create(self, slug: str) -> ResponseReturnValue:
        """Take the form; show the post again, with what is wrong, if it is not complete."""
        post = self.find_post(slug)
        form = {field: request.form.get(field, "").strip() for field in ("author", "body")}
        comment = Comment(**form)
        try:
            comment.validate()
        except Invalid as error:
            return self.render("posts/show.html", post=post, form=form, errors=error.errors), 422
        post.comments.append(comment)
        self.session.commit()
        return redirect(url_for("PostsController#show", slug=slug, _anchor=f"comment-{comment.id}"), 303)
