"""Parsed sources of loaded modules: so many are kept, the rest is parsed again when needed."""

from __future__ import annotations

from types import CodeType

from pyautoload.reloading.reading import complete
from pyautoload.reloading.records import Records
from pyautoload.reloading.statements import Parsed

__all__ = ["ParsedSources"]

_MANY = 256


class ParsedSources:
    """Parses what is loaded.

    Args:
        records: of the loaded modules.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        # Module → its code and what the source of that parses to.
        self._parsed: dict[str, tuple[CodeType | None, Parsed]] = {}

    def of(self, name: str) -> Parsed | None:
        """The parsed source of a loaded module, ``None`` where it is not known."""
        record = self._records.get(name)
        if record is None:
            return None
        complete(record)
        known = self._parsed.get(name)
        if known is not None and known[0] is record.code:
            return known[1]
        source = record.source
        if source is None:
            return None
        parsed = Parsed(source, record.path)
        self.remember(name, record.code, parsed)
        return parsed

    def remember(self, name: str, code: CodeType | None, parsed: Parsed) -> None:
        """Keep what the source of ``code`` parses to."""
        if len(self._parsed) >= _MANY:
            self._parsed.pop(next(iter(self._parsed)))
        self._parsed[name] = (code, parsed)

    def forget(self, name: str) -> None:
        """A module is not loaded any more."""
        self._parsed.pop(name, None)

    def clear(self) -> None:
        """No module is."""
        self._parsed.clear()
