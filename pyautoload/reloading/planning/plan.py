"""Plan: what has changed on disk since it was loaded, compiled before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from types import CodeType
from typing import NamedTuple

from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.signature import Signature

__all__ = ["NewVersion", "Plan"]


class NewVersion(NamedTuple):
    """The new state of a changed module's file.

    Attributes:
        source: its text.
        code: what it compiles to.
        path: the file; another one than before where a module became a package.
        stamp: the file's signature.
        everything: run all of it, as it cannot be told what has changed.
    """

    source: bytes
    code: CodeType
    path: str
    stamp: Signature | None
    everything: bool = False


@dataclass
class Plan:
    """What one reload has to do.

    Attributes:
        changed: module → its new version.
        gone: modules whose files have gone.
        forced: modules that run again whether they have changed or not.
        added: modules that have come.
        why: forced module → why, where that is not known otherwise.
        refused: module → why it cannot be reloaded though it has changed.
        data: module → files that it read when it was imported and that have changed, with their signatures.
        skipped: modules that are left alone, as they need a restart.
        inputs: forced module → what has changed of what it read or listed.
        directories: directories that modules had listed and in which entries have come or gone.
        is_kept: whether a module is not to be reloaded.
        held: files that are left as they were.
    """

    changed: dict[str, NewVersion] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    forced: set[str] = field(default_factory=set)
    added: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    data: dict[str, dict[str, Signature | None]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    inputs: dict[str, object] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    is_kept: Callable[[Record], bool] = lambda record: False
    held: Container[str] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone or self.forced or self.refused)
