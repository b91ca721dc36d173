"""Tags, as JSON."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from blog.controllers.api import Controller
from blog.models import Tag


class TagsController(Controller):
    """Reading tags from a program."""

    def index(self) -> ResponseReturnValue:
        """Every tag with the number of its posts."""
        return jsonify(tags=[{"name": name, "posts": posts} for name, posts in Tag.counts(self.session).items()])
