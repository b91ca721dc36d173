"""Gate: requests run inside, a reload waits until they are out and holds newcomers for the moment that it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["Gate", "Pass"]

# So long (seconds) newcomers are held at first while a reload waits for those inside. Most are out by then.
_HOLD = 0.012


class _Entry:
    """Somebody inside.

    Attributes:
        until: after that time no reload waits for this one any more; ``None`` for no limit.
        is_parked: whether it waits for a reload itself, and so does not count as inside.
    """

    __slots__ = ("is_parked", "until")

    def __init__(self) -> None:
        self.until: float | None = None
        self.is_parked = False


class Gate:
    """A lock for many readers and one writer that never starves the writer, and hardly holds the readers.

    Thread 1 is inside (a request), thread 2 wants to reload: newcomers wait from now on, thread 2 waits for thread 1,
    reloads, and lets everybody in. When thread 1 takes long, newcomers are let in again until it is out, as they would
    all wait for it otherwise; then comes the next try. After ``timeout`` seconds the reload goes on all the same. A
    thread that is inside may enter again, and reload: it does not wait for itself.
    """

    def __init__(self, timeout: float = 2.0) -> None:
        self.timeout = timeout
        self._condition = threading.Condition()
        # Those inside, not counting those that wait for a reload themselves.
        self._inside: set[_Entry] = set()
        # Whether newcomers are held, and whether a reload runs or waits for its turn.
        self._closed = False
        self._busy = False
        # The entry of the current thread or task, so that it can enter again while the gate is closed. A task copies
        # this from the one that made it, perhaps for longer than that is inside: the entry tells whether it still is.
        self._mine: ContextVar[_Entry | None] = ContextVar("pyautoload_gate_entry", default=None)
        # Called by the reload when the gate opens, for tasks that wait without blocking their event loop.
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    # Readers

    def enter(self) -> _Entry | None:
        """Go inside; waits while a reload runs, unless this thread or task is inside already.

        Returns:
            What is to be given to ``leave``; ``None`` when it was inside already.
        """
        if self.is_inside():
            return None
        entry = _Entry()
        with self._condition:
            while self._closed:
                self._condition.wait()
            self._inside.add(entry)
        self._mine.set(entry)
        return entry

    async def enter_async(self) -> _Entry | None:
        """As ``enter``, without blocking the event loop."""
        import asyncio

        if self.is_inside():
            return None
        entry = _Entry()
        while True:
            with self._condition:
                if not self._closed:
                    self._inside.add(entry)
                    break
                opened = asyncio.Event()
                self._waiting.append((asyncio.get_running_loop(), opened))
            await opened.wait()
        self._mine.set(entry)
        return entry

    def leave(self, entry: _Entry | None) -> None:
        """Come out, in the thread that went in or in another one; a second time does nothing."""
        if entry is not None:
            with self._condition:
                self._inside.discard(entry)
                if self._busy:
                    self._condition.notify_all()

    def limit(self, entry: _Entry | None, seconds: float) -> None:
        """From now on no reload waits longer than so many seconds for this one."""
        if entry is not None:
            with self._condition:
                entry.until = time.monotonic() + seconds
                if self._busy:
                    self._condition.notify_all()

    def is_inside(self) -> bool:
        """Whether this thread or task is inside."""
        mine = self._mine.get()
        return mine is not None and (mine.is_parked or mine in self._inside)

    # The reload

    @contextmanager
    def parked(self) -> Iterator[None]:
        """While this thread waits for a reload it does not count as inside: two that wait for each other never end."""
        mine = self._mine.get()
        if mine is None or mine not in self._inside:
            yield
            return
        mine.is_parked = True
        self.leave(mine)
        try:
            yield
        finally:
            with self._condition:
                while self._closed:
                    self._condition.wait()
                self._inside.add(mine)
                mine.is_parked = False

    @contextmanager
    def closed(self) -> Iterator[bool]:
        """Hold newcomers and wait for those inside, at most ``timeout`` seconds.

        Yields:
            Whether everybody was out in time.
        """
        with self._condition:
            while self._busy:
                self._condition.wait()
            self._busy = True
        try:
            yield self._empty()
        finally:
            with self._condition:
                self._busy = False
                self._open()

    def _empty(self) -> bool:
        """Close, and wait until nobody is inside; whether that came about in time."""
        mine = self._mine.get()
        end, hold = time.monotonic() + self.timeout, _HOLD
        with self._condition:
            while True:
                self._closed = True
                if self._wait(lambda: self._others(mine), min(end, time.monotonic() + hold)):
                    return True
                if time.monotonic() >= end:
                    return False
                slow = self._others(mine)
                self._open()
                self._wait(lambda: self._others(mine) & slow, end)  # noqa: B023 - is called before the next round
                hold *= 2  # where all requests take so long, somebody has to wait

    def _others(self, mine: _Entry | None) -> set[_Entry]:
        now = time.monotonic()
        return {entry for entry in self._inside if entry is not mine and (entry.until is None or entry.until > now)}

    def _wait(self, remaining: Callable[[], set[_Entry]], end: float) -> bool:
        """Wait until none of these remain, at most to ``end``."""
        while entries := remaining():
            left = min([end, *(entry.until for entry in entries if entry.until is not None)]) - time.monotonic()
            if time.monotonic() >= end:
                return False
            self._condition.wait(max(left, 0.0005))
        return True

    def _open(self) -> None:
        self._closed = False
        waiting, self._waiting = self._waiting, []
        self._condition.notify_all()
        for loop, opened in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(opened.set)

    def reset(self) -> None:
        """After a fork: the threads that were inside are not in this process."""
        mine = self._mine.get()
        self._condition = threading.Condition()
        self._inside = {mine} if mine is not None and mine in self._inside else set()
        self._closed = self._busy = False
        self._waiting = []


class Pass:
    """What ``loader.running()`` returns: use it with ``with`` or ``async with``, once or nested."""

    __slots__ = ("_entries", "_gate")

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate
        # One for each time that this pass was entered; ``None`` where the thread or task was inside already.
        self._entries: list[_Entry | None] = []

    def limit(self, seconds: float) -> None:
        """From now on no reload waits longer than so many seconds for what runs with this pass: a stream, say."""
        if self._gate is not None:
            for entry in self._entries:
                self._gate.limit(entry, seconds)

    def __enter__(self) -> None:
        if self._gate is not None:
            self._entries.append(self._gate.enter())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gate is not None:
            self._gate.leave(self._entries.pop())

    async def __aenter__(self) -> None:
        if self._gate is not None:
            self._entries.append(await self._gate.enter_async())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gate is not None:
            self._gate.leave(self._entries.pop())
