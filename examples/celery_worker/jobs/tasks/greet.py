"""Greets."""

from __future__ import annotations

from celery import shared_task

from jobs import Greeting


@shared_task
def greet(name: str) -> str:
    """Greet somebody."""
    return Greeting(name).text()
