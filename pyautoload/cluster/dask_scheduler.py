"""The scheduler's side of a shipment on Dask: it keeps the current version, and leads workers from one to the next.

An edit takes three rounds. *Prepare*: each worker gets what has changed and compiles it. Then gates are closed until no
task runs anywhere; where tasks take long they are opened in between, as a task may wait for one that is held elsewhere.
*Apply*: all bring their modules up to date; when one of them fails, all go back. *Open*: tasks run, on the new version.
Between the first two the client brings up to date what it has loaded itself. All of it runs on the event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Coroutine, Iterable
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

from pyautoload import log
from pyautoload.cluster.bundle import EMPTY, Bundle, Delta
from pyautoload.cluster.member import Outcome, is_shipped_from_here, member, note_shipped_from_here
from pyautoload.errors import ShipmentError

__all__ = ["OPERATIONS", "Coordinator", "operation"]

# What a worker and the client may ask of the scheduler.
OPERATIONS = ("fetch", "begin", "finish", "abandon", "status")
# So long (seconds) gates are held at first while tasks run.
_HOLD = 0.1
# A worker that does not answer for so long (seconds), beyond what it was asked to wait, cannot follow.
_ANSWER = 10.0
# A client that has begun an edit and says no more for so long (seconds) has gone, or hangs.
_SILENCE = 120.0
# How long (seconds) a worker without a nanny may take to hand over its data.
_RETIRING = 10.0

Answer = dict[str, Any]


def operation(name: str, what: str) -> str:
    """The name under which one shipment's messages go."""
    return f"pyautoload:{name}:{what}"


class _Attempt:
    """One edit on its way.

    Attributes:
        number: its name.
        client: who makes it.
        later: the files as they will be.
        forced: modules that run again in any case.
        ready: the workers that have prepared, and run no task.
        lagging: worker → why it cannot follow.
        silence: gives the attempt up when the client is not heard of any more.
    """

    def __init__(self, number: str, client: str, later: Bundle, forced: list[str]) -> None:
        self.number, self.client, self.later, self.forced = number, client, later, forced
        self.ready: list[str] = []
        self.lagging: dict[str, str] = {}
        self.silence: asyncio.TimerHandle | None = None


