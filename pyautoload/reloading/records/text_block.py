"""Keeping sources and code of many modules in little room: they are needed only when something changes."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence

__all__ = ["Block"]


# Blocks of which a text was asked for last are kept as they are: who asks for one module often asks for its neighbours.
_RECENT = 4
_recent: list[Block] = []


class Block:
    """Texts compressed together: modules of one package resemble each other, and one stream costs least to make.

    Args:
        names: the modules.
        texts: the source, or whatever else, of each.
    """

    __slots__ = ("_data", "_ends", "_names", "_text")

    def __init__(self, names: Sequence[str], texts: Sequence[bytes]) -> None:
        self._names = tuple(names)
        # Where each text ends in the joined one. Example: array("L", [812, 1630])
        self._ends = array("L")
        end = 0
        for text in texts:
            end += len(text)
            self._ends.append(end)
        self._data = zlib.compress(b"".join(texts), 1)
        # All texts while this is one of the recent blocks.
        self._text: bytes | None = None

    def compress(self) -> None:
        """Keep the texts compressed only."""
        self._text = None

    def text(self, name: str) -> bytes:
        """The text of one module."""
        text = self._text
        if text is None:
            text = self._text = zlib.decompress(self._data)
            _recent.append(self)
            if len(_recent) > _RECENT:
                _recent.pop(0).compress()
        at = self._names.index(name)
        return text[self._ends[at - 1] if at else 0 : self._ends[at]]
