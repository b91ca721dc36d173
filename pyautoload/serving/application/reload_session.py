"""Session: what both middlewares share. A loader that reloads, the application, and what open pages are told."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pyautoload import log
from pyautoload.errors import ReloadError, ReloadingDisabled
from pyautoload.serving.application.target import Target
from pyautoload.serving.frameworks import after_reload as frameworks
from pyautoload.serving.page.access import refuse_production
from pyautoload.serving.page.overlay import OverlayMessage, PageEvents

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.reloading.result import ReloadResult
    from pyautoload.serving.page.failure import Failure

__all__ = ["STREAM", "Outcome", "Session"]

# So long (seconds) a reload waits for the rest of a response whose first part was sent, or for what a websocket does
# with a message: what takes longer is a stream.
STREAM = 0.5


class Outcome(NamedTuple):
    """What a reload meant for the application.

    Attributes:
        anew: why another one is in use now, ``None`` where it is the same.
        failure: why another one could not be made, or did not start.
    """

    anew: str | None = None
    failure: BaseException | None = None


class Session:
    """Follows the reloads of a loader.

    Args:
        application: an application, a string that names one, a callable that makes one, or a ``Target``.
        loader: with reloading enabled.
        factory: whether it is to be called.
        force: also where the environment says production.
        switch: called with the new application; the old one keeps serving until it calls ``Session.switched``.

    Raises:
        ProductionError: the environment says production, and ``force`` is not given.
        ReloadingDisabled: the loader does not reload.
    """

    def __init__(
        self, application: Any, loader: AutoLoader, *, factory: bool, force: bool, switch: Callable[[Any], object]
    ) -> None:
        refuse_production(force=force)
        if loader.reloader is None:
            raise ReloadingDisabled("ReloadMiddleware")
        self.loader = loader
        self.events = PageEvents()
        self._switch = switch
        # Of the last reload.
        self.outcome = Outcome()
        # An application that took longer (seconds) to make is left to a new process; where there is none, ``None``.
        self.hand_over: float | None = None
        # What pages show as wrong, and a new process may be right about: "reload" or "application".
        self._on_trial = "reload"
        # Held by the one request that looks for changes, where nothing watches: the others need not wait for it.
        self._looking = threading.Lock()
        # Thread 1 (the watcher) tells of a reload while thread 2, which asked for one, tells of that: one by one. What
        # makes the application may reload itself.
        self._following = threading.RLock()
        self.target = application if isinstance(application, Target) else Target(application, loader, factory=factory)

    def begin(self) -> None:
        """Follow the reloads from now on."""
        # First, as it finds out more of what needs a restart.
        frameworks.attach(self.loader)
        self.loader.on_reload(_following(self))

    # Before a request

    @property
    def must_look(self) -> bool:
        """Whether changes are looked for before each request, as nothing does in the background."""
        reloader = self.loader.reloader
        return reloader is not None and not reloader.watches

    def look(self) -> None:
        """Bring everything up to date, unless another request is doing that. What fails is told, not raised."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self.loader.reload_if_changed()
        except ReloadError as error:
            log.warning(self.loader.tag, "%s", error)
        finally:
            self._looking.release()

    # After a reload

    def follow(self, result: ReloadResult) -> None:
        """Take the application anew if need be, and tell the pages."""
        with self._following:
            self._follow(result)

    def _follow(self, result: ReloadResult) -> None:
        self.outcome = Outcome()
        self._on_trial = "reload" if result.errors else "application"
        if result.errors:
            self.events.tell(changed=False, troubles={"reload": OverlayMessage.of_reload(result.errors[0])})
            return
        why = self.target.why_remake(result)
        if why is not None and self._is_slow():
            slow = f"{why}, and making the application takes {self.target.took:.1f} s"
            result.restart_required.setdefault(str(self.target), slow)
        restart = OverlayMessage.of_restart(result.restart_required) if result.restart_required else None
        troubles: dict[str, OverlayMessage | None] = {"reload": None}
        if restart is not None:
            troubles["restart"] = restart  # and stays, as this process cannot do it
        try:
            made = self.target.remade(result) if why is None or not self._is_slow() else None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the application raises when it is made
            self.events.tell(changed=False, troubles=troubles)
            self.failed(error)
            return
        if made is None and why is None and not restart and (why := self.target.why_start_again(result)):
            made = self.target.application
        if made is None:
            if not self.target.failed:
                troubles["application"] = None
            self.events.tell(changed=_has_effect(result), troubles=troubles)
            return
        result.notes.append("the application was recreated")
        self.events.tell(changed=False, troubles=troubles)
        self._switch(made)
        if self.outcome.failure is None:
            self.outcome = Outcome(anew=why or f"{self.target} is another object")

    def _is_slow(self) -> bool:
        return self.hand_over is not None and self.target.took > self.hand_over

    def switched(self, made: Any) -> None:
        """The new application is in use."""
        self.target.take(made)
        self.events.tell(changed=True, troubles={"application": None})

    def failed(self, error: BaseException) -> None:
        """The new application could not be made, or did not start; the old one keeps serving."""
        self.target.failed = True
        self.outcome = Outcome(failure=error)
        log.warning(
            self.loader.tag, "the application could not be recreated, the previous one still answers: %r", error
        )
        self.events.tell(changed=False, troubles={"application": OverlayMessage.of_application(error)})

    def restart_failed(self, failure: Failure, *, trial: bool = False) -> None:
        """The process that was to replace this one did not start; this one keeps serving.

        Args:
            failure: why.
            trial: it was to show whether an edit that could not be reloaded is right: it is not.
        """
        about = self._on_trial if trial else "restart"
        if trial and not self.events.has_trouble(about):
            return  # fixed meanwhile
        self.events.tell(changed=False, troubles={about: OverlayMessage.of_successor(failure, trial=trial)})


def _has_effect(result: ReloadResult) -> bool:
    """Whether anything runs that did not run before: not, where all that is known is that a restart is needed."""
    return bool(result.patched or result.reexecuted or result.rebound or result.added or result.removed)


def _following(session: Session) -> Callable[[ReloadResult], object]:
    """A listener that does not keep a middleware that nobody uses any more."""
    reference = weakref.ref(session)

    def follow(result: ReloadResult) -> None:
        living = reference()
        if living is not None:
            living.follow(result)

    return follow
