"""Middleware: what the two for WSGI and ASGI have in common, which is all but the way that requests are answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pyautoload.serving.application.reload_session import Outcome, Session
from pyautoload.serving.page.access import LOCAL
from pyautoload.serving.page.endpoints import PageEndpoints
from pyautoload.serving.page.injection import Script
from pyautoload.serving.page.visitor import Visitor

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.serving.page.failure import Failure

__all__ = ["Middleware"]


class Middleware(ABC):
    """An application that is always up to date: the arguments are explained where people use it."""

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
    ) -> None:
        self._loader = loader
        self.pages = PageEndpoints(overlay=overlay, refresh=refresh, hosts=tuple(allowed_hosts), secret=secret)
        self._session = Session(app_or_factory, loader, factory=factory, force=force, switch=self._switch)
        self._begin_with(self._session.target.application)
        self._session.begin()

    @abstractmethod
    def _begin_with(self, application: Any) -> None:
        """Use the first application."""

    @abstractmethod
    def _switch(self, application: Any) -> None:
        """Use another one, in whatever thread, and tell the session when it is in use."""

    @property
    @abstractmethod
    def application(self) -> Any:
        """The application that answers requests now."""

    def close(self) -> None:
        """End the streams of events, so that a server that stops need not wait for them."""
        self._session.events.end()

    def restart_failed(self, failure: Failure, *, trial: bool = False) -> None:
        """Let open pages know that the process that was to replace this one did not start.

        Args:
            failure: why.
            trial: it was to show whether an edit that could not be reloaded is right.
        """
        self._session.restart_failed(failure, trial=trial)

    def hand_over_after(self, seconds: float) -> None:
        """An application that takes longer to make asks for a new process in place of being made in this one."""
        self._session.hand_over = seconds

    @property
    def outcome(self) -> Outcome:
        """What the last reload meant for the application."""
        return self._session.outcome

    def refresh(self) -> None:
        """Let open pages load themselves again: something that they are made of, and that is no code, has changed."""
        self._session.events.tell(changed=True, troubles={})

    def script(self, mount: str, visitor: Visitor) -> Script:
        """The script for a page that is made now.

        Args:
            mount: the path below which the application is.
            visitor: who receives it.
        """
        return self.pages.script(mount, self._session.events.version, visitor)
