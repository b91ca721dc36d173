"""The client: requests over a new connection each, one event loop for all of them, so that it takes little itself."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n")
POLL = 0.003  # seconds between the requests that look for the new code
OTHERS = 0.01  # seconds between the requests that are watched for stalls


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        status: of the response; 0 where there was none.
        content: its JSON; empty where it is none.
        ms: from the connection to the last byte.
        failure: ``'refused'``, ``'reset'`` or ``'none in time'``; empty for a response.
    """

    status: int
    content: dict[str, Any]
    ms: float
    failure: str = ""

    @property
    def good(self) -> bool:
        return self.status == 200

    def told(self) -> str:
        return self.failure or ("answered" if self.good else f"status {self.status}")


async def get(port: int, path: str, patience: float = 10.0) -> Answer:
    """One request, with ``Connection: close``."""
    start = time.perf_counter()
    status, content, failure = 0, {}, ""
    try:
        status, content = await asyncio.wait_for(_exchange(port, path), patience)
    except asyncio.TimeoutError:
        failure = "none in time"
    except ConnectionRefusedError:
        failure = "refused"
    except (OSError, ValueError, asyncio.IncompleteReadError):
        failure = "reset"  # or ended before the response was complete, which is the same to who waits for it
    return Answer(status, content, (time.perf_counter() - start) * 1000, failure)


async def _exchange(port: int, path: str) -> tuple[int, dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        # As browsers do it: a response is there when it is complete, werkzeug closes the connection 10 ms later.
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else await reader.read()
    finally:
        writer.close()
    status = int(head.split(None, 2)[1])
    if b"application/json" not in head:
        return status, {}
    content: dict[str, Any] = json.loads(body)
    return status, content


@dataclass
class Tally:
    """What many requests came to: how many, how many without an answer, the longest, answers of two versions."""

    requests: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    longest_ms: float = 0.0
    mixed: int = 0

    def count(self, answer: Answer) -> None:
        self.requests += 1
        self.longest_ms = max(self.longest_ms, answer.ms)
        if not answer.good:
            self.failures[answer.told()] = self.failures.get(answer.told(), 0) + 1
        elif is_mixed(answer.content):
            self.mixed += 1

    def add(self, other: Tally) -> None:
        self.requests += other.requests
        self.longest_ms = max(self.longest_ms, other.longest_ms)
        self.mixed += other.mixed
        for what, count in other.failures.items():
            self.failures[what] = self.failures.get(what, 0) + count

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    def told(self) -> str:
        """The failures in words: ``'12 refused, 1 reset'``."""
        return ", ".join(f"{count} {what}" for what, count in sorted(self.failures.items()))


def is_mixed(content: dict[str, Any]) -> bool:
    """Whether a constant and what another module makes of it come from different versions."""
    return "derived" in content and content["derived"] != content["constant"] * 2 + 1


async def until(port: int, wanted: Callable[[Answer], bool], patience: float, tally: Tally) -> float | None:
    """Ask for ``/version`` until an answer is as wanted: the time it came; ``None`` when it never did."""
    end = time.perf_counter() + patience
    while time.perf_counter() < end:
        answer = await get(port, "/version")
        now = time.perf_counter()
        tally.count(answer)
        if wanted(answer):
            return now
        await asyncio.sleep(POLL)
    return None


class Others:
    """Somebody else, who asks for another page all the time: ``async with Others(port) as others``."""

    def __init__(self, port: int) -> None:
        self.tally = Tally()
        self._port = port
        # Asked for besides the cancelling: until Python 3.12 `wait_for` may lose that when the response comes with it.
        self._is_over = False

    async def __aenter__(self) -> Others:
        self._task = asyncio.create_task(self._ask())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self) -> None:
        while not self._is_over:
            start = time.perf_counter()
            try:
                self.tally.count(await get(self._port, "/other"))
            except asyncio.CancelledError:
                # What was waited for so far counts: a server that does not answer at all would look best otherwise.
                self.tally.longest_ms = max(self.tally.longest_ms, (time.perf_counter() - start) * 1000)
                raise
            await asyncio.sleep(OTHERS)


class Load:
    """A number of requests each second, whether the ones before have been answered or not."""

    def __init__(self, port: int, rate: int) -> None:
        self.tally = Tally()
        self._port = port
        self._rate = rate
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Load:
        self._task = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._task.cancel()
        if kind is not None:
            for task in self._open:
                task.cancel()
        await asyncio.gather(self._task, *self._open, return_exceptions=True)

    async def _send(self) -> None:
        start = time.perf_counter()
        number = 0
        while True:
            task = asyncio.create_task(self._one())
            self._open.add(task)
            task.add_done_callback(self._open.discard)
            number += 1
            await asyncio.sleep(max(0.0, start + number / self._rate - time.perf_counter()))

    async def _one(self) -> None:
        self.tally.count(await get(self._port, "/version"))
