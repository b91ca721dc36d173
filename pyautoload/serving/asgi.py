"""Reloading under an ASGI server.

A request runs inside the gate (``loader.running()``) until its response is complete: no reload happens in its midst,
and it sees one version of the code. A reload waits for it, at most ``gate_timeout`` seconds. A response that comes in
parts is a stream once its first part has been sent: a reload waits half a second for the rest of it, and after that no
more. What an application does after its response (background tasks) runs outside.

A websocket is inside while it does something with a message: from the moment that it gets the message until it asks for
the next one, and at most half a second from the view of a reload. The connection stays through all reloads.

Nothing of this ever blocks the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyautoload import log
from pyautoload.serving.access import LOCAL
from pyautoload.serving.lifespan import Application, Lifespan, Message, Receive, Scope, Send, StartFailed
from pyautoload.serving.own import HEARTBEAT, RETRY, Answer, Pages
from pyautoload.serving.page import Script, insertion_for
from pyautoload.serving.session import STREAM, Session

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.gate import Pass

__all__ = ["ReloadMiddleware"]

# How long (seconds) a request waits for the start of a new application, where it has looked for changes itself.
_START = 10.0


class _Generation:
    """One application, from the moment that it is used until its last request is done."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lifespan: Lifespan | None = None
        # How many requests and websockets go on in it; whether there is a newer one.
        self.active = 0
        self.is_retired = False


