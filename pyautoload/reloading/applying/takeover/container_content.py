"""The content of lists, dicts and sets that stay: given another one, or entered again for its hashes."""

from __future__ import annotations

from typing import Any

from pyautoload.reloading.objects.safe_inspection import is_a

__all__ = ["FILLED_IN_PLACE", "fill_again", "refill"]

FILLED_IN_PLACE = (list, dict, set)


def refill(container: Any, content: Any) -> None:
    """Give a list, dict or set another content."""
    if type(container) is list:
        container[:] = content
    else:
        container.clear()
        container.update(content)


def fill_again(container: Any) -> None:
    """Enter the same content once more: keys are found again, whatever their hash is now."""
    if is_a(container, dict):
        items = list(container.items())
        container.clear()
        container.update(items)
    elif is_a(container, set):
        members = list(container)
        container.clear()
        container.update(members)
