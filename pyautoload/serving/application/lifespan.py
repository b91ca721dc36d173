"""Lifespan: the start and the end of one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["Application", "Lifespan", "Message", "Receive", "Scope", "Send", "StartFailed"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class StartFailed(Exception):
    """The application said that it cannot start."""


class Lifespan:
    """Runs the lifespan of one application in a task of its own, as a server does.

    Args:
        application: ASGI.
        scope: as the server gave it.
    """

    def __init__(self, application: Application, scope: Scope) -> None:
        self._application = application
        # What the application puts here is in the state of each of its requests; each one has its own.
        self.state: dict[str, Any] = {}
        self._scope = {**scope, **({"state": self.state} if "state" in scope else {})}
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        # Why the end went wrong, as the application says.
        self.complaint = ""

    async def start(self) -> None:
        """Start the application. One that does not know of lifespans counts as started.

        Raises:
            StartFailed: it said that it cannot.
        """
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._received.put({"type": "lifespan.startup"})
        await self._started

    async def end(self) -> None:
        """End the application."""
        if self._task is None or self._task.done():
            return
        await self._received.put({"type": "lifespan.shutdown"})
        await self._ended
        await asyncio.wait([self._task], timeout=1)
        self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._application(self._scope, self._received.get, self._send)
        except Exception as error:  # noqa: BLE001 - before the start it means: no lifespans here, as servers take it
            if self._started.done() and not self._ended.done():
                self.complaint = repr(error)
        finally:
            for waiting in (self._started, self._ended):
                if not waiting.done():
                    waiting.set_result(None)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete" and not self._started.done():
            self._started.set_result(None)
        elif kind == "lifespan.startup.failed" and not self._started.done():
            self._started.set_exception(StartFailed(message.get("message", "")))
        elif kind in ("lifespan.shutdown.complete", "lifespan.shutdown.failed") and not self._ended.done():
            self.complaint = message.get("message", "") if kind.endswith("failed") else ""
            self._ended.set_result(None)
