"""When two paths are one: decided here, and asked for everywhere else.

Windows and macOS find ``app/User.py`` under ``APP/user.py`` too, and macOS may give names back decomposed (``e`` and an
accent for ``é``). What is compared is what the directories say: a path that is found, but not listed as it is spelled,
is the one entry that differs in case or composition alone. So nothing depends on the name of the operating system, and
a case-sensitive directory on Windows, or a case-insensitive disk on Linux, is treated as what it is.
"""

from __future__ import annotations

import os

from pyautoload.sources import source_for

__all__ = ["inside", "key", "respelled", "same"]


def key(path: str) -> str:
    """What to look a path up by: equal for spellings that the operating system never tells apart."""
    return os.path.normcase(path)


def same(path: str, other: str) -> bool:
    """Whether two absolute paths name one file or directory, symbolic links not followed."""
    if path == other or key(path) == key(other):
        return True
    return _folded(path) == _folded(other) and _is_one_file(path, other)


def inside(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or lies in it (``/foobar`` does not lie in ``/foo``)."""
    return _beginning(path, directory) is not None


def respelled(path: str, directory: str) -> str | None:
    """A path as the listings spell it.

    Args:
        path: absolute and normalised.
        directory: its own spelling is kept, as it was entered.

    Returns:
        ``None`` where the path does not lie in the directory. A part that is not there stays as it is.
    """
    beginning = _beginning(path, directory)
    if beginning is None:
        return None
    found = directory
    for name in path[len(beginning) :].split(os.sep):
        if name:
            found = os.path.join(found, _listed(found, name))
    return found


def _beginning(path: str, directory: str) -> str | None:
    """The part of ``path`` that names ``directory``."""
    stem = directory.rstrip(os.sep)
    if path == directory or path.startswith(stem + os.sep):
        return path[: len(stem)]
    folded = _folded(stem)
    if not _folded(path).startswith(folded):
        return None
    beginning = os.sep.join(path.split(os.sep)[: stem.count(os.sep) + 1])
    return beginning if _folded(beginning) == folded and same(beginning, stem) else None


def _listed(directory: str, name: str) -> str:
    """The entry that ``name`` finds in a directory; ``name`` itself where there is none."""
    place, wanted = source_for(directory), os.path.join(directory, name)
    try:
        names = [entry.name for entry in place.list(directory)]
    except OSError:
        return name
    if name in names or not (place.is_file(wanted) or place.is_dir(wanted)):
        return name
    folded = _folded(name)
    alike = [each for each in names if _folded(each) == folded]
    return alike[0] if len(alike) == 1 else name


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    import unicodedata

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _is_one_file(path: str, other: str) -> bool:
    """Whether two paths, alike but for case or composition, find one entry: not every file system has inodes to ask."""
    (above, name), (other_above, other_name) = os.path.split(path), os.path.split(other)
    if not name or not (above == other_above or same(above, other_above)):
        return False
    if not (os.path.lexists(path) and os.path.lexists(other)):
        return False
    try:
        names = os.listdir(above)
    except OSError:
        return False
    folded = _folded(name)
    return name == other_name or sum(_folded(each) == folded for each in names) == 1
