"""What may have changed, as far as somebody has noticed."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Batch"]


class Batch(NamedTuple):
    """What may have changed.

    Attributes:
        paths: files and directories.
        directories: directories of which an entry has come or gone.
        created: files that have come, or were written in place of others.
        everything: look at all files.
    """

    paths: set[str]
    directories: set[str]
    created: set[str]
    everything: bool
