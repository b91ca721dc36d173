"""Dask: the code of a loader on all workers of a cluster, those that join later too, and edits follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyautoload.cluster.bundle import Bundle, Delta
from pyautoload.cluster.member import Outcome, forget, note_shipped_from_here
from pyautoload.cluster.shipment import Shipment, ShipmentStatus, failure
from pyautoload.errors import ShipmentError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DaskShipment", "ship"]


class DaskShipment(Shipment):
    """The code of a loader on a Dask cluster: see ``ship``."""

    def __init__(self, client: Client, loader: Any, patience: float) -> None:
        if getattr(client, "asynchronous", False):
            raise ShipmentError("an asynchronous client cannot wait for workers", "ship with a Client of its own")
        super().__init__(loader)
        from pyautoload.cluster.dask_scheduler import Coordinator
        from pyautoload.cluster.dask_worker import WorkerSide

        self._client: Any = client
        note_shipped_from_here(self.name, 1)  # before: a scheduler in this process must know
        try:
            self._client.register_plugin(Coordinator(self.name, self._bundle.whole().pack(), patience))
            self._client.register_plugin(WorkerSide(self.name))
            self._begin_to_follow(self._ask("status")["version"])
        except BaseException:
            forget(self.name)
            raise

    def status(self) -> ShipmentStatus:
        """How far the workers are."""
        answer = self._ask("status")
        return ShipmentStatus(answer["version"], answer["workers"], answer["sent"], self._bytes_of_last)

    def _send(self, delta: Delta, packed: bytes, later: Bundle, forced: list[str]) -> None:
        answer = self._ask("begin", client=self._client.id, delta=packed, forced=forced)
        if answer["status"] == "other base":
            whole = later.whole().pack()
            answer = self._ask("begin", client=self._client.id, delta=whole, forced=forced)
        self._check(answer)

    def _commit(self, later: Bundle) -> dict[str, str]:
        answer = self._check(self._ask("finish"))
        self.version = answer["version"]
        workers: dict[str, str] = answer["workers"]
        return workers

    def _cancel(self) -> None:
        self._ask("abandon")

    @staticmethod
    def _check(answer: dict[str, Any]) -> dict[str, Any]:
        if answer["status"] == "failed":
            raise failure(answer["worker"], Outcome(*answer["outcome"]))
        return answer

    def _ask(self, what: str, **message: Any) -> dict[str, Any]:
        from pyautoload.cluster.dask_scheduler import operation

        async def ask() -> Any:
            return await getattr(self._client.scheduler, operation(self.name, what))(**message)

        answer = self._client.sync(ask)
        if not isinstance(answer, dict):
            raise ShipmentError("the scheduler has lost what was shipped", "call ship() again")
        return answer


def ship(client: Client, loader: Any, *, patience: float = 30.0) -> DaskShipment:
    """Have all workers of a cluster run the code of a loader, and follow its edits.

    To be called after ``loader.enable_reloading()``, where edits are to follow. What tasks need is pickled by reference
    as ever, and is found on the workers, which need PyAutoload and the libraries, and none of the files.

    Args:
        client: of the cluster.
        loader: what is shipped; it is set up.
        patience: how long (seconds) an edit waits for running tasks. A worker where one takes longer is restarted, and
            the task begins again.

    Raises:
        ShipmentError: the loader is not set up or cannot be pickled, or the client is an asynchronous one.
    """
    return DaskShipment(client, loader, patience)
