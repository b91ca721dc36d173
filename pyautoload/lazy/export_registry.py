"""What a package's lazy exports have loaded, and what they have not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from pyautoload.lazy.exports import HOME, Exports, is_unresolved

__all__ = ["Registry", "registry"]


class Registry(Mapping[str, Any]):
    """A read-only view of the exports of a package: name → the object if it is loaded, else the statement as text.

    It follows the package, and asking it loads nothing.
    """

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    def __getitem__(self, name: str) -> Any:
        entry = self._exports.entries[name]
        value = self._exports.namespace.get(name, self)
        # A submodule that was bound over an export is not what the export stands for.
        waits = name in self._exports.pending and entry.attribute is not None
        if value is self or is_unresolved(value) or (waits and self._exports.is_own_submodule(name, value)):
            return entry.statement
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._exports.entries)

    def __len__(self) -> int:
        return len(self._exports.entries)

    def is_loaded(self, name: str) -> bool:
        """Whether ``name`` is loaded; tells an exported string from a statement.

        Raises:
            KeyError: the package does not export ``name``.
        """
        return self[name] is not self._exports.entries[name].statement

    @property
    def loaded(self) -> Mapping[str, Any]:
        """Name → object, of what is loaded now."""
        return MappingProxyType({name: self[name] for name in self if self.is_loaded(name)})

    @property
    def pending(self) -> Mapping[str, str]:
        """Name → statement, of what is not loaded yet."""
        return MappingProxyType({name: self[name] for name in self if not self.is_loaded(name)})

    def __repr__(self) -> str:
        return f"<exports of {self._exports.package}: {len(self.loaded)} of {len(self)} loaded>"


def registry(package: str | ModuleType) -> Registry:
    """What the lazy exports of ``package`` have loaded, as a read-only mapping.

    Args:
        package: the package, or the name of a package that is imported already.

    Raises:
        LookupError: no such package is imported, or it has no lazy exports.
    """
    module = sys.modules.get(package) if isinstance(package, str) else package
    if module is None:
        raise LookupError(f"no package {package!r} is imported: import it first")
    exports = vars(module).get(HOME)
    if isinstance(exports, Exports):
        return Registry(exports)
    raise LookupError(f"{module.__name__} has no lazy exports: it does not call lazy.exports()")
