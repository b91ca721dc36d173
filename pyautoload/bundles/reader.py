"""A bundle: the scan of a tree and all its code objects in one file.

Layout, all numbers little-endian: a header (signature, format, place and checksum of the index); for each namespace
its code objects in small groups, one after the other, and a record that tells where they lie, at the end the index,
namespace → record. Every part carries its CRC-32 and is read when it is needed. A bundle is only ever replaced as a
whole.
"""

from __future__ import annotations

import _imp
import binascii
import marshal
import os
import struct
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import MAGIC_NUMBER
from itertools import chain
from types import CodeType

from pyautoload.bundles.trust import reason_against
from pyautoload.sources import source_for
from pyautoload.sources.regular import open_regular
from pyautoload.tree.registry import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FORMAT", "HEADER", "SIGNATURE", "Bundle", "BundleProblem", "BundleWarning", "signature_of"]

FORMAT = 3
# How far ahead of what is needed the system is asked to read while everything is being loaded, in bytes.
_AHEAD = 8 << 20
SIGNATURE = b"pyautoload\r\n\x1a\n\0\0"  # line ends and an end-of-file mark show a transfer in text mode
_PACKAGE_FILE = f"{os.sep}__init__.py"
HEADER = struct.Struct("<16sIQQI")  # signature, format, index offset, index length, index checksum


class BundleProblem(Exception):
    """A bundle cannot be used; the message says why."""


class BundleWarning(UserWarning):
    """A bundle, or a part of it, cannot be used; it is loaded the ordinary way."""


class _Held:
    """What has been read of one namespace."""

    __slots__ = ("barren", "groups", "read", "records", "space")

    def __init__(
        self,
        space: Namespace,
        barren: dict[str, dict[str, int]],
        groups: list[tuple[int, int, int]],
        records: dict[str, Any],
    ) -> None:
        self.space = space
        # Subdirectories without Python, by name: each directory that was looked into for that → its mtime in ns.
        # Example: {"locale": {"/app/shop/locale": 17, "/app/shop/locale/de": 18}}
        self.barren = barren
        # Where each group of code objects lies: offset and length in bytes, CRC-32.
        self.groups = groups
        # Stem ("" for its `__init__.py`) → its group, its place in that, and of what its code was made: the source's
        # mtime in ns and its size in bytes.
        self.records = records
        # Groups that were read for one module, with the code that is still to be asked for; None where it was.
        self.read: dict[int, list[CodeType | None]] = {}


def signature_of(roots: Mapping[str, str], patterns: Sequence[Sequence[str]]) -> tuple[Any, ...]:
    """What a bundle must have been made with to fit: this Python, its flags, and the same rules.

    Args:
        roots: root → namespace. Only their places relative to the first one count, so that a tree can be moved.
        patterns: the patterns that decide what is managed.
    """
    first = os.path.dirname(next(iter(roots), ""))
    relative = tuple((os.path.relpath(path, first), name) for path, name in roots.items())
    flags = (sys.flags.optimize, sys.flags.dont_write_bytecode and 0, sys.implementation.cache_tag)
    return (FORMAT, MAGIC_NUMBER, flags, relative, tuple(map(tuple, patterns)))


