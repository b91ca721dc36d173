"""Keeping the sources of many modules in little room: they are needed only when their files change."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence

__all__ = ["Block"]


class Block:
    """Sources compressed together: modules of one package resemble each other, and one stream costs least to make.

    Args:
        names: the modules.
        sources: the text of each.
    """

    __slots__ = ("_data", "_ends", "_names")

    def __init__(self, names: Sequence[str], sources: Sequence[bytes]) -> None:
        self._names = tuple(names)
        # Where each source ends in the joined text. Example: array("L", [812, 1630])
        self._ends = array("L")
        end = 0
        for source in sources:
            end += len(source)
            self._ends.append(end)
        self._data = zlib.compress(b"".join(sources), 1)

    def source(self, name: str) -> bytes:
        """The source of one module."""
        at = self._names.index(name)
        start = self._ends[at - 1] if at else 0
        return zlib.decompress(self._data)[start : self._ends[at]]
