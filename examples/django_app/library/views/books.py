"""Books."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from library.models import Author, Book


def index(request: HttpRequest) -> HttpResponse:
    """All books."""
    books = Book.objects.select_related("author").order_by("title")
    return render(request, "library/index.html", {"heading": "Books", "books": books})


def add(request: HttpRequest) -> HttpResponse:
    """Take in a book."""
    author, _ = Author.objects.get_or_create(name=request.POST["author"])
    Book.objects.create(title=request.POST["title"], author=author)
    return redirect("index")
