"""The loaders whose modules a notebook uses: those that the program has set up, else one over the project."""

from __future__ import annotations

from typing import Any, NamedTuple

from pyautoload import known_loaders
from pyautoload.autoloader import AutoLoader
from pyautoload.errors import ReloadError
from pyautoload.notebook.module_definitions import Definitions, definitions_of
from pyautoload.programs.live_edits import live, place_of
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.signature import Signature
from pyautoload.reloading.records.source_reading import complete
from pyautoload.reloading.result import ReloadResult

__all__ = ["Project"]

_NO_DEFINITIONS = Definitions()


class _Known(NamedTuple):
    """What a module defined, and of which state of its file that was said."""

    record: Record
    stamp: Signature | None
    definitions: Definitions


class Project:
    """What may be reloaded, and how."""

    def __init__(self) -> None:
        self.loaders: list[AutoLoader] = []
        # How the loaders reloaded before; not at all where nothing stands there.
        self._former: list[tuple[AutoLoader, dict[str, Any]]] = []
        self._known: dict[str, _Known] = {}

    # Loaders

    def begin(self) -> None:
        """Take the loaders of the program, and one over what lies below the working directory or is editable.

        Raises:
            SetupError: that is too much, or what ``[tool.pyautoload]`` says is wrong.
        """
        try:
            live(background=False)
        finally:
            self.look_for_loaders()

    def look_for_loaders(self) -> bool:
        """Let those that were set up, or are new, wait for the next cell with their changes; says whether any is."""
        loaders = known_loaders.all_loaders(set_up=True)
        if loaders == self.loaders:
            return False
        for loader in loaders:
            if loader not in self.loaders:
                options = loader.reloader.options if loader.reloader is not None else {}
                self._former.append((loader, options))
                loader.enable_reloading(**{**options, "watch": True, "background": False})
        self.loaders = loaders
        return True

    def end(self) -> None:
        """Let the loaders reload as they did before."""
        former, self._former, self.loaders = self._former, [], []
        for loader, options in former:
            if options.get("background", False):
                loader.enable_reloading(**options)
            else:
                loader.disable_reloading()

    def add(self, name: str) -> str:
        """Manage one more directory.

        Args:
            name: of it, or of a package or module that can be imported.

        Returns:
            The directory.

        Raises:
            SetupError: there is no such thing.
        """
        live(name, background=False)
        self.look_for_loaders()
        return place_of(name)

    # Changes

    def may_have_changed(self) -> bool:
        """Whether any loader knows of a change."""
        return any(loader.reloader is not None and loader.reloader.may_have_changed() for loader in self.loaders)

    def bring_in(self) -> list[ReloadResult]:
        """Apply what has changed; what failed stands in the results."""
        results = []
        for loader in self.loaders:
            if loader.reloader is None:
                continue
            try:
                result = loader.reload_if_changed()
            except ReloadError as error:
                result = error.result or ReloadResult(errors=[error])
            if result is not None:
                results.append(result)
        return results

    # Modules

    def record(self, name: str) -> Record | None:
        """What is kept of a module that may be reloaded."""
        for loader in self.loaders:
            if loader.reloader is not None and (record := loader.reloader.records.get(name)) is not None:
                return record
        return None

    def is_managed(self, name: str) -> bool:
        """Whether a module may be reloaded, or holds names of such modules."""
        return self.record(name) is not None or any(name in loader.registry for loader in self.loaders)

    def definitions(self, name: str) -> Definitions:
        """What a module defines as it is loaded now; nothing where its source is not known."""
        record = self.record(name)
        if record is None or not record.is_source:
            return _NO_DEFINITIONS
        complete(record)
        known = self._known.get(name)
        if known is None or known.record is not record or known.stamp != record.stamp:
            found = definitions_of(record.source or b"", record.package)
            known = self._known[name] = _Known(record, record.stamp, found)
        return known.definitions

    def read_sources(self) -> None:
        """Get the sources of what was loaded just now, before anybody edits it."""
        for loader in self.loaders:
            if loader.reloader is not None and (records := loader.reloader.records).untidy:
                records.tidy(len(records.untidy))
