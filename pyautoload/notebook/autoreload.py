"""IPython's own ``%autoreload``: while both are loaded, only one may change modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Autoreload"]

_EVENTS = ("pre_run_cell", "post_execute")
_MODULE = "IPython.extensions.autoreload"


class Autoreload:
    """Takes what ``%autoreload`` does before and after cells from a shell, and gives it back.

    Args:
        shell: IPython's.
    """

    def __init__(self, shell: Any) -> None:
        self._events = shell.events
        # Event and what was called for it.
        self._taken: list[tuple[str, Callable[..., Any]]] = []

    def take_over(self) -> bool:
        """From here on ``%autoreload`` is not called; says whether it was."""
        found = [
            (event, function)
            for event in _EVENTS
            for function in self._events.callbacks[event]
            if type(getattr(function, "__self__", None)).__module__ == _MODULE
        ]
        for event, function in found:
            self._events.unregister(event, function)
        self._taken += found
        return bool(found)

    def give_back(self) -> bool:
        """It is called again; says whether there was anything to give back."""
        taken, self._taken = self._taken, []
        for event, function in taken:
            self._events.register(event, function)
        return bool(taken)
