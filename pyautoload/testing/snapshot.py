"""A snapshot: which files the project has, and what is in those that matter."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyautoload.testing.source_summary import FileFacts, facts_of

__all__ = ["CONFIGURATION", "Snapshot", "is_left_out", "listing", "look"]

# What decides how pytest runs.
CONFIGURATION = frozenset(
    ["pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg", "setup.py"]
)
_LEFT_OUT = frozenset(["__pycache__", "node_modules"])
Stamp = tuple[int, int, int]


@dataclass
class Snapshot:
    """The files of a project at one moment.

    Attributes:
        stamps: file → time of its last change, size, number; all files of the project, and those asked for.
        facts: Python file → what is in it.
        digests: file that a test reads → digest of its content, ``None`` where it cannot be read.
        listings: directory that a test lists → digest of its names.
    """

    stamps: dict[str, Stamp] = field(default_factory=dict)
    facts: dict[str, FileFacts] = field(default_factory=dict)
    digests: dict[str, str | None] = field(default_factory=dict)
    listings: dict[str, str | None] = field(default_factory=dict)


def look(directory: str, before: Snapshot, opened: Iterable[str] = (), listed: Iterable[str] = ()) -> Snapshot:
    """Look at the files; what has the stamp that it had is not read again.

    Args:
        directory: of the project.
        before: an earlier snapshot.
        opened: files of which the content matters.
        listed: directories of which the names matter.
    """
    now = Snapshot(dict(_files(directory)))
    for path in opened:
        if path not in now.stamps and (stamp := _stamp(path)) is not None:
            now.stamps[path] = stamp
    for path, stamp in now.stamps.items():
        if path.endswith(".py"):
            known = before.facts.get(path)
            if known is None or before.stamps.get(path) != stamp or _is_recent(stamp):
                known = _facts(path, known) or known
            if known is not None:
                now.facts[path] = known
    for path in opened:
        current = now.stamps.get(path)
        if (
            path in before.digests
            and current is not None
            and before.stamps.get(path) == current
            and not _is_recent(current)
        ):
            now.digests[path] = before.digests[path]
        else:
            now.digests[path] = _digest(path)
    now.listings = {path: listing(path) for path in listed}
    return now


def _is_recent(stamp: Stamp) -> bool:
    """Whether a file was saved so short a time ago that another save might have the same stamp."""
    return time.time_ns() - stamp[0] < 2_000_000_000


def _files(directory: str) -> Iterator[tuple[str, Stamp]]:
    try:
        with os.scandir(directory) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        try:
            if entry.is_dir():
                if not is_left_out(entry.path):
                    yield from _files(entry.path)
                continue
            status = entry.stat()
        except OSError:
            continue
        yield entry.path, (status.st_mtime_ns, status.st_size, status.st_ino)


def is_left_out(directory: str) -> bool:
    """Whether a directory has nothing of the project: hidden, a cache, a virtual environment."""
    name = os.path.basename(directory)
    if name.startswith(".") or name in _LEFT_OUT:
        return True
    return os.path.islink(directory) or os.path.exists(os.path.join(directory, "pyvenv.cfg"))


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _facts(path: str, known: FileFacts | None) -> FileFacts | None:
    try:
        with open(path, "rb") as opened:
            source = opened.read()
    except OSError:
        return None
    if known is not None and known.content == hashlib.blake2b(source, digest_size=12).hexdigest():
        return known
    return facts_of(path, source)


def _digest(path: str) -> str | None:
    try:
        with open(path, "rb") as opened:
            return hashlib.blake2b(opened.read(), digest_size=12).hexdigest()
    except OSError:
        return None


def listing(directory: str) -> str | None:
    """A digest of the names in a directory, but for those that Python and pytest leave there."""
    try:
        names = os.listdir(directory)
    except OSError:
        return None
    kept = sorted(name for name in names if name not in _LEFT_OUT and not name.startswith("."))
    return hashlib.blake2b("\0".join(kept).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
