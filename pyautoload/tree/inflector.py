"""Stems to names: which name the file ``html_parser.py`` is expected to define."""

from __future__ import annotations

import keyword

from pyautoload.errors import NameInflectionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol
else:
    Protocol = object

__all__ = [
    "Inflector",
    "InflectorProtocol",
    "PackageInflector",
    "checked_name",
    "checked_stem",
    "folded",
    "is_name",
    "normalized",
]


class InflectorProtocol(Protocol):
    """What ``AutoLoader(inflector=...)`` takes: any object with this method."""

    def camelize(self, stem: str, path: str) -> str:
        """The name that the file or directory ``path``, whose stem is ``stem``, is expected to define."""


class Inflector:
    """``user`` → ``User``, ``html_parser`` → ``HtmlParser``, and what ``inflect`` was told."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        # Whole stems that have a name of their own. Example: {"html_parser": "HTMLParser"}
        self.overrides: dict[str, str] = dict(overrides or {})

    def inflect(self, overrides: Mapping[str, str]) -> None:
        """Add rules: whole stem → name. Later rules for the same stem replace earlier ones."""
        self.overrides.update(overrides)

    def camelize(self, stem: str, path: str) -> str:
        """The expected name for ``stem``; leading and trailing underscores stay.

        Args:
            stem: a file's name without its suffix, or a directory's name.
            path: the file or directory, for inflectors that decide by place.
        """
        override = self.overrides.get(stem)
        if override is not None:
            return override
        if "_" not in stem:
            return stem[:1].upper() + stem[1:]
        if "__" not in stem and stem[0] != "_" != stem[-1]:
            # What `camelize` does, at a fifth of the cost: each loaded module passes here.
            return "".join([word[0].upper() + word[1:] for word in stem.split("_")])
        core = stem.strip("_")
        if not core:
            return stem
        import inflection  # with `re`, a quarter of what it takes to import this package

        start = stem.index(core)
        words = "_".join(word for word in core.split("_") if word)
        return stem[:start] + inflection.camelize(words) + stem[start + len(core) :]

    def candidates(self, name: str) -> tuple[str, ...]:
        """The stems that most likely inflect to ``name``, by rule and by guess; the caller checks them."""
        import re

        import inflection

        core = name.lstrip("_")
        guess = name[: len(name) - len(core)] + inflection.underscore(core)
        by_rule = [stem for stem, given in self.overrides.items() if given == name]
        # `Plugin042` may stand for `plugin042` and for `plugin_042`.
        return (guess, *by_rule, re.sub(r"(?<=[^\W\d_])(?=\d)", "_", guess))


class PackageInflector(Inflector):
    """The inflector of ``AutoLoader.for_package()``: the package's ``version.py`` defines ``VERSION``."""

    def __init__(self, version_file: str, overrides: Mapping[str, str] | None = None) -> None:
        super().__init__(overrides)
        self.version_file = version_file

    def camelize(self, stem: str, path: str) -> str:
        """As ``Inflector.camelize``, but ``VERSION`` for the package's own ``version.py``."""
        if stem == "version" and path == self.version_file and stem not in self.overrides:
            return "VERSION"
        return super().camelize(stem, path)

    def alternatives(self, stem: str, path: str) -> tuple[str, ...]:
        """Names that the file may define in place of the expected one: ``__version__`` for ``VERSION``."""
        return ("__version__",) if stem == "version" and path == self.version_file else ()


_PLAIN = Inflector()


def normalized(stem: str) -> str:
    """``stem`` as Python spells identifiers (NFKC), so that a file name typed on any system is found."""
    if stem.isascii():
        return stem
    import unicodedata

    return unicodedata.normalize("NFKC", stem)


def folded(name: str) -> str:
    """``name`` with case and underscores set aside: ``HTMLParser`` and ``html_parser`` meet here."""
    return name.replace("_", "").casefold()


def is_name(name: str) -> bool:
    """Whether ``name`` can be bound by an assignment: an identifier that is not a keyword."""
    return name.isidentifier() and not keyword.iskeyword(name)


def checked_stem(stem: str, path: str) -> None:
    """Raise ``NameInflectionError`` where ``stem`` cannot be part of a module name in an import statement."""
    if not stem.isidentifier():
        raise NameInflectionError(path, stem, "is not a valid Python name")
    if keyword.iskeyword(stem):
        raise NameInflectionError(path, stem, "is a keyword of Python")


def checked_name(inflector: InflectorProtocol, stem: str, path: str) -> str:
    """The expected name of ``path``.

    Raises:
        TypeError: a custom inflector returned something else than a string.
        NameInflectionError: the stem or the name is not a valid Python name, or a keyword.
    """
    name = inflector.camelize(stem, path)
    if not isinstance(name, str):
        raise TypeError(f"{inflector!r}.camelize({stem!r}, {path!r}) returned {name!r}, a string is needed")
    name = normalized(name)
    if not is_name(stem) and name == _PLAIN.camelize(stem, path):
        # Nobody gave the stem a name of its own: then it must be one that an import statement can spell.
        checked_stem(stem, path)
    if not name.isidentifier():
        raise NameInflectionError(path, name, "is not a valid Python name")
    if keyword.iskeyword(name):
        raise NameInflectionError(path, name, "is a keyword of Python")
    return name
