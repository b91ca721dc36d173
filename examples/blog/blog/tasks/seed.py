"""Something to read on the first day. Production never needs it, so autoload.py has it not eager loaded."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from blog.models import Comment, Post
from blog.services import SavePost


class Draft(NamedTuple):
    """A post to write, and the comments that it gets: ``[("Ada", "Well said.")]``."""

    title: str
    tags: str
    body: str
    comments: tuple[tuple[str, str], ...] = ()


DRAFTS = (
    Draft(
        "Hello, tree",
        "meta",
        "This blog is a directory. Drop a file into it, and what the file defines has a name.\n\n"
        "```\nblog/models/post.py            blog.models.Post\n"
        "blog/services/html_renderer.py blog.services.HTMLRenderer\n```\n\n"
        "Nobody wrote an `__init__.py` for it.",
        (("Ada", "So where do the imports go?"), ("Grace", "Nowhere. That is the point.")),
    ),
    Draft(
        "A file a name",
        "python, conventions",
        "One class, one file, **one name**. The advantages are small and come every day:\n\n"
        "- you know where a class is before you look,\n- two people rarely edit the same file,\n"
        "- a new file needs no entry anywhere.",
        (("Barbara", "I have said so since 1974."),),
    ),
    Draft(
        "What is not loaded costs nothing",
        "python, speed",
        "## Lazy\n\nWhile you read this page, the code of the *feed* was perhaps never run. It is loaded "
        "when somebody asks for `/feed.atom`.\n\n## Eager\n\nIn production everything is loaded at the "
        "start, so that the first visitor does not wait and the last mistake shows before the first visitor.",
    ),
    Draft(
        "On acronyms",
        "conventions",
        "Is it `HtmlRenderer` or `HTMLRenderer`? The file is `html_renderer.py` in both cases. "
        "Ask for the one that it defines.\n\nThe style guide of Python "
        "[prefers capitals](https://peps.python.org/pep-0008/#descriptive-naming-styles).",
        (("Edsger", "Let us not argue about capitals."), ("Ada", "LET US."), ("Grace", "`letUs`")),
    ),
    Draft(
        "The smallest web framework is a table",
        "web, python",
        "An address on the left, a name on the right:\n\n"
        '```\nRoute("GET", "/posts/<slug>", "PostsController", "show")\n```\n\n'
        "The name is looked up at the first request; a controller that nobody visits is never loaded.",
    ),
    Draft(
        "Circles",
        "python, web",
        "A post has comments, and a comment has a post. Two files that import each other are a circle, and "
        "circles break.\n\nUnless each asks for the *name* when it needs it: `models.Comment` is found at "
        "that moment, wherever the circle began.",
        (("Leonhard", "Some circles are worth having."),),
    ),
)


class Seed:
    """Fills an empty blog."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self) -> int:
        """Write the posts, a day apart, unless there are some already; returns how many were written."""
        if self.session.scalar(select(func.count(Post.id))):
            return 0
        first = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=len(DRAFTS))
        for day, draft in enumerate(DRAFTS):
            post = SavePost(self.session).save(None, draft.title, draft.body, draft.tags)
            post.created_at = post.updated_at = first + timedelta(days=day)
            post.comments = [Comment(author=author, body=body) for author, body in draft.comments]
        self.session.commit()
        return len(DRAFTS)
