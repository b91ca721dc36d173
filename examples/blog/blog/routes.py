"""Which controller answers which address; a controller is only named, and its first request loads it."""

from __future__ import annotations

from typing import NamedTuple


class Route(NamedTuple):
    """One address: ``GET /posts/<slug>`` goes to ``PostsController.show``."""

    method: str
    rule: str
    controller: str
    action: str


Routes = (
    Route("GET", "/", "PostsController", "index"),
    Route("GET", "/posts/new", "PostsController", "new"),
    Route("POST", "/posts", "PostsController", "create"),
    Route("GET", "/posts/<slug>", "PostsController", "show"),
    Route("GET", "/posts/<slug>/edit", "PostsController", "edit"),
    Route("POST", "/posts/<slug>", "PostsController", "update"),
    Route("POST", "/posts/<slug>/comments", "CommentsController", "create"),
    Route("GET", "/tags/<name>", "TagsController", "show"),
    Route("GET", "/search", "SearchController", "index"),
    Route("GET", "/feed.atom", "FeedsController", "atom"),
    Route("GET", "/api/posts", "api.PostsController", "index"),
    Route("POST", "/api/posts", "api.PostsController", "create"),
    Route("GET", "/api/posts/<slug>", "api.PostsController", "show"),
    Route("POST", "/api/posts/<slug>/comments", "api.CommentsController", "create"),
    Route("GET", "/api/tags", "api.TagsController", "index"),
)
