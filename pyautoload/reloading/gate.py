"""Gate: requests run inside, a reload waits until they are out and holds newcomers for the moment that it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["Gate", "Pass"]


class Gate:
    """A lock for many readers and one writer that never starves the writer.

    Thread 1 is inside (a request), thread 2 wants to reload: newcomers wait from now on, thread 2 waits for thread 1,
    at most ``timeout`` seconds, reloads, and lets everybody in. A thread that is inside may enter again, and reload:
    it does not wait for itself.
    """

    def __init__(self, timeout: float = 2.0) -> None:
        self.timeout = timeout
        self._condition = threading.Condition()
        # How many passes are inside, not counting those that wait for a reload themselves.
        self._inside = 0
        # Whether a reload runs or waits for its turn: newcomers are held.
        self._closed = False
        # How deep the current thread or task is inside, so that it can enter again while the gate is closed.
        self._depth: ContextVar[int] = ContextVar("pyautoload_gate_depth", default=0)
        # Called by the reload when the gate opens, for tasks that wait without blocking their event loop.
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    # Readers

    def enter(self) -> bool:
        """Go inside; waits while a reload runs, unless this thread or task is inside already.

        Returns:
            Whether this counts, to be given to ``leave``.
        """
        depth = self._depth.get()
        if depth == 0:
            with self._condition:
                while self._closed:
                    self._condition.wait()
                self._inside += 1
        self._depth.set(depth + 1)
        return depth == 0

    async def enter_async(self) -> bool:
        """As ``enter``, without blocking the event loop."""
        import asyncio

        depth = self._depth.get()
        while depth == 0:
            with self._condition:
                if not self._closed:
                    self._inside += 1
                    break
                opened = asyncio.Event()
                self._waiting.append((asyncio.get_running_loop(), opened))
            await opened.wait()
        self._depth.set(depth + 1)
        return depth == 0

    def leave(self, counted: bool) -> None:
        """Come out, in the thread that went in or in another one."""
        self._depth.set(max(0, self._depth.get() - 1))
        if counted:
            self._out()

    def _out(self) -> None:
        with self._condition:
            self._inside -= 1
            self._condition.notify_all()

    # The reload

    @contextmanager
    def parked(self) -> Iterator[None]:
        """While this thread waits for a reload it does not count as inside: two that wait for each other never end."""
        if self._depth.get() == 0:
            yield
            return
        self._out()
        try:
            yield
        finally:
            with self._condition:
                while self._closed:
                    self._condition.wait()
                self._inside += 1

    @contextmanager
    def closed(self) -> Iterator[bool]:
        """Hold newcomers and wait for those inside, at most ``timeout`` seconds.

        Yields:
            Whether everybody was out in time.
        """
        mine = 1 if self._depth.get() else 0
        with self._condition:
            while self._closed:
                self._condition.wait()
            self._closed = True
            end = time.monotonic() + self.timeout
            while self._inside > mine and (left := end - time.monotonic()) > 0:
                self._condition.wait(left)
            alone = self._inside <= mine
        try:
            yield alone
        finally:
            with self._condition:
                self._closed = False
                waiting, self._waiting = self._waiting, []
                self._condition.notify_all()
            for loop, opened in waiting:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(opened.set)

    def reset(self) -> None:
        """After a fork: the threads that were inside are not in this process."""
        self._condition = threading.Condition()
        self._inside = 1 if self._depth.get() else 0
        self._closed = False
        self._waiting = []


class Pass:
    """What ``loader.running()`` returns: use it with ``with`` or ``async with``, once or nested."""

    __slots__ = ("_counted", "_gate")

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate
        # One entry for each time that this pass was entered: whether the gate counts it.
        self._counted: list[bool] = []

    def __enter__(self) -> None:
        if self._gate is not None:
            self._counted.append(self._gate.enter())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gate is not None:
            self._gate.leave(self._counted.pop())

    async def __aenter__(self) -> None:
        if self._gate is not None:
            self._counted.append(await self._gate.enter_async())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gate is not None:
            self._gate.leave(self._counted.pop())
