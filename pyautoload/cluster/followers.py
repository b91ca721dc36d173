"""Followers of one loader: at most one cluster, and any number of process pools of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyautoload.errors import ShipmentError

if TYPE_CHECKING:
    from pyautoload.reloading.follower import Change, Follower

__all__ = ["Followers"]


class Followers:
    """Hands on what a reload asks. Pools come last: what they are sent cannot fail any more."""

    def __init__(self) -> None:
        self._cluster: Follower | None = None
        self._pools: list[Follower] = []

    @property
    def _all(self) -> list[Follower]:
        return [*([self._cluster] if self._cluster is not None else []), *self._pools]

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, follower: Follower, *, is_pool: bool) -> None:
        """Hand on to one more.

        Raises:
            ShipmentError: it is a second cluster: where one fails, the other one could not go back.
        """
        if is_pool:
            self._pools.append(follower)
        elif self._cluster is not None:
            raise ShipmentError(
                "the loader is shipped to a cluster already", "close() that shipment, or use a loader for each cluster"
            )
        else:
            self._cluster = follower

    def remove(self, follower: Follower) -> None:
        """Hand nothing on to this one any more."""
        if self._cluster is follower:
            self._cluster = None
        self._pools = [pool for pool in self._pools if pool is not follower]

    def is_wanted(self, path: str) -> bool:
        """Whether one of them wants a file."""
        return any(follower.is_wanted(path) for follower in self._all)

    def prepare(self, change: Change) -> list[str]:
        """All prepare, or none."""
        paths: list[str] = []
        ready: list[Follower] = []
        for follower in self._all:
            try:
                paths += follower.prepare(change)
            except BaseException:
                for other in ready:
                    other.abandon()
                raise
            ready.append(follower)
        return list(dict.fromkeys(paths))

    def apply(self) -> dict[str, str]:
        """All apply; the first one only can fail."""
        workers: dict[str, str] = {}
        for follower in self._all:
            workers.update(follower.apply())
        return workers

    def abandon(self) -> None:
        """None of them applies what it prepared."""
        for follower in self._all:
            follower.abandon()
