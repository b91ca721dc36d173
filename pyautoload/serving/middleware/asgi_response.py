"""One ASGI response on its way: when the gate is left, and how our script gets into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyautoload.serving.application.lifespan import Message, Send
from pyautoload.serving.application.reload_session import STREAM
from pyautoload.serving.page.injection import Script, insertion_for

if TYPE_CHECKING:
    from pyautoload.reloading.gate import Pass

__all__ = ["Inside", "Page"]


class Inside:
    """A pass through the gate that can end before the application returns."""

    def __init__(self, running: Pass) -> None:
        self._running: Pass | None = running
        self._is_stream = False

    def leave(self) -> None:
        """Out of the gate, once."""
        running, self._running = self._running, None
        if running is not None:
            running.__exit__(None, None, None)

    def sending(self, send: Send, answered: Callable[[], object]) -> Send:
        """The application's ``send``, which tells when the response is complete.

        Args:
            send: of the server.
            answered: called when the first part is sent.
        """

        async def sending(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.body" or kind in ("http.response.pathsend", "http.response.zerocopysend"):
                answered()
                if not message.get("more_body", False):
                    # Before it is sent: a server may begin with the next request of the connection there and then.
                    self.leave()
                elif not self._is_stream and self._running is not None:
                    self._is_stream = True
                    self._running.limit(STREAM)
            await send(message)

        return sending


class Page:
    """One response that may be a page: its start is held back until its first part is known."""

    def __init__(self, script: Script, send: Send, *, is_head: bool) -> None:
        self._script = script
        self._send = send
        self._is_head = is_head
        self._start: Message | None = None
        # What follows the last part of a stream.
        self._last = b""

    async def send(self, message: Message) -> None:
        """What the application gets for ``send``."""
        kind = message["type"]
        if kind == "http.response.start":
            self._start = message
            return
        if kind == "http.response.body":
            if self._start is not None:
                if message.get("more_body", False) and not message.get("body"):
                    return  # nothing to judge the response by yet
                message = await self._begin(message)
            if self._last and not message.get("more_body", False):
                message = {**message, "body": bytes(message.get("body", b"")) + self._last}
        elif self._start is not None:
            start, self._start = self._start, None
            await self._send(start)
        await self._send(message)

    async def _begin(self, message: Message) -> Message:
        """Send the start; the first part, with what was put in."""
        start, body = self._start, bytes(message.get("body", b""))
        assert start is not None
        more = message.get("more_body", False)
        self._start = None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
        insertion = insertion_for(self._script, start["status"], headers)
        if insertion is not None:
            if self._is_head:
                changed = insertion.without_body()
            elif more:
                changed, self._last = insertion.stream(body)
            else:
                changed, body = insertion.whole(body)
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in changed]
            start, message = {**start, "headers": encoded}, {**message, "body": body}
        await self._send(start)
        return message
