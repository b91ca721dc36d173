"""The addresses of the library."""

from __future__ import annotations

from django.urls import path

from library.views import books

urlpatterns = [
    path("", books.index, name="index"),
    path("add", books.add, name="add"),
]