class ReloadMiddleware:
    """An ASGI application that is always up to date.

    Args:
        app_or_factory: an application; a string that names one, ``"myapp.web:app"`` or ``"myapp.web:create_app()"``;
            with ``factory`` a callable without arguments, or a string that names one. What is named or called is made
            at once, and taken anew after a reload in which the code that made it was executed again: the new one is
            started (lifespan) before it gets its first request, the old one ended after its last.
        loader: with reloading enabled. One that does not watch looks for changes before each request.
        factory: whether the application has to be made by a call.
        overlay: whether HTML pages show what is wrong after a failed reload.
        refresh: whether HTML pages reload themselves in the browser after a reload.
        allowed_hosts: the names of this server in ``Host`` headers; pages under other names are left alone.
        force: also where the environment says production.

    Raises:
        ProductionError: the environment says production.
        ReloadingDisabled: the loader does not reload.
        SetupError: the string names no application.
    """

    def __init__(
        self,
        app_or_factory: Any,
        loader: AutoLoader,
        *,
        factory: bool = False,
        overlay: bool = False,
        refresh: bool = False,
        allowed_hosts: Iterable[str] = LOCAL,
        force: bool = False,
    ) -> None:
        self._loader = loader
        self._pages = Pages(overlay=overlay, refresh=refresh, hosts=tuple(allowed_hosts))
        # The loop of the server, once it has called: a new application is started there.
        self._loop: asyncio.AbstractEventLoop | None = None
        # The server's lifespan scope, while it goes on: new applications are started like the first one.
        self._lifespan_scope: Scope | None = None
        self._replacing: asyncio.Lock | None = None
        # Tasks of ours, which the loop alone would not keep.
        self._tasks: set[asyncio.Task[None]] = set()
        # What was replaced and is not ended yet.
        self._old: set[_Generation] = set()
        self._session = Session(app_or_factory, loader, factory=factory, force=force, switch=self._switch)
        self._current = _Generation(self._session.target.application)

    @property
    def application(self) -> Any:
        """The application that answers requests now."""
        return self._current.application

    def close(self) -> None:
        """End the streams of events, so that a server that stops need not wait for them."""
        self._session.news.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        self._loop = asyncio.get_running_loop()
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._in_generation(scope, lambda application, own: self._websocket(application, own, receive, send))
        else:
            await self._current.application(scope, receive, send)

    # Applications

    def _switch(self, application: Any) -> None:
        """Called after a reload, in the thread that reloaded."""
        loop = self._loop
        if loop is None or loop.is_closed() or not loop.is_running():
            self._current = _Generation(application)
            self._session.switched(application)
            return
        done = asyncio.run_coroutine_threadsafe(self._replace(application), loop)
        if self._session.must_look and not _is_on_a_loop():
            wait([done], _START)  # a request waits for this, in a thread of its own

    async def _replace(self, application: Any) -> None:
        if self._replacing is None:
            self._replacing = asyncio.Lock()
        async with self._replacing:
            new = _Generation(application)
            try:
                await self._begin(new)
            except StartFailed as error:
                self._session.failed(error)
                return
            old, self._current = self._current, new
            old.is_retired = True
            self._old.add(old)
            self._session.switched(application)
            self._end_if_done(old)

    async def _begin(self, generation: _Generation) -> None:
        if self._lifespan_scope is not None:
            lifespan = Lifespan(generation.application, self._lifespan_scope)
            await lifespan.start()
            generation.lifespan = lifespan

    def _end_if_done(self, generation: _Generation) -> None:
        if generation.is_retired and not generation.active and generation in self._old:
            self._old.discard(generation)
            task = asyncio.get_running_loop().create_task(self._end(generation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self, generation: _Generation) -> None:
        lifespan, generation.lifespan = generation.lifespan, None
        if lifespan is not None:
            await lifespan.end()
            if lifespan.complaint:
                log.warning(self._loader.tag, "the end of an application failed: %s", lifespan.complaint)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The server's: it stands for all applications that there will be."""
        await receive()
        self._lifespan_scope = scope
        try:
            await self._begin(self._current)
        except StartFailed as error:
            self._lifespan_scope = None
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.close()
        self._lifespan_scope = None
        complaints = []
        for generation in [*self._old, self._current]:
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

    async def _in_generation(self, scope: Scope, work: Callable[[Application, Scope], Any]) -> None:
        generation = self._current
        if generation.lifespan is not None and "state" in scope:
            scope["state"] = dict(generation.lifespan.state)
        generation.active += 1
        try:
            await work(generation.application, scope)
        finally:
            generation.active -= 1
            self._end_if_done(generation)

    # Requests

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrapped = send
        if self._pages:
            header = _headers_of(scope)
            mount = scope.get("root_path", "")
            path = scope["path"]
            answer = self._pages.answer(path, scope["method"], header) or (
                self._pages.answer(path.removeprefix(mount), scope["method"], header) if mount else None
            )
            if answer is not None:
                await self._own(answer, scope, receive, send)
                return
            if self._pages.wants(scope["method"], header):
                scope = self._readable(scope)
                script = self._pages.script(mount, self._session.news.version)
                wrapped = _Page(script, send, is_head=scope["method"] == "HEAD").send
        if self._session.must_look:
            await asyncio.get_running_loop().run_in_executor(None, self._session.look)
        running = self._loader.running()
        await running.__aenter__()
        inside = _Inside(running)
        try:
            await self._in_generation(
                scope, lambda application, own: application(own, receive, inside.sending(wrapped))
            )
        finally:
            inside.leave()

    def _readable(self, scope: Scope) -> Scope:
        """The request as it may lead to a page that we can put something into."""
        headers = [
            (
                name,
                self._pages.acceptable(value.decode("latin-1")).encode("latin-1")
                if name == b"accept-encoding"
                else value,
            )
            for name, value in scope["headers"]
        ]
        extensions = {
            name: value
            for name, value in (scope.get("extensions") or {}).items()
            if name not in ("http.response.pathsend", "http.response.zerocopysend")
        }
        return {**scope, "headers": headers, "extensions": extensions}

    async def _websocket(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        inside: _Inside | None = None

        async def receiving() -> Message:
            nonlocal inside
            if inside is not None:
                inside.leave()
            message = await receive()
            if self._session.must_look:
                await asyncio.get_running_loop().run_in_executor(None, self._session.look)
            running = self._loader.running()
            await running.__aenter__()
            running.limit(STREAM)
            inside = _Inside(running)
            return message

        try:
            await application(scope, receiving, send)
        finally:
            if inside is not None:
                inside.leave()

    # Our own paths

    async def _own(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": int(answer.status[:3]), "headers": headers})
        if answer.body is not None or scope["method"] == "HEAD":
            body = b"" if scope["method"] == "HEAD" else answer.body
            await send({"type": "http.response.body", "body": body})
            return
        names = frozenset(name.decode("latin-1").lower() for name, _ in scope["headers"])
        client = scope.get("client")
        in_full = self._pages.may_see_source(client[0] if client else None, names)
        await self._events(in_full, receive, send)

    async def _events(self, in_full: bool, receive: Receive, send: Send) -> None:
        news, woken, loop = self._session.news, asyncio.Event(), asyncio.get_running_loop()
        gone = loop.create_task(_until_gone(receive, woken))

        def wake() -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(woken.set)

        async def part(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        try:
            with news.waking(wake):
                await part(RETRY)
                told = -1
                while not (gone.done() or news.is_over):
                    if news.number != told:
                        told = news.number
                        await part(news.event(in_full=in_full))
                    try:
                        await asyncio.wait_for(woken.wait(), HEARTBEAT)
                    except asyncio.TimeoutError:
                        await part(b":\n\n")
                    woken.clear()
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


def _is_on_a_loop() -> bool:
    """Whether this thread runs an event loop, which must not wait for itself."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _until_gone(receive: Receive, woken: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    woken.set()


def _headers_of(scope: Scope) -> Callable[[str], str | None]:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return headers.get


class _Inside:
    """A pass through the gate that can end before the application returns."""

    def __init__(self, running: Pass) -> None:
        self._running: Pass | None = running
        self._is_stream = False

    def leave(self) -> None:
        """Out of the gate, once."""
        running, self._running = self._running, None
        if running is not None:
            running.__exit__(None, None, None)

    def sending(self, send: Send) -> Send:
        """The application's ``send``, which tells when the response is complete."""

        async def sending(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.body" or kind in ("http.response.pathsend", "http.response.zerocopysend"):
                if not message.get("more_body", False):
                    # Before it is sent: a server may begin with the next request of the connection there and then.
                    self.leave()
                elif not self._is_stream and self._running is not None:
                    self._is_stream = True
                    self._running.limit(STREAM)
            await send(message)

        return sending


class _Page:
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