class Coordinator(SchedulerPlugin):  # type: ignore[misc,unused-ignore]
    """Keeps the current version for workers that join, and leads those that are there to the next one.

    Args:
        name: of the shipment.
        packed: the first bundle, whole.
        patience: how long (seconds) running tasks are waited for.
    """

    def __init__(self, name: str, packed: bytes, patience: float) -> None:
        self.name = f"pyautoload-{name}"
        self._shipment = name
        self._packed: bytes | None = packed
        self._patience = patience

    async def start(self, scheduler: Any) -> None:
        """Take over from an earlier shipment of that name."""
        former = scheduler.plugins.pop(self.name, None)
        self._scheduler = scheduler
        self._version = getattr(former, "_version", 0) + 1
        assert self._packed is not None
        self._bundle = EMPTY.after(Delta.unpack(self._packed))
        # Worker → the version that it has.
        self._members: dict[str, int] = {}
        self._sent = 0
        self._attempt: _Attempt | None = None
        self._numbers = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[Any]] = set()
        # Functions of the project are unpickled here as well, so the scheduler has the code, too.
        self._is_client = is_shipped_from_here(self._shipment)
        if not self._is_client:
            member(self._shipment).renew(self._bundle, self._version)
        for what in OPERATIONS:
            scheduler.handlers[operation(self._shipment, what)] = getattr(self, f"on_{what}")

    # Who comes and goes

    async def on_fetch(self, worker: str) -> Answer:
        """A worker asks for the current version; while an edit is on its way it gets the one of after."""
        while not self._idle.is_set():
            await self._idle.wait()
        if self._packed is None:
            self._packed = self._bundle.whole().pack()
        self._members[worker] = self._version
        self._sent += len(self._packed)
        self._log(f"version {self._version} to {worker}: {len(self._packed)} bytes")
        return {"bundle": self._packed, "version": self._version}

    def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
        """A worker has gone."""
        self._members.pop(worker, None)

    def remove_client(self, scheduler: Any, client: str) -> None:
        """A client has gone; what it has begun is not applied."""
        if self._attempt is not None and self._attempt.client == client:
            self._soon(self.on_abandon())

    async def on_status(self) -> Answer:
        """Which worker has which version, and what was sent."""
        return {"version": self._version, "workers": dict(self._members), "sent": self._sent}

    # An edit

    async def on_begin(self, client: str, delta: bytes, forced: list[str]) -> Answer:
        """Prepare an edit, and wait until no task runs."""
        while not self._idle.is_set():
            await self._idle.wait()
        self._idle.clear()
        try:
            later = self._bundle.after(Delta.unpack(delta))
        except ShipmentError:
            self._idle.set()
            return {"status": "other base"}  # an answer of ours was lost: the client begins with everything
        self._numbers += 1
        attempt = self._attempt = _Attempt(f"{self._version}/{self._numbers}", client, later, forced)
        try:
            failed = await self._prepare(attempt, self._bundle.delta_to(later).pack())
            if failed is None:
                await self._drain(attempt)
        except BaseException:
            await self.on_abandon()
            raise
        if failed is not None:
            await self.on_abandon()
            return failed
        attempt.silence = asyncio.get_running_loop().call_later(_SILENCE, lambda: self._soon(self.on_abandon()))
        return {"status": "ready"}

    async def _prepare(self, attempt: _Attempt, delta: bytes) -> Answer | None:
        if not self._is_client:
            outcome = member(self._shipment).prepare(attempt.number, delta)
            if outcome.kind == "failed":
                return _failed("scheduler", outcome)
        workers = list(self._members)
        self._sent += len(delta) * len(workers)
        answers = await self._ask_all(workers, "prepare", attempt=attempt.number, delta=delta)
        for worker, answer in answers.items():
            if "error" in answer:
                attempt.lagging[worker] = answer["error"]
            elif answer["outcome"][0] == "failed":
                return _failed(worker, Outcome(*answer["outcome"]))
            else:
                attempt.ready.append(worker)
        return None

    async def _drain(self, attempt: _Attempt) -> None:
        """Close gates until no task runs. Who has not come to that in time is left behind."""
        end, hold = time.monotonic() + self._patience, _HOLD
        while True:
            hold = min(hold, max(end - time.monotonic(), 0.0))
            answers = await self._ask_all(attempt.ready, "hold", seconds=hold)
            for worker, answer in answers.items():
                if "error" in answer:
                    attempt.lagging[worker] = answer["error"]
            busy = [worker for worker, answer in answers.items() if answer.get("empty") is False]
            attempt.ready = [worker for worker in attempt.ready if worker not in attempt.lagging]
            if not busy:
                return
            if time.monotonic() >= end:
                break
            await self._ask_all(attempt.ready, "open", version=self._version)
            await self._ask_all(busy, "settle", seconds=max(end - time.monotonic(), 0.0))
            hold *= 2
        for worker in busy:
            attempt.lagging[worker] = f"a task ran on for more than {self._patience:g} seconds"
        attempt.ready = [worker for worker in attempt.ready if worker not in busy]

    async def on_finish(self) -> Answer:
        """Apply what was prepared; all or none."""
        attempt = self._attempt
        if attempt is None:
            raise ShipmentError("the edit was given up meanwhile, as nothing was heard of it", "save the file again")
        if attempt.silence is not None:
            attempt.silence.cancel()
        try:
            return await self._finish(attempt)
        finally:
            self._attempt = None
            self._idle.set()

    async def _finish(self, attempt: _Attempt) -> Answer:
        here = Outcome() if self._is_client else member(self._shipment).apply(attempt.number, attempt.forced)
        answers: dict[str, Answer] = {}
        if here.kind != "failed":
            answers = await self._ask_all(
                attempt.ready, "apply", seconds=self._patience, attempt=attempt.number, forced=attempt.forced
            )
        outcomes = {worker: Outcome(*answer["outcome"]) for worker, answer in answers.items() if "outcome" in answer}
        failed = next(((w, outcome) for w, outcome in outcomes.items() if outcome.kind == "failed"), None)
        if here.kind == "failed" or failed is not None:
            await self._go_back(attempt, outcomes)
            return _failed(*failed) if failed is not None else _failed("scheduler", here)
        for worker, answer in answers.items():
            if "error" in answer:
                attempt.lagging[worker] = answer["error"]
            elif outcomes[worker].kind == "restart":
                attempt.lagging[worker] = f"{outcomes[worker].module} needs a restart: {outcomes[worker].text}"
        self._bundle, self._version, self._packed = attempt.later, self._version + 1, None
        if self._is_client:
            note_shipped_from_here(self._shipment, self._version)
        elif here.kind == "restart":
            member(self._shipment).renew(self._bundle, self._version)
        else:
            member(self._shipment).version = self._version
        told = await self._replace_all(attempt.lagging)
        told.update(await self._open([worker for worker in attempt.ready if worker not in attempt.lagging]))
        return {"status": "ok", "version": self._version, "workers": told}

    async def _go_back(self, attempt: _Attempt, outcomes: dict[str, Outcome]) -> None:
        """All are as they were before; who cannot be is replaced."""
        if not self._is_client and member(self._shipment).revert_to(self._bundle).kind != "ok":
            member(self._shipment).renew(self._bundle, self._version)
        answers = await self._ask_all(attempt.ready, "revert", seconds=self._patience, attempt=attempt.number)
        lost = {
            worker: answer.get("error") or f"could not go back: {answer['outcome'][3]}"
            for worker, answer in answers.items()
            if "error" in answer or answer["outcome"][0] != "ok"
        }
        await self._replace_all(lost)
        await self._ask_all([worker for worker in self._members if worker not in lost], "open", version=self._version)

    async def _open(self, workers: list[str]) -> dict[str, str]:
        answers = await self._ask_all(workers, "open", version=self._version)
        told = {worker: f"version {self._version}" for worker, answer in answers.items() if "error" not in answer}
        self._members.update(dict.fromkeys(told, self._version))
        told.update(await self._replace_all({w: a["error"] for w, a in answers.items() if "error" in a}))
        self._log(f"version {self._version} on {len(workers)} workers")
        return told

    async def on_abandon(self) -> Answer:
        """What was prepared is not applied: all go on as they are."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            if attempt.silence is not None:
                attempt.silence.cancel()
            await self._ask_all(list(self._members), "open", version=self._version)
        self._idle.set()
        return {"status": "ok"}

    # Workers that cannot follow

    async def _replace_all(self, reasons: dict[str, str]) -> dict[str, str]:
        found = await asyncio.gather(*(self._replace(worker, reason) for worker, reason in reasons.items()))
        return {worker: told for worker, told in zip(reasons, found, strict=True) if told}

    async def _replace(self, worker: str, reason: str) -> str:
        """End a worker, so that it computes nothing any more; says what became of it."""
        self._members.pop(worker, None)
        state = self._scheduler.workers.get(worker)
        if state is None:
            return ""
        log.warning(self._shipment, "the worker %s cannot follow and is replaced: %s", worker, reason)
        if state.nanny:
            nanny = self._scheduler.rpc(state.nanny)
            await self._remove(worker, close=False)
            self._soon(nanny.kill(reason=f"pyautoload: {reason}"))
            return f"restarted: {reason}"
        try:
            retiring = self._scheduler.retire_workers(workers=[worker], close_workers=True, remove=True)
            await asyncio.wait_for(retiring, _RETIRING)
        except asyncio.TimeoutError:
            pass
        await self._remove(worker, close=True)
        return f"retired, as it has no nanny that could restart it: {reason}"

    async def _remove(self, worker: str, *, close: bool) -> None:
        known = inspect.signature(self._scheduler.remove_worker).parameters
        # Its tasks are not to blame.
        blameless = {name: True for name in ("expected", "safe") if name in known}
        stimulus = f"pyautoload-{self._version}-{time.time()}"
        await self._scheduler.remove_worker(worker, stimulus_id=stimulus, close=close, **blameless)

    # Messages

    async def _ask_all(self, workers: Iterable[str], what: str, **message: Any) -> dict[str, Answer]:
        """Worker → its answer, ``{"error": ...}`` where there is none; without those that have gone."""
        asked = list(workers)
        answers = await asyncio.gather(*(self._ask(worker, what, message) for worker in asked))
        return {
            worker: answer
            for worker, answer in zip(asked, answers, strict=True)
            if worker in self._scheduler.workers and worker in self._members
        }

    async def _ask(self, worker: str, what: str, message: dict[str, Any]) -> Answer:
        ask = getattr(self._scheduler.rpc(worker), operation(self._shipment, what))
        try:
            answer: Any = await asyncio.wait_for(ask(**message), _ANSWER + message.get("seconds", 0.0))
        except asyncio.TimeoutError:
            return {"error": f"it did not answer when it was asked to {what}"}
        except Exception as error:  # noqa: BLE001 - its code is not known to be right, whatever it is
            return {"error": f"{what} failed there: {type(error).__name__}: {error}"}
        return answer if isinstance(answer, dict) else {"error": f"it does not know how to {what}"}

    def _soon(self, work: Coroutine[Any, Any, Any]) -> None:
        async def done() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - a nanny that has gone, say
                log.debug(self._shipment, "%r", error)

        task = asyncio.ensure_future(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _log(self, text: str) -> None:
        log.debug(self._shipment, "%s", text)
        self._scheduler.log_event("pyautoload", {"shipment": self._shipment, "text": text})


def _failed(worker: str, outcome: Outcome) -> Answer:
    return {"status": "failed", "worker": worker, "outcome": list(outcome)}