class Bundle:
    """An open bundle.

    Args:
        path: the file.
        signature: as ``signature_of`` gives it.
        roots: the roots of now, in order.
        trusted: take everything as it is, without looking whether directories or files have changed since.

    Raises:
        BundleProblem: missing, unreadable, not safe to trust, foreign, of other rules, or damaged.
    """

    def __init__(self, path: str, signature: tuple[Any, ...], roots: Sequence[str], *, trusted: bool = False) -> None:
        self.path = path
        self.trusted = trusted
        # Whether everything is being loaded, and up to where the file was asked for ahead of that.
        self.bulk = False
        self._asked_to = 0
        self._warned = False
        self._held: dict[str, _Held | None] = {}
        try:
            self._descriptor, status = open_regular(path)
        except (OSError, ValueError) as error:
            raise BundleProblem(f"it cannot be read ({getattr(error, 'strerror', None) or error})") from error
        try:
            if (reason := reason_against(path, status)) is not None:
                raise BundleProblem(reason)
            self._index, made_at = self._read_index(signature, len(roots))
        except BaseException:
            self.close()
            raise
        # Old root → new root, where the tree has been moved since; empty where it has not.
        self._moved = {old: new for old, new in zip(made_at, roots, strict=True) if old != new}

    def close(self) -> None:
        """Close the file. Closed once more, it does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()

    def __contains__(self, name: object) -> bool:
        """Whether the bundle was made with a namespace of this name, readable or not."""
        return name in self._index

    def namespace(self, name: str) -> Namespace | None:
        """What a namespace holds; ``None`` where the bundle does not say so or, unless trusted, a directory changed."""
        held = self._record(name)
        if held is None:
            return None
        if self.trusted or (held.space.stamps and _are_unchanged(held.space.stamps)):
            return held.space
        return None

    def lacks(self, name: str, directories: Sequence[str]) -> bool:
        """Whether there is no namespace of this name: it held no Python and, unless trusted, nothing has changed.

        Args:
            name: a namespace for which no root was given.
            directories: what it would consist of.
        """
        if self.trusted:
            return name not in self
        parent_name, _, stem = name.rpartition(".")
        held = self._record(parent_name)
        stamps = held.barren.get(stem) if held is not None else None
        return stamps is not None and stamps.keys() >= set(directories) and _are_unchanged(stamps)

    def code(self, name: str, path: str, *, checked: bool = False) -> tuple[CodeType, int] | None:
        """The code of a module and its source's mtime in ns; ``None`` where the ordinary way must be taken.

        Args:
            name: the module name.
            path: its file.
            checked: compare the file with what the code was made of, trusted or not.
        """
        package = path.endswith(_PACKAGE_FILE)
        space, _, stem = (name, "", "") if package else name.rpartition(".")
        held = self._held.get(space) or self._record(space)
        record = held.records.get(stem) if held is not None else None
        if held is None or record is None:
            return None
        group, place, mtime_ns, size = record
        if (held.space.file if package else held.space.modules.get(stem)) != path:
            return None
        if checked or not self.trusted:
            try:
                if source_for(path).stat(path) != (mtime_ns, size):
                    return None
            except OSError:
                return None
        codes = held.read.get(group)
        code = codes[place] if codes and place < len(codes) else None
        if not codes or code is None:
            codes = held.read[group] = self._group(*held.groups[group])
            code = codes[place] if place < len(codes) else None
        if code is None:
            return None
        codes[place] = None
        if not any(codes):
            held.read.pop(group, None)
        if code.co_filename != path:
            _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
        return code, mtime_ns

    def release(self) -> None:
        """Everything is loaded: let go of what was read for that."""
        self.bulk = False
        self._asked_to = 0
        for held in self._held.values():
            if held is not None:
                held.read.clear()

    def _group(self, offset: int, length: int, checksum: int) -> list[CodeType | None]:
        """The code objects of a group; none where the file is damaged."""
        if self.bulk and offset + _AHEAD // 2 > self._asked_to:
            self._ask_for(offset)
        data = self._read(offset, length)
        if len(data) != length or binascii.crc32(data) != checksum:
            self._warn_of_damage()
            return []
        codes: list[CodeType | None] | None = _unmarshalled(data)
        if not isinstance(codes, list) or not all(isinstance(code, CodeType) for code in codes):
            self._warn_of_damage()
            return []
        return codes

    def _ask_for(self, offset: int) -> None:
        """Let the system read on from ``offset`` while this process runs what it has."""
        self._asked_to = offset + _AHEAD
        if hasattr(os, "posix_fadvise"):
            try:
                os.posix_fadvise(self._descriptor, offset, _AHEAD, os.POSIX_FADV_WILLNEED)
            except OSError:  # only advice: without it the file is read as it is needed
                self._asked_to = sys.maxsize

    def _record(self, name: str) -> _Held | None:
        try:
            return self._held[name]
        except KeyError:
            pass
        place = self._index.get(name)
        held = None
        if place is not None:
            data = self._read(place[0], place[1])
            if len(data) == place[1] and binascii.crc32(data) == place[2]:
                held = self._understood(name, _unmarshalled(data))
            if held is None:
                self._warn_of_damage()
        self._held[name] = held
        return held

    def _understood(self, name: str, record: Any) -> _Held | None:
        """What a record says; ``None`` where it is not what one looks like, however right its checksum is."""
        try:
            packed, barren, groups, records = record
            if packed[0] != name or not _is_plausible(packed, barren) or not _is_a_table(groups, 3):
                return None
            if not _is_a_table(list(records.values()), 4) or not _are_texts(records):
                return None
            if any(not 0 <= group < len(groups) or place < 0 for group, place, _, _ in records.values()):
                return None
            return _Held(self._unpacked(packed), self._all_relocated(barren), groups, records)
        except (TypeError, ValueError, AttributeError, IndexError, KeyError):
            return None

    def _warn_of_damage(self) -> None:
        if not self._warned:
            self._warned = True
            message = f"the bundle {self.path} is damaged; what cannot be read of it is loaded the ordinary way"
            warnings.warn(message, BundleWarning, stacklevel=2)

    def _read(self, offset: int, length: int) -> bytes:
        """A piece of the file; a short one where the file is shorter than it was."""
        try:
            if hasattr(os, "pread"):
                return os.pread(self._descriptor, length, offset)
            with open(self.path, "rb") as file:
                file.seek(offset)
                return file.read(length)
        except (OSError, ValueError, OverflowError, MemoryError):
            return b""

    def _read_index(self, signature: tuple[Any, ...], roots: int) -> tuple[dict[str, tuple[int, int, int]], list[str]]:
        header = self._read(0, HEADER.size)
        if len(header) < HEADER.size or header[:16] != SIGNATURE:
            raise BundleProblem("it is not a bundle, or its beginning is damaged")
        _, version, offset, length, checksum = HEADER.unpack(header)
        if version != FORMAT:
            raise BundleProblem(f"it has the format {version}, this version of PyAutoload reads {FORMAT}")
        # The index is what the file ends with; other numbers are damage, and not to be believed.
        at_end = offset + length == os.fstat(self._descriptor).st_size
        data = self._read(offset, length) if at_end else b""
        if not at_end or binascii.crc32(data) != checksum:
            raise BundleProblem("it is truncated or damaged")
        read = _unmarshalled(data)
        if not isinstance(read, tuple) or len(read) != 3 or not isinstance(read[0], tuple):
            raise BundleProblem("it is damaged")
        made_with, made_at, index = read
        if made_with[1:3] != signature[1:3]:
            raise BundleProblem("it was made by another Python, or with other flags")
        if made_with != signature:
            raise BundleProblem("it was made for other roots or other patterns")
        is_index = isinstance(index, dict) and _are_texts(index) and _is_a_table(list(index.values()), 3)
        if not is_index or not isinstance(made_at, list) or len(made_at) != roots or not _are_texts(made_at):
            raise BundleProblem("it is damaged")
        return index, made_at

    def _unpacked(self, packed: tuple[Any, ...]) -> Namespace:
        name, directories, file, modules, organised, excluded, shadowed, stamps, subdirs = packed
        moved = self._relocated
        space = Namespace(name, tuple(map(moved, directories)))
        space.file = file and moved(file)
        space.modules = {stem: moved(path) for stem, path in modules.items()} if self._moved else modules
        space.organised = [moved(path) for path in organised]
        space.excluded = excluded
        space.shadowed = {moved(path): moved(taken) for path, taken in shadowed.items()}
        space.stamps = self._relocated_stamps(stamps)
        space.subdirs = {stem: tuple(map(moved, paths)) for stem, paths in subdirs.items()}
        return space

    def _all_relocated(self, barren: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        return {stem: self._relocated_stamps(stamps) for stem, stamps in barren.items()}

    def _relocated_stamps(self, stamps: dict[str, int]) -> dict[str, int]:
        return {self._relocated(path): stamp for path, stamp in stamps.items()} if self._moved else stamps

    def _relocated(self, path: str) -> str:
        for old, new in self._moved.items():
            if path == old or path.startswith(old + os.sep):
                return new + path[len(old) :]
        return path


def _unmarshalled(data: bytes) -> Any:
    """What bytes stand for; ``None`` where they are damaged in spite of their checksum."""
    try:
        return marshal.loads(data)
    except (EOFError, ValueError, TypeError, MemoryError):
        return None


def _is_plausible(packed: tuple[Any, ...], barren: Any) -> bool:
    """Whether what is said of a namespace has the form that ``Namespace`` wants."""
    _, directories, file, modules, organised, excluded, shadowed, stamps, subdirs = packed
    tables = (modules, excluded, shadowed)
    texts = (directories, organised, *tables, *(table.values() for table in tables), stamps, subdirs, barren)
    return (
        (file is None or isinstance(file, str))
        and isinstance(directories, tuple)
        and isinstance(organised, list)
        and all(map(_are_texts, texts))
        and all(isinstance(paths, tuple) and _are_texts(paths) for paths in subdirs.values())
        and _are_numbers(stamps.values())
        and all(_are_texts(each) and _are_numbers(each.values()) for each in barren.values())
    )


def _are_texts(items: Iterable[Any]) -> bool:
    return set(map(type, items)) <= {str}


def _are_numbers(items: Iterable[Any]) -> bool:
    return set(map(type, items)) <= {int}


def _is_a_table(rows: Any, width: int) -> bool:
    """Whether it is a list of tuples of so many numbers."""
    if not isinstance(rows, list) or not set(map(type, rows)) <= {tuple} or not set(map(len, rows)) <= {width}:
        return False
    return _are_numbers(chain.from_iterable(rows))


def _are_unchanged(stamps: Mapping[str, int]) -> bool:
    """Whether directories have the mtimes in ns that they had."""
    return all(_stamp(path) == stamp for path, stamp in stamps.items())


def _stamp(path: str) -> int:
    try:
        return source_for(path).stat(path)[0]
    except (OSError, ValueError):
        return -2
