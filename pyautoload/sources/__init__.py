"""Where files come from: the file system, an archive, or a place of the user's own.

Whoever reads a managed file asks here for its place (``source_for``). This folder knows no other.
"""

from __future__ import annotations

import os

from pyautoload.sources.file_system import FILE_SYSTEM
from pyautoload.sources.protocol import Place, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "FILE_SYSTEM",
    "Place",
    "Source",
    "is_anything_mounted",
    "mount",
    "mount_archive",
    "own_source",
    "source_for",
    "unmount",
]

# Path → what holds everything below it. Example: {"/srv/app.zip": <Mounted ZipArchive('/srv/app.zip')>}
_mounts: dict[str, Place] = {}


def is_anything_mounted() -> bool:
    """Whether there is any source beside the file system."""
    return bool(_mounts)


def source_for(path: str) -> Place:
    """What holds ``path``: the innermost mounted source, else the file system."""
    if not _mounts:
        return FILE_SYSTEM
    above = path
    while True:
        if above in _mounts:
            return _mounts[above]
        parent = os.path.dirname(above)
        if parent == above:
            return FILE_SYSTEM
        above = parent


def mount(path: str, source: Source) -> None:
    """Let ``source`` hold everything at and below ``path``, in place of what held it before.

    Args:
        path: absolute; need not exist.
        source: it is asked with absolute paths.
    """
    from pyautoload.sources.source_adapter import Mounted

    _mounts[path] = Mounted(source)


def own_source(path: str) -> Source | None:
    """The source of the user's own that was mounted at ``path``, ``None`` where there is none, or an archive."""
    mounted = _mounts.get(path)
    if mounted is None:
        return None
    from pyautoload.sources.archive import ZipArchive

    source: Source | None = getattr(mounted, "source", None)
    return None if isinstance(source, ZipArchive) else source


def unmount(path: str) -> None:
    """Take a mounted source away; it is not an error if there is none."""
    _mounts.pop(path, None)


def mount_archive(path: str) -> bool:
    """Mount the zip file that ``path`` lies in, if it lies in one.

    Returns:
        Whether it does.

    Raises:
        ArchiveError: it does, and the file is damaged.
    """
    archive = path
    while not os.path.exists(archive):
        parent = os.path.dirname(archive)
        if parent == archive:
            return False
        archive = parent
    if archive in _mounts:
        return True
    if not os.path.isfile(archive):
        return False
    import zipfile

    if not zipfile.is_zipfile(archive):
        with open(archive, "rb") as file:
            begins_as_one = file.read(2) == b"PK"
        if archive == path or not begins_as_one:
            return False
        from pyautoload.errors import ArchiveError

        raise ArchiveError(archive, "its end is missing")
    from pyautoload.sources.archive import ZipArchive

    source = ZipArchive(archive)
    source.list(archive)  # here, where it can be told: what is damaged has no names
    mount(archive, source)
    return True


def __getattr__(name: str) -> Any:
    if name == "ZipArchive":
        from pyautoload.sources.archive import ZipArchive

        return ZipArchive
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
