"""Patterns that name paths, for files that exist and for those that appear later."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from pyautoload.errors import SetupError

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
        self._roots: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def add(self, patterns: Iterable[str | os.PathLike[str]]) -> None:
        """Add patterns, each a string or a path."""
        for given in patterns:
            pattern = os.fspath(given)
            if not isinstance(pattern, str) or not pattern:
                raise SetupError(f"{given!r} is no pattern: a non-empty string or a path is needed")
            self.patterns.append(pattern)
            self._sort_in(pattern)
        self._compiled = None

    def use_roots(self, roots: Sequence[str]) -> None:
        """Say which roots relative patterns are tried against."""
        if tuple(roots) != self._roots:
            self._roots = tuple(roots)
            self._compiled = None

    def matches(self, path: str) -> bool:
        """Whether ``path`` itself (not a directory above it) matches; ``path`` is absolute and normalised."""
        if not self.patterns:
            return False
        names, name_pattern, paths, path_pattern = self._compiled or self._compile()
        path = os.path.normcase(path)
        if path in paths or (path_pattern is not None and path_pattern.fullmatch(path) is not None):
            return True
        if path in self._roots:
            return False
        name = os.path.basename(path)
        return name in names or (name_pattern is not None and name_pattern.fullmatch(name) is not None)

    def pattern_matches(self, pattern: str, path: str) -> bool:
        """Whether the one ``pattern`` of this set matches ``path``; for messages and checks."""
        alone = GlobSet()
        alone.add([pattern])
        alone._roots = self._roots
        return alone.matches(path)

    def _sort_in(self, pattern: str) -> None:
        if os.path.isabs(pattern):
            self._absolute.append(os.path.normpath(pattern))
            return
        relative = os.path.normpath(pattern)
        self._absolute.append(os.path.normpath(os.path.join(_literal(os.getcwd()), relative)))
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
        elif isinstance(value, Iterable):
            flat.extend(value)
        else:
            raise SetupError(f"{value!r} is no pattern: a string, a path or a list of them is needed")
    return flat


def _literal(path: str) -> str:
    """``path`` with the characters that mean something in a pattern taken as themselves."""
    return "".join(f"[{char}]" if char in _MAGIC else char for char in path)


def _split(patterns: list[str]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    """Plain patterns as a set (one hash look-up), the others as one regular expression."""
    plain = frozenset(os.path.normcase(pattern) for pattern in patterns if not _MAGIC.intersection(pattern))
    magic = [_translate(os.path.normcase(pattern)) for pattern in patterns if _MAGIC.intersection(pattern)]
    return plain, re.compile("|".join(magic)) if magic else None


def _translate(pattern: str) -> str:
    """A regular expression for ``pattern``; ``*`` and ``?`` stay within a path component, ``**`` does not."""
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
    out: list[str] = []
    index = 0
    while index < len(part):
        char = part[index]
        index += 1
        if char == "*":
            out.append(f"[^{separator}]*")
        elif char == "?":
            out.append(f"[^{separator}]")
        elif char == "[" and (end := part.find("]", index + 1)) != -1:
            body = part[index:end].replace("\\", "\\\\")
            out.append(f"[{'^' + body[1:] if body[0] in '!^' else body}]")
            index = end + 1
        else:
            out.append(re.escape(char))
    return "".join(out)
