"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from blog import Configuration


@dataclass(frozen=True)
class Page:
    """One page of a list; ``number`` counts from 1."""

    items: Sequence[Any]
    number: int
    total: int


class Pagination:
    """Adds ``page``, which reads ``?page=`` from the address."""

    session: Session
    configuration: Configuration

    def page(self, query: Select[Any]) -> Page:
        """The page of ``query`` that was asked for; past the end it is the last one."""
        size = self.configuration.posts_per_page
        rows = self.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        total = max(1, -(-rows // size))
        number = min(max(1, request.args.get("page", 1, type=int)), total)
        items = self.session.scalars(query.limit(size).offset((number - 1) * size)).all()
        return Page(items, number, total)
