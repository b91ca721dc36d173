"""Patterns that name paths, for files that exist and for those that appear later."""

from __future__ import annotations

import os

from pyautoload.errors import SetupError
from pyautoload.tree.paths import key

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

__all__ = ["GlobSet", "flattened"]

_MAGIC = frozenset("*?[")
_SEPARATORS = os.sep + (os.altsep or "")


class GlobSet:
    """A set of patterns and the question whether a path matches one of them.

    A relative pattern is tried against each root and against the working directory at the time it was added; a bare
    one (without a separator) also matches any path component of that name below a root. ``**`` matches any number of
    directories. The patterns are never expanded against the disk, so they hold for files that appear later.
    """

    def __init__(self) -> None:
        # The patterns as they were given. Example: ["vendor", "*/concerns"]
        self.patterns: list[str] = []
        # Absolute patterns, and for relative ones the pattern as seen from the working directory.
        self._absolute: list[str] = []
        # Relative patterns with a separator, to be tried against each root. Example: ["*/concerns"]
        self._rooted: list[str] = []
        # Bare patterns. Example: ["tmp", "*_test.py"]
        self._bare: list[str] = []
        # What the lists above compile to, for the roots known then.
        self._compiled: tuple[frozenset[str], re.Pattern[str] | None, frozenset[str], re.Pattern[str] | None] | None
        self._compiled = None
        # The roots as they were entered, and as they are compared.
        self._roots: tuple[str, ...] = ()
        self._root_keys: frozenset[str] = frozenset()
        # Pattern → the directory that it is relative to, where that was not the working directory.
        self._bases: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def add(self, patterns: Iterable[str | os.PathLike[str]], *, base: str | None = None) -> None:
        """Add patterns, each a string or a path.

        Args:
            patterns: the patterns.
            base: the directory that relative ones are tried against, in place of the working directory.
        """
        for pattern in [_checked(given) for given in patterns]:
            self.patterns.append(pattern)
            if base is not None:
                self._bases[pattern] = base
            self._sort_in(pattern, base or os.getcwd())
        self._compiled = None

    def use_roots(self, roots: Sequence[str]) -> None:
        """Say which roots relative patterns are tried against."""
        if tuple(roots) != self._roots:
            self._roots = tuple(roots)
            self._root_keys = frozenset(map(key, roots))
            self._compiled = None

    def matches(self, path: str) -> bool:
        """Whether ``path`` itself (not a directory above it) matches; ``path`` is absolute and normalised."""
        if not self.patterns:
            return False
        names, name_pattern, paths, path_pattern = self._compiled or self._compile()
        path = key(path)
        if path in paths or (path_pattern is not None and path_pattern.fullmatch(path) is not None):
            return True
        if path in self._root_keys:
            return False
        name = os.path.basename(path)
        return name in names or (name_pattern is not None and name_pattern.fullmatch(name) is not None)

    def pattern_matches(self, pattern: str, path: str) -> bool:
        """Whether the one ``pattern`` of this set matches ``path``; for messages and checks."""
        return self.only(pattern).matches(path)

    def only(self, pattern: str | None = None) -> GlobSet:
        """A set of the one ``pattern`` of this set, for the same roots; without one, a copy of this set."""
        part = GlobSet()
        part.use_roots(self._roots)
        for known in self.patterns if pattern is None else [pattern]:
            part.add([known], base=self._bases.get(known))
        return part

    def _sort_in(self, pattern: str, base: str) -> None:
        if os.path.isabs(pattern):
            self._absolute.append(os.path.normpath(pattern))
            return
        relative = os.path.normpath(pattern)
        self._absolute.append(os.path.normpath(os.path.join(_literal(base), relative)))
        if any(separator in relative for separator in _SEPARATORS):
            self._rooted.append(relative)
        else:
            self._bare.append(relative)

    def _compile(
        self,
    ) -> tuple[frozenset[str], re.Pattern[str] | None, frozenset[str], re.Pattern[str] | None]:
        paths = list(self._absolute)
        paths += [os.path.normpath(os.path.join(_literal(root), rel)) for root in self._roots for rel in self._rooted]
        compiled = (*_split(self._bare), *_split(paths))
        self._compiled = compiled
        return compiled


def flattened(
    values: Iterable[str | os.PathLike[str] | Iterable[str | os.PathLike[str]]],
) -> list[str | os.PathLike[str]]:
    """Several arguments, lists of them, strings and paths alike, as one list."""
    flat: list[str | os.PathLike[str]] = []
    for value in values:
        if isinstance(value, (str, os.PathLike)):
            flat.append(value)
        elif hasattr(value, "__iter__") and not isinstance(value, bytes):
            flat.extend(value)
        else:
            raise SetupError(f"{value!r} is not a pattern: a string, a path or a list of them is needed")
    return flat


def _checked(given: object) -> str:
    pattern = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(pattern, str) or not pattern:
        raise SetupError(f"{given!r} is not a pattern: a non-empty string or a path is needed")
    return pattern


def _literal(path: str) -> str:
    """``path`` with the characters that mean something in a pattern taken as themselves."""
    return "".join(f"[{char}]" if char in _MAGIC else char for char in path)


def _split(patterns: list[str]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    """Plain patterns as a set (one hash look-up), the others as one regular expression."""
    plain = frozenset(key(pattern) for pattern in patterns if not _MAGIC.intersection(pattern))
    magic = [_translate(key(pattern)) for pattern in patterns if _MAGIC.intersection(pattern)]
    if not magic:
        return plain, None
    import re  # takes as long to import as a quarter of this package

    return plain, re.compile("|".join(magic))


def _translate(pattern: str) -> str:
    """A regular expression for ``pattern``; ``*`` and ``?`` stay within a path component, ``**`` does not."""
    import re

    separator = re.escape(os.sep)
    parts = pattern.split(os.sep)
    out: list[str] = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            out.append(".*" if last else f"(?:[^{separator}]+{separator})*")
        else:
            out.append(_translate_part(part, separator) + ("" if last else separator))
    return "".join(out)


def _translate_part(part: str, separator: str) -> str:
    import fnmatch
    import re

    out: list[str] = []
    index = 0
    while index < len(part):
        char = part[index]
        index += 1
        if char == "*":
            out.append(f"[^{separator}]*")
        elif char == "?":
            out.append(f"[^{separator}]")
        elif char == "[" and (end := _end_of_class(part, index)) != -1:
            # What the standard library makes of it, which knows empty ranges and characters to be escaped.
            translated = fnmatch.translate(part[index - 1 : end + 1])
            out.append(f"(?!{separator}){translated[translated.index(':') + 1 : translated.rindex(')')]}")
            index = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)


def _end_of_class(part: str, start: int) -> int:
    """Where the ``]`` of a class whose content begins at ``start`` stands; a first ``]`` is content. -1: nowhere."""
    first = start + 1 if part[start : start + 1] == "!" else start
    return part.find("]", first + 1)
