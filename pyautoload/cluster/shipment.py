"""Shipments: the side of whoever edits. It makes bundles of what is live here, and has them follow that shall."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from pyautoload import log
from pyautoload.cluster.bundle import Bundle, Delta
from pyautoload.cluster.followers import Followers
from pyautoload.cluster.managed_files import ManagedFiles
from pyautoload.cluster.member import forget, note_shipped_from_here
from pyautoload.errors import ReloadError, ShipmentError, WorkerReloadError

if TYPE_CHECKING:
    from typing import Any

    from pyautoload.cluster.member import Outcome
    from pyautoload.reloading.follower import Change

__all__ = ["Shipment", "ShipmentStatus"]


class ShipmentStatus(NamedTuple):
    """How far the workers are.

    Attributes:
        version: the current one.
        workers: worker → the version that it runs.
        bytes_sent: bytes of code that were sent, to all workers together.
        bytes_of_last: bytes of the last edit, as sent to each worker.
    """

    version: int
    workers: dict[str, int]
    bytes_sent: int
    bytes_of_last: int


class Shipment(ABC):
    """The code of a loader, on its way to workers; ``loader.reload()`` and the watcher take edits there.

    Args:
        loader: what is shipped.

    Raises:
        ShipmentError: the loader is not set up, or cannot be described to another process.
    """

    def __init__(self, loader: Any) -> None:
        if not loader.is_set_up:
            raise ShipmentError(f"the loader {loader.tag} is not set up", "call loader.setup() before it is shipped")
        self._loader = loader
        self.name: str = loader.tag
        self.version = 0
        self._managed = ManagedFiles(loader.config, loader.inflector, loader.tag)
        self._bundle: Bundle = self._managed.bundle()
        # What was prepared, until it is applied or given up.
        self._later: Bundle | None = None
        self._bytes_of_last = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: version {self.version}, {len(self._bundle.files)} files>"

    @property
    def files(self) -> list[str]:
        """The files that are shipped: what is managed, and nothing that is ignored or hidden."""
        return sorted(self._bundle.files)

    @abstractmethod
    def status(self) -> ShipmentStatus:
        """How far the workers are."""

    def _begin_to_follow(self, version: int, *, is_pool: bool = False) -> None:
        """The first version is there.

        Raises:
            ShipmentError: another cluster follows this loader already.
        """
        reloader = self._loader.reloader
        if reloader is None:
            log.debug(self.name, "shipped without reloading: for edits to follow, call enable_reloading() before")
        else:
            followers = reloader.follower or Followers()
            followers.add(self, is_pool=is_pool)
            reloader.follow_with(followers)
        self.version = version
        note_shipped_from_here(self.name, version)

    def close(self) -> None:
        """Edits do not follow any more; what was shipped stays where it is."""
        reloader = self._loader.reloader
        followers = reloader.follower if reloader is not None else None
        if followers is not None:
            followers.remove(self)
            if not followers:
                reloader.follow_with(None)
        forget(self.name)

    def __enter__(self) -> Shipment:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # What a reload asks of those who follow it

    def is_wanted(self, path: str) -> bool:
        """Whether a file is shipped."""
        return self._managed.is_wanted(path)

    def prepare(self, change: Change) -> list[str]:
        """Make the next bundle of what is going to be live here, and send what is new in it.

        Raises:
            ReloadError: a worker cannot take it.
        """
        later = self._managed.bundle(self._bundle, change.live, change.held)
        if later is self._bundle and not change.forced:
            return []
        delta = self._bundle.delta_to(later)
        paths = [*delta.changed, *delta.removed]
        packed = delta.pack()
        try:
            self._send(delta, packed, later, change.forced)
        except ReloadError:
            raise
        except Exception as error:
            raise _unreachable(self.name, paths, error) from error
        self._later, self._bytes_of_last = later, len(packed)
        log.debug(self.name, "%d bytes prepared: %s", len(packed), ", ".join(paths) or "nothing but what runs again")
        return paths

    def apply(self) -> dict[str, str]:
        """Have the workers apply what was prepared.

        Raises:
            ReloadError: one of them failed, and all are on the code of before.
        """
        later, self._later = self._later, None
        if later is None:
            return {}
        try:
            workers = self._commit(later)
        except ReloadError:
            raise
        except Exception as error:
            raise _unreachable(self.name, [], error) from error
        self._bundle = later
        note_shipped_from_here(self.name, self.version)
        log.debug(self.name, "version %d: %s", self.version, workers)
        return workers

    def abandon(self) -> None:
        """Have the workers go on with what they run."""
        later, self._later = self._later, None
        if later is None:
            return
        try:
            self._cancel()
        except Exception as error:  # noqa: BLE001 - they give it up by themselves after a while
            log.warning(self.name, "workers could not be told that an edit is not applied: %r", error)

    @abstractmethod
    def _send(self, delta: Delta, packed: bytes, later: Bundle, forced: list[str]) -> None:
        """Have the workers prepare.

        Raises:
            ReloadError: one of them cannot take it.
        """

    @abstractmethod
    def _commit(self, later: Bundle) -> dict[str, str]:
        """Have the workers apply what they prepared, and count the version.

        Raises:
            ReloadError: one of them failed, and all are on the code of before.
        """

    @abstractmethod
    def _cancel(self) -> None:
        """Have the workers forget what they prepared."""


def failure(worker: str, outcome: Outcome) -> WorkerReloadError:
    """The error for a worker that could not take an edit."""
    return WorkerReloadError(worker, outcome.module, outcome.file, outcome.text, outcome.traceback)


def _unreachable(name: str, paths: list[str], error: Exception) -> ReloadError:
    found = ReloadError(name, paths[0] if paths else None, None, error)
    found.__cause__ = error
    return found
