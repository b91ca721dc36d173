"""The gate of a worker: tasks run inside. It belongs to the worker's event loop, and only that thread touches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count

__all__ = ["TaskGate"]


class TaskGate:
    """Tasks go in and come out; while it is closed those that come wait."""

    def __init__(self) -> None:
        # Those inside, each with a number of its own.
        self._inside: set[int] = set()
        self._numbers = count()
        self._opened = asyncio.Event()
        self._opened.set()
        # Set when somebody comes out, for those who wait for that.
        self._left = asyncio.Event()

    async def enter(self) -> int:
        """Go in. Returns what is to be given to ``leave``."""
        while not self._opened.is_set():
            await self._opened.wait()
        number = next(self._numbers)
        self._inside.add(number)
        return number

    def leave(self, number: int) -> None:
        """Come out."""
        self._inside.discard(number)
        self._left.set()

    def close(self) -> None:
        """Let nobody in from now on."""
        self._opened.clear()

    def open(self) -> None:
        """Let everybody in."""
        self._opened.set()

    async def empty(self, seconds: float) -> bool:
        """Wait until nobody is inside, at most so long; says whether it came to that."""
        return await self._wait(lambda: not self._inside, seconds)

    async def settled(self, seconds: float) -> bool:
        """Wait until those are out who are inside now, at most so long; says whether it came to that."""
        now = set(self._inside)
        return await self._wait(lambda: not now & self._inside, seconds)

    async def _wait(self, is_so: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not is_so():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._left.clear()
            try:
                await asyncio.wait_for(self._left.wait(), left)
            except asyncio.TimeoutError:
                return is_so()
        return True
