"""What is read."""

from __future__ import annotations

from django.db import models

from library.models import Author


class Book(models.Model):
    """A book."""

    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")

    def label(self) -> str:
        """What stands on its back."""
        return f"{self.author}: {self.title}"
