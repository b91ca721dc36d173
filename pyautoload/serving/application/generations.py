"""Generations: the ASGI application that answers, those before it that are not done yet, and their lifespans."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

from pyautoload import log
from pyautoload.serving.application.app_dependencies import running
from pyautoload.serving.application.lifespan import Application, Lifespan, Receive, Scope, Send, StartFailed

if TYPE_CHECKING:
    from pyautoload.serving.application.reload_session import Session

__all__ = ["Generation", "Generations"]

# How long (seconds) the start of a new application is waited for.
_START = 10.0
# How long new requests are held while those that are running end; after that they are let in again for a while.
_HOLD = 0.5
# How long the end of an application is put off by its requests.
_LONGEST = 10.0
_TICK = 0.005


class Generation:
    """One application, from the moment that it is used until its last request is done."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lifespan: Lifespan | None = None
        # How many requests and websockets go on in it; whether there is a newer one.
        self.active = 0
        # Those requests that have no answer yet. Streams and websockets may go on for ever.
        self.unanswered: set[object] = set()
        self.is_retired = False


class Generations:
    """All applications of one server.

    Args:
        application: the first.
        session: whose reloads bring new ones.
        overlap: whether a new one is started before the old one has ended.
    """

    def __init__(self, application: Application, session: Session, *, overlap: bool = False) -> None:
        self._overlap = overlap
        # Not set while the old application ends and the new one starts: requests wait for it. Made on the loop.
        self._open: asyncio.Event | None = None
        self.current = Generation(application)
        self._session = session
        # The loop of the server, once it has called: a new application is started there.
        self.loop: asyncio.AbstractEventLoop | None = None
        # The server's lifespan scope, while it goes on: new applications are started like the first one.
        self._lifespan_scope: Scope | None = None
        self._replacing: asyncio.Lock | None = None
        # Tasks of ours, which the loop alone would not keep.
        self._tasks: set[asyncio.Task[None]] = set()
        # What was replaced and is not ended yet.
        self._old: set[Generation] = set()

    def switch(self, application: Any) -> None:
        """Called after a reload, in the thread that reloaded."""
        loop = self.loop
        if loop is None or loop.is_closed() or not loop.is_running():
            self.current = Generation(application)
            self._session.switched(application)
            return
        done = asyncio.run_coroutine_threadsafe(self._replace(application), loop)
        if not _is_on_a_loop():
            wait([done], _START)  # whoever tells of this reload is to know what became of it

    async def _replace(self, application: Any) -> None:
        if self._replacing is None:
            self._replacing = asyncio.Lock()
        async with self._replacing:
            new = Generation(application)
            if self._overlap or self.current.lifespan is None:
                await self._replace_overlapping(new)
            else:
                await self._replace_sequentially(new)

    async def _replace_overlapping(self, new: Generation) -> None:
        try:
            await self._begin(new)
        except StartFailed as error:
            self._session.failed(error)
            return
        old, self.current = self.current, new
        old.is_retired = True
        self._old.add(old)
        self._session.switched(new.application)
        self._end_if_done(old)

    async def _replace_sequentially(self, new: Generation) -> None:
        """What one application holds, a port, a lock, a module's list, the next one finds free."""
        old = self.current
        gate = self._open = asyncio.Event()
        try:
            await self._until_answered(old, gate)
            await self._end(old)
            try:
                await self._begin(new)
            except StartFailed as error:
                await self._begin_again(old)
                self._session.failed(error)
                return
            self.current = new
            old.is_retired = True
            self._session.switched(new.application)
        finally:
            gate.set()

    async def _until_answered(self, generation: Generation, gate: asyncio.Event) -> None:
        """Wait for the requests that are running, and hold new ones; but not for long: one may take ten seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _LONGEST
        while generation.unanswered and loop.time() < end:
            held = loop.time()
            while generation.unanswered and loop.time() < held + _HOLD:
                await asyncio.sleep(_TICK)
            long = set(generation.unanswered)
            if not long:
                break
            gate.set()
            while not long.isdisjoint(generation.unanswered) and loop.time() < end:
                await asyncio.sleep(_TICK)
            gate.clear()

    async def _begin_again(self, generation: Generation) -> None:
        """The one that was ended to make room goes on, as there is no other."""
        try:
            await self._begin(generation)
        except StartFailed as error:
            log.warning(self._session.loader.tag, "the previous application did not start again: %s", error)

    async def opened(self) -> None:
        """Wait while one application ends and the next one starts."""
        if self._open is not None:
            await self._open.wait()

    async def _begin(self, generation: Generation) -> None:
        if self._lifespan_scope is not None:
            lifespan = Lifespan(generation.application, self._lifespan_scope)
            with running(self._session.loader) as ran:
                await lifespan.start()
            generation.lifespan = lifespan
            self._session.target.started(ran)

    def _end_if_done(self, generation: Generation) -> None:
        if generation.is_retired and not generation.active and generation in self._old:
            self._old.discard(generation)
            task = asyncio.get_running_loop().create_task(self._end(generation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self, generation: Generation) -> None:
        lifespan, generation.lifespan = generation.lifespan, None
        if lifespan is not None:
            await lifespan.end()
            if lifespan.complaint:
                log.warning(self._session.loader.tag, "the end of an application failed: %s", lifespan.complaint)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The server's: it stands for all applications that there will be."""
        await receive()
        self._lifespan_scope = scope
        try:
            await self._begin(self.current)
        except StartFailed as error:
            self._lifespan_scope = None
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._session.events.end()
        self._lifespan_scope = None
        complaints = []
        for generation in [*self._old, self.current]:
            lifespan = generation.lifespan
            await self._end(generation)
            complaints += [lifespan.complaint] if lifespan is not None and lifespan.complaint else []
        self._old.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if complaints:
            await send({"type": "lifespan.shutdown.failed", "message": "; ".join(complaints)})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def run(
        self, scope: Scope, work: Callable[[Application, Scope, Callable[[], object]], Any], *, waits: bool
    ) -> None:
        """Have the application of now do something.

        Args:
            scope: of the request.
            work: called with the application, the scope for it, and what to call when the answer has begun.
            waits: whether the application's end waits for the answer.
        """
        generation, request = self.current, object()
        if waits:
            generation.unanswered.add(request)
        if generation.lifespan is not None and "state" in scope:
            scope["state"] = dict(generation.lifespan.state)
        generation.active += 1
        try:
            await work(generation.application, scope, lambda: generation.unanswered.discard(request))
        finally:
            generation.unanswered.discard(request)
            generation.active -= 1
            self._end_if_done(generation)


def _is_on_a_loop() -> bool:
    """Whether this thread runs an event loop, which must not wait for itself."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
