"""Reloading under a WSGI server.

Each request runs inside the gate (``loader.running()``), from the call of the application to the end of the response:
no reload happens in its midst, and it sees one version of the code. A reload waits for it, at most ``gate_timeout``
seconds. A response that comes in parts is a stream once its first part has been sent: a reload waits half a second for
the rest of it, and after that no more. What such a stream does later may run code from before and from after a reload.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pyautoload.serving.application.reload_session import STREAM
from pyautoload.serving.middleware.base import Middleware
from pyautoload.serving.page.endpoints import HEARTBEAT, RETRY, Answer
from pyautoload.serving.page.injection import Insertion, Script, insertion_for
from pyautoload.serving.page.visitor import Visitor

if TYPE_CHECKING:
    from pyautoload.reloading.gate import Pass

__all__ = ["ReloadMiddleware"]

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, Any], Iterable[bytes]]


class ReloadMiddleware(Middleware):
    """A WSGI application that is always up to date.

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

    Raises:
        ProductionError: the environment says production.
        ReloadingDisabled: the loader does not reload.
        SetupError: the string names no application.
    """

    _application: Application

    def _begin_with(self, application: Application) -> None:
        self._application = application

    @property
    def application(self) -> Any:
        """The application that answers requests now."""
        return self._application

    def _switch(self, application: Any) -> None:
        self._application = application
        self._session.switched(application)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        page = None
        if self.pages:
            visitor, method = Visitor.of_environ(environ), environ["REQUEST_METHOD"]
            mount, query = environ.get("SCRIPT_NAME", ""), environ.get("QUERY_STRING", "")
            answer = self.pages.answer(environ.get("PATH_INFO", ""), method, visitor, query, mount)
            if answer is not None:
                return self._own(answer, environ, start_response)
            if self.pages.wants(method, visitor):
                if "HTTP_ACCEPT_ENCODING" in environ:
                    environ["HTTP_ACCEPT_ENCODING"] = self.pages.acceptable(environ["HTTP_ACCEPT_ENCODING"])
                page = _Page(self.script(mount, visitor), start_response, is_head=method == "HEAD")
        if self._session.must_look:
            self._session.look()
        running = self._loader.running()
        running.__enter__()
        try:
            body = self._application(environ, page.start if page is not None else start_response)
            if page is not None:
                body = page.body(body)
            elif isinstance(body, (list, tuple)):
                running.__exit__(None, None, None)  # it is complete: no code of the application runs any more
                return body
        except BaseException:
            running.__exit__(None, None, None)
            raise
        return _Body(body, running)

    def _own(self, answer: Answer, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(answer.status, answer.headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        if answer.body is not None:
            return [answer.body]
        if not environ.get("wsgi.multithread", False):
            # The one thread there is must not be kept: the browser asks again in a moment.
            return [RETRY, self._session.events.event()]
        return self._events()

    def _events(self) -> Iterator[bytes]:
        news = self._session.events
        yield RETRY
        told = -1
        while not news.is_over:
            number = news.wait(told, HEARTBEAT)
            if news.is_over:
                return
            yield news.event() if number != told else b":\n\n"
            told = number


class _Body:
    """The body of a response, with which its pass through the gate ends."""

    def __init__(self, body: Iterable[bytes], running: Pass) -> None:
        self._body = body
        self._parts = iter(body)
        self._running: Pass | None = running
        self._is_stream = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = next(self._parts)
        if not self._is_stream and self._running is not None:
            self._is_stream = True
            self._running.limit(STREAM)
        return part

    def close(self) -> None:
        """Called by the server at the end, however the response ended."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            running, self._running = self._running, None
            if running is not None:
                running.__exit__(None, None, None)


class _Page:
    """One response that may be a page: its headers are held back until its first part is known.

    Args:
        script: to put in.
        start_response: of the server.
        is_head: whether only the headers are asked for.
    """

    def __init__(self, script: Script, start_response: StartResponse, *, is_head: bool) -> None:
        self._script = script
        self._start_response = start_response
        self._is_head = is_head
        # What the application said, until it is passed on. Example: ("200 OK", [("Content-Type", "text/html")], None)
        self._said: tuple[str, list[tuple[str, str]], Any] | None = None
        self._is_started = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        """What the application gets for ``start_response``."""
        if self._is_started:
            return self._start_response(status, headers, exc_info)
        if self._said is not None and exc_info is None:
            raise AssertionError("start_response was called twice, the second time without exc_info")
        self._said = (status, headers, exc_info)
        return self._write

    def _write(self, part: bytes) -> None:
        """The old way to send a body: it is passed on as it is."""
        if not self._is_started:
            self._real_write = self._begin(None)
        self._real_write(part)

    def _begin(self, headers: list[tuple[str, str]] | None) -> Callable[[bytes], object]:
        self._is_started = True
        if self._said is None:
            raise AssertionError("the application did not call start_response before its first part")
        status, said, exc_info = self._said
        return self._start_response(status, said if headers is None else headers, *([exc_info] if exc_info else []))

    def body(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The body for the server."""
        return _PageBody(self, body)

    def parts(self, body: Iterable[bytes]) -> Generator[bytes, None, None]:
        """The parts for the server; the headers are sent with the first one."""
        parts = iter(body)
        first = next((part for part in parts if part), b"")
        if self._is_started:
            yield first
            yield from parts
            return
        insertion = self._insertion()
        if insertion is None:
            self._begin(None)
        elif self._is_head:
            self._begin(insertion.without_body())
        elif self._is_complete(body, first):
            headers, first = insertion.whole(first)
            self._begin(headers)
        else:
            headers, last = insertion.stream(first)
            self._begin(headers)
            yield first
            yield from parts
            first = last
        yield first
        yield from parts

    def _insertion(self) -> Insertion | None:
        if self._said is None:
            return None
        status, headers, _ = self._said
        return insertion_for(self._script, int(status[:3]), headers)

    def _is_complete(self, body: Iterable[bytes], first: bytes) -> bool:
        if isinstance(body, (list, tuple)):
            return sum(1 for part in body if part) <= 1
        assert self._said is not None
        length = next((value for name, value in self._said[1] if name.lower() == "content-length"), None)
        return length == str(len(first))


class _PageBody:
    """The parts of a page, and the end of what they are made from."""

    def __init__(self, page: _Page, body: Iterable[bytes]) -> None:
        self._body = body
        self._parts = page.parts(body)

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        """Called by the server."""
        self._parts.close()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
