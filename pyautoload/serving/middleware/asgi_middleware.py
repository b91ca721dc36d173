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
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyautoload.errors import SetupError
from pyautoload.serving.application.generations import Generations
from pyautoload.serving.application.lifespan import Application, Message, Receive, Scope, Send
from pyautoload.serving.application.reload_session import STREAM
from pyautoload.serving.middleware.asgi_response import Inside, Page
from pyautoload.serving.middleware.base import Middleware
from pyautoload.serving.page.access import LOCAL
from pyautoload.serving.page.endpoints import HEARTBEAT, RETRY, Answer
from pyautoload.serving.page.visitor import Visitor

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["ReloadMiddleware"]


class ReloadMiddleware(Middleware):
    """An ASGI application that is always up to date.

    Args:
        app_or_factory: an application; a string that names one, ``"myapp.web:app"`` or ``"myapp.web:create_app()"``;
            with ``factory`` a callable without arguments, or a string that names one. What is named or called is made
            at once, and taken anew after a reload in which the code that made it was executed again.
        loader: with reloading enabled. One that does not watch looks for changes before each request.
        factory: whether the application has to be made by a call.
        overlay: whether HTML pages show what is wrong after a failed reload.
        refresh: whether HTML pages reload themselves in the browser after a reload.
        allowed_hosts: the names of this server in ``Host`` headers; pages under other names are left alone.
        secret: what a browser has to know to see errors; it opens ``/__pyautoload__/open?SECRET`` once. Without one,
            browsers on this machine see them, unless a proxy that adds a header stands between.
        force: also where the environment says production.
        lifespan: ``"sequential"``: when the application is taken anew, the old one answers what it has begun and ends
            (lifespan), then the new one starts; new requests wait meanwhile, streams and websockets are not waited for.
            ``"overlap"``: the new one starts first, the old one ends after its last request.

    Raises:
        ProductionError: the environment says production.
        ReloadingDisabled: the loader does not reload.
        SetupError: the string names no application.
    """

    _applications: Generations

    def __init__(
        self,
        app_or_factory: Any,
        loader: AutoLoader,
        *,
        factory: bool = False,
        overlay: bool = False,
        refresh: bool = False,
        allowed_hosts: Iterable[str] = LOCAL,
        secret: str = "",
        force: bool = False,
        lifespan: str = "sequential",
    ) -> None:
        if lifespan not in ("sequential", "overlap"):
            raise SetupError(f'lifespan is "sequential" or "overlap", not {lifespan!r}')
        self._overlap = lifespan == "overlap"
        super().__init__(
            app_or_factory,
            loader,
            factory=factory,
            overlay=overlay,
            refresh=refresh,
            allowed_hosts=allowed_hosts,
            secret=secret,
            force=force,
        )

    def _begin_with(self, application: Application) -> None:
        self._applications = Generations(application, self._session, overlap=self._overlap)

    def _switch(self, application: Application) -> None:
        self._applications.switch(application)

    @property
    def application(self) -> Any:
        """The application that answers requests now."""
        return self._applications.current.application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        self._applications.loop = asyncio.get_running_loop()
        kind = scope["type"]
        if kind == "lifespan":
            await self._applications.lifespan(scope, receive, send)
        elif kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._applications.opened()
            await self._applications.run(
                scope, lambda application, own, _: self._websocket(application, own, receive, send), waits=False
            )
        else:
            await self._applications.current.application(scope, receive, send)

    # Requests

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrapped = send
        if self.pages:
            visitor, method, mount = Visitor.of_scope(scope), scope["method"], scope.get("root_path", "")
            # Servers do not agree whether the path begins with what the application is mounted at.
            paths = dict.fromkeys((scope["path"], scope["path"].removeprefix(mount)))
            query = scope.get("query_string", b"").decode("latin-1")
            answers = (self.pages.answer(path, method, visitor, query, mount) for path in paths)
            answer = next((each for each in answers if each is not None), None)
            if answer is not None:
                await self._own(answer, scope, receive, send)
                return
            if self.pages.wants(method, visitor):
                scope = self._readable(scope)
                wrapped = Page(self.script(mount, visitor), send, is_head=method == "HEAD").send
        if self._session.must_look:
            await asyncio.get_running_loop().run_in_executor(None, self._session.look)
        await self._applications.opened()
        running = self._loader.running()
        await running.__aenter__()
        inside = Inside(running)

        async def work(application: Application, own: Scope, answered: Callable[[], object]) -> None:
            await application(own, receive, inside.sending(wrapped, answered))

        try:
            await self._applications.run(scope, work, waits=True)
        finally:
            inside.leave()

    def _readable(self, scope: Scope) -> Scope:
        """The request as it may lead to a page that we can put something into."""
        headers = [
            (
                name,
                self.pages.acceptable(value.decode("latin-1")).encode("latin-1")
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
        inside: Inside | None = None

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
            inside = Inside(running)
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
        await self._events(receive, send)

    async def _events(self, receive: Receive, send: Send) -> None:
        news, woken, loop = self._session.events, asyncio.Event(), asyncio.get_running_loop()
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
                        await part(news.event())
                    try:
                        await asyncio.wait_for(woken.wait(), HEARTBEAT)
                    except asyncio.TimeoutError:
                        await part(b":\n\n")
                    woken.clear()
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


async def _until_gone(receive: Receive, woken: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    woken.set()
