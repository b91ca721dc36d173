"""Stubs on disk: compare, write, remove what is stale; what somebody else wrote or edited stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyautoload.stubs.generate import Stubs
from pyautoload.stubs.text import read_header
from pyautoload.tree.managed_paths import hidden
from pyautoload.tree.paths import inside

__all__ = ["Changes", "check", "write"]


@dataclass(frozen=True)
class Changes:
    """How the stubs on disk differ from what they have to be; each a sorted list of paths.

    Attributes:
        missing: to be written.
        outdated: to be written anew.
        stale: of ours, and not needed any more.
        kept: in the way, but not ours or edited by hand: these stay.
        failed: path → why it could not be written or removed.
    """

    missing: list[str]
    outdated: list[str]
    stale: list[str]
    kept: list[str]
    failed: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.missing or self.outdated or self.stale or self.kept or self.failed)


def check(stubs: Stubs) -> Changes:
    """Compare the stubs on disk with what they have to be."""
    changes = Changes([], [], [], [])
    for path, text in stubs.files.items():
        found = _read(path)
        if found is None:
            changes.missing.append(path)
        elif found == text:
            continue
        elif read_header(found) is not None and read_header(found) == (stubs.names[path], True):
            changes.outdated.append(path)
        else:
            changes.kept.append(path)
    changes.stale.extend(_stale(stubs))
    return changes


def write(stubs: Stubs) -> Changes:
    """Bring the stubs on disk up to date.

    Returns:
        What was done; ``kept`` are the files that were left alone, ``failed`` those that could not be written.
    """
    changes = check(stubs)
    for paths in (changes.missing, changes.outdated, changes.stale):
        for path in list(paths):
            try:
                _bring_up_to_date(path, stubs)
            except OSError as error:  # a directory that is not ours to write to keeps no other stub from being written
                paths.remove(path)
                changes.failed[path] = error.strerror or str(error)
    return changes


def _bring_up_to_date(path: str, stubs: Stubs) -> None:
    text = stubs.files.get(path)
    if text is None:
        os.remove(path)
        _remove_empty(os.path.dirname(path), stubs.directories)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Binary, so that the same bytes come out on every system.
    Path(path).write_bytes(text.encode())


def _read(path: str) -> str | None:
    """The text of a file, line ends as they are written here: a checkout on Windows may have turned them."""
    try:
        return Path(path).read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n")
    except OSError:
        return None  # not there, or nothing that can be read, and so none of ours


def _stale(stubs: Stubs) -> list[str]:
    found = set()
    for directory in stubs.directories:
        for path in _stub_files(directory):
            if path not in stubs.files and _is_ours(path, stubs.bases):
                found.add(path)
    return sorted(found)


def _is_ours(path: str, bases: list[str]) -> bool:
    """Whether a stub was written here: by its header, its hash, and its name, which agrees with where it lies.

    The last tells the stubs of a project apart from those of another one inside it (a vendored application).
    """
    text = _read(path)
    header = read_header(text) if text is not None else None
    if header is None or not header[1]:
        return False
    stem = path.removesuffix(".pyi").removesuffix(os.sep + "__init__")
    return any(header[0] == os.path.relpath(stem, base).replace(os.sep, ".") for base in bases if inside(path, base))


def _stub_files(directory: str) -> Iterator[str]:
    for above, names, files in os.walk(directory):
        names[:] = sorted(name for name in names if not hidden(name))
        yield from (os.path.join(above, name) for name in sorted(files) if name.endswith(".pyi"))


def _remove_empty(directory: str, limits: list[str]) -> None:
    """Remove directories that held nothing but stale stubs."""
    while any(directory != limit and directory.startswith(limit + os.sep) for limit in limits):
        try:
            os.rmdir(directory)
        except OSError:
            return  # not empty
        directory = os.path.dirname(directory)
