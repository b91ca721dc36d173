"""Searching."""

from __future__ import annotations

from flask import request

from blog.controllers import Controller, Pagination
from blog.models import Tag
from blog.services import PostSearch


class SearchController(Pagination, Controller):
    """What holds all the words that were asked for."""

    def index(self) -> str:
        """The posts that match ``?q=``."""
        words = request.args.get("q", "").strip()
        page = self.page(PostSearch(words).query())
        heading = f"Found for “{words}”" if words else "Everything"
        return self.render("posts/index.html", page=page, tags=Tag.counts(self.session), heading=heading, q=words)
