"""Who writes."""

from __future__ import annotations

from django.db import models


class Author(models.Model):
    """Somebody who has written a book."""

    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name
