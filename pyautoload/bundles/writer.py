"""Writes a bundle; its layout is told in ``reader.py``, which reads it."""

from __future__ import annotations

import binascii
import contextlib
import marshal
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from types import CodeType
from typing import Any

from pyautoload.bundles.reader import FORMAT, HEADER, SIGNATURE
from pyautoload.light_stdlib import NamedTuple
from pyautoload.tree.registry import Namespace

__all__ = ["Content", "write"]

_OWN_FILES = "/proc/self/fd"
# What follows the name of a bundle that is not complete: the process that writes it, and chance.
_TEMPORARY = re.compile(r"\.(\d+)\.[0-9a-f]{8}\.tmp")

# How many modules are unmarshalled together. Four share most of what modules have in common (names, flags, empty
# tuples): that saves a third of the time. More would save little, and cost more where only one of them is wanted.
_TOGETHER = 4


class Content(NamedTuple):
    """What is written of one namespace.

    Attributes:
        space: what it holds.
        barren: its subdirectories without Python → each directory looked into for that → its mtime in ns.
        codes: stem → code, the source's mtime in ns and its size in bytes (``""``: its ``__init__``).
    """

    space: Namespace
    barren: dict[str, dict[str, int]]
    codes: Mapping[str, tuple[CodeType, int, int]]


def write(
    path: str,
    signature: tuple[Any, ...],
    roots: Sequence[str],
    contents: Iterable[Content],
) -> int:
    """Write a bundle, as a whole or not at all.

    Args:
        path: the file; one that is there is replaced in one step, so that readers see the old or the new one.
        signature: as ``signature_of`` gives it.
        roots: the roots, in order.
        contents: the namespaces.

    Returns:
        The size of the file in bytes.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    _remove_left(path)
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        with os.fdopen(_opened(temporary), "wb") as file:
            file.write(bytes(HEADER.size))
            index: dict[str, tuple[int, int, int]] = {}
            for content in contents:
                index[content.space.name] = _write_namespace(file, *content)
            data = marshal.dumps((signature, list(roots), index))
            offset = file.tell()
            file.write(data)
            size = file.tell()
            file.seek(0)
            file.write(HEADER.pack(SIGNATURE, FORMAT, offset, len(data), binascii.crc32(data)))
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "fchmod"):
                # Whatever the umask says: a bundle that others may write to would not be trusted.
                os.fchmod(file.fileno(), 0o644)
            _give_name(file.fileno(), temporary)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return size


def _opened(temporary: str) -> int:
    """A new file without a name, where the system has such: it goes with the process, however that ends."""
    flags = os.O_WRONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if hasattr(os, "O_TMPFILE") and os.path.isdir(_OWN_FILES):
        try:
            return os.open(os.path.dirname(temporary), flags | os.O_TMPFILE, 0o644)
        except OSError:
            pass  # this file system has none
    return os.open(temporary, flags | os.O_CREAT | os.O_EXCL, 0o644)


def _give_name(descriptor: int, temporary: str) -> None:
    """Let an open file have a name, if it has none; not yet the right one, as only renaming replaces what is there."""
    if not os.path.lexists(temporary):
        # With a directory of its own, which an absolute path does not need, the link to the file is followed.
        os.link(f"{_OWN_FILES}/{descriptor}", temporary, src_dir_fd=descriptor, follow_symlinks=True)


def _remove_left(path: str) -> None:
    """Remove what processes that were killed have left of this file, where files need a name from the start."""
    directory, name = os.path.split(path)
    for entry in os.listdir(directory):
        match = _TEMPORARY.fullmatch(entry[len(name) :]) if entry.startswith(name) else None
        if match is not None and not _is_running(int(match[1])):
            with contextlib.suppress(OSError):  # another process removes it as well
                os.unlink(os.path.join(directory, entry))


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # to ask there is to end it; and what is open cannot be removed
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _write_namespace(
    file: Any,
    space: Namespace,
    barren: dict[str, dict[str, int]],
    codes: Mapping[str, tuple[CodeType, int, int]],
) -> tuple[int, int, int]:
    groups: list[tuple[int, int, int]] = []
    records: dict[str, tuple[int, int, int, int]] = {}
    stems = list(codes)
    for start in range(0, len(stems), _TOGETHER):
        group = stems[start : start + _TOGETHER]
        data = marshal.dumps([codes[stem][0] for stem in group])
        for place, stem in enumerate(group):
            records[stem] = (len(groups), place, *codes[stem][1:])
        groups.append((file.tell(), len(data), binascii.crc32(data)))
        file.write(data)
    packed = (
        space.name,
        space.directories,
        space.file,
        space.modules,
        space.organised,
        space.excluded,
        space.shadowed,
        space.stamps,
        space.subdirs,
    )
    data = marshal.dumps((packed, barren, groups, records))
    offset = file.tell()
    file.write(data)
    return offset, len(data), binascii.crc32(data)
