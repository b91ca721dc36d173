"""What the blog can be told from outside."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Configuration:
    """The settings of one application, each with a default that suits a first try."""

    title: str = "Notes from the tree"
    subtitle: str = "A blog without an import to keep"
    database_url: str = "sqlite:///blog.sqlite3"
    # Signs the session cookie. A random one logs everybody's form tokens out at each start.
    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    posts_per_page: int = 5

    @classmethod
    def from_environment(cls) -> Configuration:
        """Read ``BLOG_TITLE``, ``BLOG_DATABASE_URL``, ``BLOG_SECRET_KEY`` and so on, where they are set."""
        values: dict[str, Any] = {
            name: os.environ[variable]
            for name in ("title", "subtitle", "database_url", "secret_key")
            if (variable := f"BLOG_{name.upper()}") in os.environ
        }
        return cls(**values)
