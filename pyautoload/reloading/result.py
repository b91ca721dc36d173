"""ReloadResult: what one reload did."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyautoload.errors import ReloadError

__all__ = ["ReloadResult", "some", "what_was_done"]

# So many names are shown before "and 12 more".
_SHOWN = 6


@dataclass
class ReloadResult:
    """What one reload did; it is true in a condition when it did anything.

    Attributes:
        changed: the modules whose files had changed, sorted.
        patched: modules in which functions, classes or imports were updated without running the rest again.
        reexecuted: modules whose code ran again, in that order.
        rebound: names that were bound anew in modules that only hold them, ``'myapp.web.LIMIT'``.
        added: modules whose files are new.
        removed: modules that were taken out, as their files have gone.
        restart_required: module → why it cannot be reloaded.
        errors: what went wrong; everything was put back then.
        still_failing: what failed in an earlier reload and does so still; the rest was applied without it.
        still_waiting: modules whose last edit needs a restart, as an earlier result has said in ``restart_required``.
        notes: what else is worth knowing.
        why: module → why it was patched, or ran again, in a sentence.
        workers: worker → what became of it, where the code is shipped to a cluster: ``'version 3'``.
        duration: seconds.
    """

    changed: list[str] = field(default_factory=list)
    patched: list[str] = field(default_factory=list)
    reexecuted: list[str] = field(default_factory=list)
    rebound: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    restart_required: dict[str, str] = field(default_factory=dict)
    errors: list[ReloadError] = field(default_factory=list)
    still_failing: list[ReloadError] = field(default_factory=list)
    still_waiting: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    workers: dict[str, str] = field(default_factory=dict)
    duration: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether what is loaded is what is on disk now, but for edits that an earlier result asked a restart for.

        Those are in ``still_waiting``.
        """
        return not (self.errors or self.restart_required or self.still_failing)

    def __bool__(self) -> bool:
        return bool(
            self.changed
            or self.patched
            or self.reexecuted
            or self.rebound
            or self.added
            or self.removed
            or self.restart_required
            or self.errors
            or self.workers
        )

    def __str__(self) -> str:
        parts = what_was_done(self, _SHOWN)
        took = f"{self.duration * 1000:.1f} ms"
        if self.errors:
            head = f"reload failed after {took}, still running the previous code"
            return "\n  ".join([head, *map(str, self.errors)])
        if self.workers:
            parts.append(f"{len(self.workers)} worker{'s' * (len(self.workers) > 1)} followed")
        text = f"reloaded in {took}: {'; '.join(parts)}" if parts else f"nothing to reload ({took})"
        lines = [f"restart required for {name}: {why}" for name, why in self.restart_required.items()]
        lines += [f"left as it was: {error}" for error in self.still_failing]
        return "\n  ".join([text, *lines, *self.notes])


def what_was_done(result: ReloadResult, most: int) -> list[str]:
    """What a reload did, a phrase each: ``'patched myapp.user, myapp.order and 12 more'``.

    Args:
        result: of the reload.
        most: so many names are shown in a phrase.
    """
    done = (
        ("patched", result.patched),
        ("re-executed", result.reexecuted),
        ("rebound", result.rebound),
        ("added", result.added),
        ("removed", result.removed),
    )
    return [f"{word} {some(names, most)}" for word, names in done if names]


def some(names: list[str], most: int, separator: str = ", ") -> str:
    """The first names of a list, and how many there are besides."""
    return separator.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
