"""What ``loader.status()`` tells: whether and how files are watched."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Seen", "Status"]


class Seen(NamedTuple):
    """What is watched, and how.

    Attributes:
        events: where events come from (``"inotify"``, ``"watchdog"``); ``None`` where all is polled.
        watches: how many directories events come from; where a watch covers all below, only those that were asked for.
        polled: directory → why it sends no events, and is looked at once a second.
        missing: directories that were to be watched and are not there.
        links: path → what it leads to, and what is watched there.
    """

    events: str | None
    watches: int
    polled: dict[str, str]
    missing: list[str]
    links: dict[str, str]


class Status(NamedTuple):
    """The state of reloading: what is watched, and how; ``str()`` of it is for people.

    Attributes:
        watching: whether changes are applied in the background.
        modules: how many loaded modules are known.
        failing: files that could not be applied; they are tried again with the next change.
        events, watches, polled, missing, links: see ``Seen``.
    """

    watching: bool
    modules: int
    failing: list[str]
    events: str | None
    watches: int
    polled: dict[str, str]
    missing: list[str]
    links: dict[str, str]

    def __str__(self) -> str:
        lines = [f"{self.modules} modules, " + (self._how() if self.watching else "nothing is watched")]
        lines += [f"looked at once a second: {path} ({reason})" for path, reason in self.polled.items()]
        lines += [f"not there: {path}" for path in self.missing]
        lines += [f"followed: {path} -> {real}" for path, real in self.links.items()]
        lines += [f"failing: {path}" for path in self.failing]
        return "\n".join(lines)

    def _how(self) -> str:
        if self.events is None:
            return f"{len(self.polled)} directories polled"
        polled = f", {len(self.polled)} polled" if self.polled else ""
        return f"{self.watches} directories watched by {self.events}{polled}"
