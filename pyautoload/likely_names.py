"""Which of the names that a file defines was meant to be its expected one, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["OTHER", "RULE", "TYPO", "likely_name"]

# The stem stands for the name (db for Database), one of the two is misspelt, or they have nothing in common.
RULE, TYPO, OTHER = "rule", "typo", "other"


def likely_name(stem: str, expected: str, defined: Sequence[str]) -> tuple[str, str] | None:
    """The name that was likely meant, with ``RULE``, ``TYPO`` or ``OTHER``; ``None`` where no class is defined.

    Args:
        stem: ``"db"``.
        expected: ``"Db"``.
        defined: the public names that the file defines.
    """
    same = next((name for name in defined if _folded(name) == _folded(expected) and not name.islower()), None)
    if same is not None:
        return same, RULE
    classes = [name for name in defined if name[:1].isupper() and not name.isupper()]
    if not classes:
        return None
    import difflib

    close = difflib.get_close_matches(expected, classes, n=1, cutoff=0.8)
    if close:
        return close[0], TYPO
    alike = [name for name in classes if _abbreviates(stem, name)]
    if len(alike) == 1:
        return alike[0], RULE
    return classes[0], OTHER


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _abbreviates(stem: str, name: str) -> bool:
    """Whether a stem is short for a name: the same first letter, and the others in their order."""
    short, letters = _folded(stem), iter(name.lower())
    return name[:1].lower() == short[:1] and all(letter in letters for letter in short)
