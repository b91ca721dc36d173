"""Loaders for files that do not lie in the file system: in an archive, or in a source of the user's own."""

from __future__ import annotations

import os
from importlib.machinery import SourcelessFileLoader
from types import CodeType
from typing import Any

from pyautoload.importing.loader import PyAutoloadLoader, is_rewritten
from pyautoload.sources import source_for

__all__ = ["MountedBytecodeLoader", "MountedLoader"]


class MountedLoader(PyAutoloadLoader):
    """Loads source from a mounted source. There is no bytecode cache; a bundle serves as one.

    ``get_source`` reads from there too, which is where tracebacks and ``inspect.getsource`` take the lines from.
    """

    def get_data(self, path: str) -> bytes:
        """The content of a file of the source that the module came from."""
        return source_for(path).read(path)

    def path_stats(self, path: str) -> dict[str, Any]:
        """Modification time in seconds and size in bytes."""
        modified, size = source_for(path).stat(path)
        return {"mtime": modified / 1e9, "size": size}

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code, compiled from its source, or from a bundle."""
        code = self._bundled(fullname)
        if code is not None and not is_rewritten(code):
            return code
        self._mtime_ns = source_for(self.path).stat(self.path)[0]
        return self.source_to_code(self.get_data(self.path), self.path)

    def get_resource_reader(self, name: str | None = None) -> Any:
        """What ``importlib.resources`` reads with: below the directory, also where the file stands beside it."""
        from pyautoload.sources.resources import Resources

        return Resources(self._directory_beside() or os.path.dirname(self.path))


class MountedBytecodeLoader(SourcelessFileLoader):
    """Loads bytecode without source from a mounted source."""

    def get_data(self, path: str) -> bytes:
        """The content of a file of the source that the module came from."""
        return source_for(path).read(path)
