"""News: what has happened to a served program since somebody asked last, for ``pyautoload mcp``."""

from __future__ import annotations

from typing import Any

from pyautoload.errors import ReloadError
from pyautoload.reloading.result import ReloadResult
from pyautoload.serving.page.failure import Failure, described
from pyautoload.serving.server.channel import Channel
from pyautoload.serving.server.report import Reporter

__all__ = ["News", "TellingReporter"]

# So many of a kind are kept, the last ones.
_MOST = 50
# So much of a traceback is passed on.
_TRACE = 8_000


class News:
    """Collects what the processes that serve say; the supervisor has it."""

    def __init__(self) -> None:
        # Since the last time: reloads, requests that raised, comparisons with a fresh process that failed, restarts.
        self._since: dict[str, list[dict[str, Any]]] = _nothing()
        # What is wrong still.
        self._failure: dict[str, Any] | None = None
        self._raised: list[dict[str, Any]] = []

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Take something in.

        Args:
            kind: ``"reloads"``, ``"raised"``, ``"not_verified"``, ``"restarts"``.
            content: what is told of it.
        """
        self._since[kind] = [*self._since[kind][-_MOST + 1 :], content]
        if kind == "raised":
            self._raised = [*self._raised[-_MOST + 1 :], content]
        elif kind in ("reloads", "restarts"):
            self._failure = content if content.get("errors") else None

    def take(self) -> dict[str, Any]:
        """What has happened since the last time."""
        found, self._since = self._since, _nothing()
        return {**found, "failing": self._failure}

    def problems(self) -> dict[str, Any]:
        """The edit that could not be applied, if there is one, and the requests that raised last."""
        return {"failing": self._failure, "raised": self._raised}


def _nothing() -> dict[str, list[dict[str, Any]]]:
    return {"reloads": [], "raised": [], "not_verified": [], "restarts": []}


class TellingReporter(Reporter):
    """A reporter that tells the supervisor besides.

    Args:
        directory: what paths are shown relative to.
        channel: to the supervisor.
    """

    def __init__(self, directory: str, channel: Channel) -> None:
        super().__init__(directory)
        self._channel = channel

    def reload(self, result: ReloadResult, anew: str | None = None) -> None:
        """A reload that needs no new process."""
        super().reload(result, anew)
        self._channel.send("news", kind="reloads", content=self._told(result))

    def not_made(self, error: BaseException) -> None:
        """The application could not be made anew."""
        super().not_made(error)
        self._channel.send("news", kind="reloads", content={"errors": [self._failed(error)]})

    def crashed(self, error: BaseException) -> None:
        """A request failed in the program."""
        super().crashed(error)
        self._channel.send("news", kind="raised", content=self._failed(error))

    def answered_badly(self, method: str, path: str, status: int) -> None:
        """A request got the answer that the program itself failed."""
        self._channel.send("news", kind="raised", content={"request": f"{method} {path}", "status": status})

    def request(self, method: str, path: str, status: int, took: float) -> None:
        """One line about one request."""
        super().request(method, path, status, took)
        if status >= 500:
            self.answered_badly(method, path, status)

    def _told(self, result: ReloadResult) -> dict[str, Any]:
        names = ("changed", "patched", "reexecuted", "added", "removed")
        told: dict[str, Any] = {name: getattr(result, name) for name in names if getattr(result, name)}
        told["why"] = result.why
        told["errors"] = [self._of(error) for error in (*result.errors, *result.still_failing)]
        return told

    def _of(self, error: ReloadError) -> dict[str, Any]:
        place = f"{error.file}:{error.line or 1}" if error.file else None
        return {"module": error.module, "error": described(error.__cause__ or error), "place": place}

    def _failed(self, error: BaseException) -> dict[str, Any]:
        failure = Failure.of(error, self.directory)
        return {"error": failure.headline(self.directory), "traceback": failure.trace[-_TRACE:]}
