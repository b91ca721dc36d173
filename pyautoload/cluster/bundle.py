"""Bundles: the managed files of one moment, named by their content; deltas lead from one to the next."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from pyautoload.errors import ShipmentError

__all__ = ["Bundle", "Delta", "mark_of"]

_HASH = 16  # bytes


def mark_of(content: bytes) -> bytes:
    """What stands for a content."""
    return hashlib.blake2b(content, digest_size=_HASH).digest()


class Bundle(NamedTuple):
    """The managed files of one moment.

    Attributes:
        layout: how the loader is made, pickled.
        files: path → content.
        marks: path → what stands for the content.
        digest: what stands for all of it.
    """

    layout: bytes
    files: dict[str, bytes]
    marks: dict[str, bytes]
    digest: str

    @classmethod
    def of(cls, layout: bytes, files: dict[str, bytes], marks: dict[str, bytes] | None = None) -> Bundle:
        """The bundle of some files."""
        if marks is None:
            marks = {path: mark_of(content) for path, content in files.items()}
        whole = hashlib.blake2b(mark_of(layout), digest_size=_HASH)
        for path in sorted(marks):
            whole.update(path.encode("utf-8", "surrogateescape") + b"\0" + marks[path])
        return cls(layout, files, marks, whole.hexdigest())

    def delta_to(self, later: Bundle) -> Delta:
        """What has to be sent to somebody who has this one and is to have ``later``."""
        changed = {path: later.files[path] for path, mark in later.marks.items() if self.marks.get(path) != mark}
        layout = later.layout if later.layout != self.layout else None
        return Delta(self.digest, later.digest, layout, changed, sorted(self.marks.keys() - later.marks.keys()))

    def whole(self) -> Delta:
        """What has to be sent to somebody who has nothing."""
        return Delta("", self.digest, self.layout, self.files, [])

    def after(self, delta: Delta) -> Bundle:
        """The bundle that a delta leads to.

        Raises:
            ShipmentError: the delta was made for another one, or has suffered on its way.
        """
        if delta.base and delta.base != self.digest:
            raise ShipmentError("a shipment was made for other code than is there", "ship everything again")
        files, marks = (dict(self.files), dict(self.marks)) if delta.base else ({}, {})
        for path in delta.removed:
            files.pop(path, None)
            marks.pop(path, None)
        files.update(delta.changed)
        marks.update((path, mark_of(content)) for path, content in delta.changed.items())
        later = Bundle.of(self.layout if delta.layout is None else delta.layout, files, marks)
        if later.digest != delta.digest:
            raise ShipmentError("a shipment does not hold what its name says", "ship it again")
        return later


EMPTY = Bundle.of(b"", {})


class Delta(NamedTuple):
    """The way from one bundle to another one.

    Attributes:
        base: the digest of the former; ``""`` for one that is whole.
        digest: that of the latter.
        layout: how the loader is made, where that has changed.
        changed: path → content, of files that are new or have changed.
        removed: paths that have gone.
    """

    base: str
    digest: str
    layout: bytes | None
    changed: Mapping[str, bytes]
    removed: list[str]

    def pack(self) -> bytes:
        """As bytes: a header, then the contents one after the other, compressed."""
        layout = self.layout or b""
        head = json.dumps(
            {
                "separator": os.sep,
                "base": self.base,
                "digest": self.digest,
                "layout": None if self.layout is None else len(layout),
                "changed": [[path, len(content)] for path, content in self.changed.items()],
                "removed": self.removed,
            }
        ).encode("ascii")
        return zlib.compress(b"".join([head, b"\n", layout, *self.changed.values()]), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> Delta:
        """What ``pack`` has made.

        Raises:
            ShipmentError: it is damaged, or comes from a system whose paths mean nothing here.
        """
        try:
            raw = zlib.decompress(packed)
            at = raw.index(b"\n") + 1
            head = json.loads(raw[:at])
            given = head["layout"]
            layout = None if given is None else raw[at : at + given]
            at += given or 0
            changed = {}
            for path, size in head["changed"]:
                changed[path] = raw[at : at + size]
                at += size
            delta = cls(head["base"], head["digest"], layout, changed, head["removed"])
            separator = head["separator"]
        except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
            raise ShipmentError(f"a shipment is damaged ({error})", "ship it again") from error
        if separator != os.sep:
            raise ShipmentError(
                "a shipment comes from another kind of system, whose paths mean nothing here",
                "ship from Windows to Windows, or from Linux or macOS to Linux or macOS",
            )
        return delta
