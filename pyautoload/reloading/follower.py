"""Followers: other processes that are to run what this one runs. They prepare before it changes, and apply with it."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyautoload.errors import ReloadError

__all__ = ["Change", "Follower", "FollowerFailed"]


@dataclass(frozen=True)
class Change:
    """What is about to become live in this process.

    Attributes:
        live: given a file and what it holds now (``None`` where it has gone), what of it is going to be live.
        held: files that stay as they were.
        forced: modules that run again whether they have changed or not.
    """

    live: Callable[[str, bytes | None], bytes | None]
    held: Container[str]
    forced: list[str]


class Follower(Protocol):
    """Whoever takes the edits of a loader to other processes."""

    def is_wanted(self, path: str) -> bool:
        """Whether a change of a file matters there, though nothing here has loaded or read it."""
        ...

    def prepare(self, change: Change) -> list[str]:
        """Get ready, so that ``apply`` can hardly fail; nothing changes yet.

        Returns:
            The files that are going to change there.

        Raises:
            ReloadError: it cannot be.
        """
        ...

    def apply(self) -> dict[str, str]:
        """Change what was prepared.

        Returns:
            Worker → what became of it.

        Raises:
            ReloadError: it failed, and all is there as it was before.
        """
        ...

    def abandon(self) -> None:
        """What was prepared is not applied."""
        ...


class FollowerFailed(Exception):
    """What was done in this process is to be put back, as others could not follow.

    Attributes:
        error: what is told of it.
    """

    def __init__(self, error: ReloadError) -> None:
        super().__init__(str(error))
        self.error = error
