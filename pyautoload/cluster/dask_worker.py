"""The worker's side of a shipment on Dask: it fetches the current version, and keeps tasks inside a gate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin

from pyautoload.cluster.bundle import EMPTY, Bundle, Delta
from pyautoload.cluster.dask_scheduler import operation
from pyautoload.cluster.member import Outcome, is_shipped_from_here, member
from pyautoload.cluster.task_gate import TaskGate

__all__ = ["WorkerSide"]

# Below the worker's own logger, so that the dashboard shows it.
_logger = logging.getLogger("distributed.worker.pyautoload")
_GATES = "pyautoload_gates"


class WorkerSide(WorkerPlugin):  # type: ignore[misc,unused-ignore]
    """Brings a worker to the current version before its first task, and to each later one.

    Args:
        name: of the shipment.
    """

    def __init__(self, name: str) -> None:
        self.name = f"pyautoload-{name}"
        self._shipment = name

    async def setup(self, worker: Any) -> None:
        """Fetch the current version; a worker that cannot have it ends, rather than to compute without."""
        self._worker = worker
        self._gate = TaskGate()
        self._is_ready = asyncio.Event()
        # What it came from, for as long as it may have to go back.
        self._before: tuple[Bundle, int] = (EMPTY, 0)
        self._is_client = is_shipped_from_here(self._shipment)
        for what in ("prepare", "hold", "settle", "apply", "revert", "open"):
            worker.handlers[operation(self._shipment, what)] = getattr(self, f"on_{what}")
        try:
            answer = await getattr(worker.scheduler, operation(self._shipment, "fetch"))(worker=worker.address)
            if not self._is_client:
                bundle = EMPTY.after(Delta.unpack(answer["bundle"]))
                member(self._shipment).renew(bundle, answer["version"])
        except Exception as error:
            _logger.error("the code of %s cannot be had, so this worker ends: %r", self._shipment, error)
            worker.loop.add_callback(worker.close, reason=f"pyautoload: {error!r}")
            self._gate.close()
            _gates_of(worker)[self._shipment] = self._gate
            raise
        _gates_of(worker)[self._shipment] = self._gate
        _logger.info("%s: version %d, %d bytes", self._shipment, answer["version"], len(answer["bundle"]))
        self._is_ready.set()

    def teardown(self, worker: Any) -> None:
        """Tasks run without a gate again."""
        gate = _gates_of(worker).pop(self._shipment, None)
        if gate is not None:
            gate.open()

    # What the scheduler asks

    async def on_prepare(self, attempt: str, delta: bytes) -> dict[str, Any]:
        """Take what has changed, and compile it."""
        await self._is_ready.wait()
        outcome = Outcome() if self._is_client else member(self._shipment).prepare(attempt, delta)
        return {"outcome": list(outcome)}

    async def on_hold(self, seconds: float) -> dict[str, Any]:
        """Let no task begin, and wait for those that run."""
        self._gate.close()
        return {"empty": await self._gate.empty(seconds)}

    async def on_settle(self, seconds: float) -> dict[str, Any]:
        """Wait for the tasks that run now."""
        return {"settled": await self._gate.settled(seconds)}

    async def on_apply(self, attempt: str, forced: list[str], seconds: float) -> dict[str, Any]:
        """Bring the modules up to date. On the event loop, where tasks are unpickled: none sees them half-way."""
        if self._is_client:
            return {"outcome": list(Outcome())}
        mine = member(self._shipment)
        self._before = mine.bundle, mine.version
        return {"outcome": list(mine.apply(attempt, forced))}

    async def on_revert(self, attempt: str, seconds: float) -> dict[str, Any]:
        """Go back to where ``apply`` came from."""
        before, self._before = self._before, (EMPTY, 0)
        if self._is_client or before[0] is EMPTY:
            return {"outcome": list(Outcome())}
        return {"outcome": list(member(self._shipment).revert_to(before[0]))}

    async def on_open(self, version: int) -> dict[str, Any]:
        """Let tasks run, on this version."""
        if not self._is_client and member(self._shipment).version != version:
            member(self._shipment).version = version
            _logger.info("%s: version %d", self._shipment, version)
        self._gate.open()
        return {}


def _gates_of(worker: Any) -> dict[str, TaskGate]:
    """The gates that tasks of a worker go through; its tasks are led through them when it has none yet."""
    gates: dict[str, TaskGate] | None = getattr(worker, _GATES, None)
    if gates is None:
        gates = {}
        setattr(worker, _GATES, gates)
        worker.execute = _inside(worker.execute, gates)
        worker.handlers["actor_execute"] = _inside(worker.handlers["actor_execute"], gates)
    return gates


def _inside(function: Callable[..., Any], gates: dict[str, TaskGate]) -> Callable[..., Any]:
    """A coroutine function that runs inside all gates."""

    async def inside(*args: Any, **kwargs: Any) -> Any:
        passed = [(gate, await gate.enter()) for gate in list(gates.values())]
        try:
            return await function(*args, **kwargs)
        finally:
            for gate, number in passed:
                gate.leave(number)

    return inside
