"""Package data in a mounted source, for ``importlib.resources``."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from pyautoload.sources import source_for

if sys.version_info >= (3, 11):
    from importlib.resources.abc import Traversable, TraversableResources
else:
    from importlib.abc import Traversable, TraversableResources

__all__ = ["Resources", "SourcePath"]


class SourcePath(Traversable):
    """A file or directory of a source, with what ``importlib.resources`` promises of one.

    Args:
        path: its absolute path.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"SourcePath({self.path!r})"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.path)

    def is_dir(self) -> bool:
        """Whether it is a directory."""
        return source_for(self.path).is_dir(self.path)

    def is_file(self) -> bool:
        """Whether it is a file."""
        return source_for(self.path).is_file(self.path)

    def iterdir(self) -> Iterator[SourcePath]:
        """What lies in the directory."""
        return (SourcePath(entry.path) for entry in source_for(self.path).list(self.path))

    def joinpath(self, *descendants: str) -> SourcePath:
        """What lies below; each part may hold slashes."""
        parts = [part for descendant in descendants for part in str(descendant).split("/")]
        return SourcePath(os.path.normpath(os.path.join(self.path, *parts)))

    def __truediv__(self, child: str) -> SourcePath:
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        """The content."""
        return source_for(self.path).read(self.path)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """The content as text, in UTF-8 unless said otherwise."""
        with self.open("r", encoding=encoding, errors=errors) as opened:
            return str(opened.read())

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """Open it for reading: ``"r"``, with the arguments of ``io.TextIOWrapper``, or ``"rb"``."""
        if mode not in ("r", "rb"):
            raise ValueError(f"files of a source are opened with 'r' or 'rb', not {mode!r}")
        content = io.BytesIO(self.read_bytes())
        if mode == "rb":
            return content
        return io.TextIOWrapper(content, *args, **(kwargs if args else _in_utf8(kwargs)))


class Resources(TraversableResources):
    """What ``importlib.resources`` asks of a package whose data lies in a source.

    Args:
        directory: the package's directory.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def files(self) -> SourcePath:
        """The package's directory."""
        return SourcePath(self.directory)


def _in_utf8(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "encoding": options.get("encoding") or "utf-8"}
