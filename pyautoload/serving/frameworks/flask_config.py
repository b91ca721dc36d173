"""Where Flask and Quart have their configuration from: they copy it, so a change asks for another application.

``app.config.from_object("settings.Local")`` copies what the module or the class has at that time. It is given by name,
as a module, as a class or as an object of it; a file is read by ``from_pyfile``, ``from_envvar`` and ``from_file``.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyautoload.reloading.result import ReloadResult

__all__ = ["ConfigSources"]


class ConfigSources:
    """The modules and files that configurations were copied from, from now on."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.files: set[str] = set()

    def install(self) -> None:
        """Note where configurations come from, if Flask is installed."""
        try:
            config: Any = import_module("flask.config").Config
        except ImportError:
            return
        self._wrap(config, "from_object", self._note_object)
        self._wrap(config, "from_pyfile", self._note_file)
        self._wrap(config, "from_file", self._note_file)

    @staticmethod
    def _wrap(config: Any, name: str, note: Any) -> None:
        method = getattr(config, name)

        def noting(self: Any, source: Any, *args: Any, **options: Any) -> Any:
            note(self, source)
            return method(self, source, *args, **options)

        noting.__name__, noting.__qualname__, noting.__doc__ = name, method.__qualname__, method.__doc__
        setattr(config, name, noting)

    def _note_object(self, config: Any, source: Any) -> None:
        if isinstance(source, str):
            self._note_name(source)
        elif isinstance(source, ModuleType):
            self.modules.add(source.__name__)
        else:
            kind = source if isinstance(source, type) else type(source)
            self.modules.update(base.__module__ for base in kind.__mro__ if base is not object)

    def _note_name(self, name: str) -> None:
        """``"settings"``, ``"settings.Local"`` or ``"settings:Local"``, as werkzeug reads it."""
        try:
            found = import_module("werkzeug.utils").import_string(name)
        except ImportError:
            return  # Flask says so itself
        self._note_object(None, found)
        self.modules.update(part for part in _parents(name.replace(":", ".")) if part in sys.modules)

    def _note_file(self, config: Any, name: Any) -> None:
        self.files.add(os.path.abspath(os.path.join(config.root_path, os.fspath(name))))

    def why_old(self, result: ReloadResult) -> str | None:
        """Why a configuration is another one after a reload, ``None`` where it is not."""
        touched = {*result.changed, *result.patched, *result.reexecuted, *result.removed}
        touched.update(name.rpartition(".")[0] for name in result.rebound)
        changed = sorted(touched & self.modules)
        return f"the configuration is copied from {changed[0]}, which has changed" if changed else None


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
