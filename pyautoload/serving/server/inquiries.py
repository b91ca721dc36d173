"""Inquiries: what ``pyautoload mcp`` asks of a running ``pyautoload serve``, answered by the supervisor.

``sync`` is passed on to the process that serves. While another one is about to take over it waits, and asks that one.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyautoload.serving.server.news import News
from pyautoload.warm.questions import Desk, Question

if TYPE_CHECKING:
    from pyautoload.serving.server.channel import Channel

__all__ = ["Inquiries"]


class Inquiries:
    """Answers.

    Args:
        directory: of the project.
        ring: wakes the supervisor up; called in another thread.
    """

    def __init__(self, directory: str, ring: Callable[[], None]) -> None:
        self.news = News()
        self._ring = ring
        self._asked: queue.SimpleQueue[Question] = queue.SimpleQueue()
        # Questions that wait until every edit is applied, and the process that was asked to do that.
        self._waiting: list[Question] = []
        self._sent: tuple[Channel, int] | None = None
        self._number = 0
        self._desk = Desk(directory, "serve", self._put)

    def close(self) -> None:
        """No more."""
        self._desk.close()

    def _put(self, question: Question) -> None:
        self._asked.put(question)
        self._ring()

    def go_on(self, current: Channel | None, *, is_changing: bool) -> None:
        """Look what is to be done.

        Args:
            current: to the process that serves.
            is_changing: whether another one is about to take its place.
        """
        while not self._asked.empty():
            self._waiting.append(self._asked.get())
        if not self._waiting or current is None or is_changing:
            return
        if self._sent is None or self._sent[0] is not current:
            self._number += 1
            self._sent = current, self._number
            current.send("sync", number=self._number)

    def synced(self, channel: Channel, number: int, *, is_changing: bool) -> None:
        """A process has applied every edit that there was when it was asked.

        Args:
            channel: to it.
            number: of what it was asked.
            is_changing: whether an edit needs another process: then that one is asked again.
        """
        if self._sent != (channel, number):
            return
        self._sent = None
        if is_changing:
            return
        waiting, self._waiting = self._waiting, []
        for question in waiting:
            question.answer(self._answer(question.kind))

    def _answer(self, kind: str) -> dict[str, Any]:
        if kind == "sync":
            return self.news.take()
        if kind == "problems":
            return self.news.problems()
        return {"error": f"`pyautoload serve` is not asked for {kind}"}
