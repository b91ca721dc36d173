"""Whether anything has changed since it was loaded, or since it failed, asked of the files where nobody watches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyautoload.reloading.planning.failures import Failures
from pyautoload.reloading.planning.planning import Planner
from pyautoload.reloading.records.signature import Signature, signature
from pyautoload.sources import FILE_SYSTEM, is_anything_mounted, source_for

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder

__all__ = ["ChangeCheck"]


class ChangeCheck:
    """Compares files with what is loaded.

    Args:
        binder: of the loader.
        planner: is told of directories that have changed.
        failures: of the last reload.
    """

    def __init__(self, binder: Binder, planner: Planner, failures: Failures) -> None:
        self.binder = binder
        self.records = planner.records
        self.planner = planner
        self.failures = failures

    def is_mounted_changed(self) -> bool:
        """Whether what lies in mounted sources has changed: those send no events."""
        if not is_anything_mounted():
            return False
        if not any(source_for(root) is not FILE_SYSTEM for root in self.binder.tree.config.roots):
            return False
        mounted = (record for record in self.records.all() if source_for(record.path) is not FILE_SYSTEM)
        if any(signature(record.path) != record.stamp for record in mounted):
            return True
        spaces = self.binder.registry.namespaces()
        changed = [self._listing_changed(space.name) for space in spaces if _is_mounted(space.directories)]
        return any(changed)

    def is_as_it_failed(self) -> bool:
        """Whether the files are those of the last failed attempt."""
        if not self.failures or len(self.failures.unchanged()) < len(self.failures.paths):
            return False
        return not self._others_changed()

    def is_anything_changed(self) -> bool:
        """Whether any file differs from what is loaded or was read, or any directory has other files."""
        if self.failures or self.is_mounted_changed():
            return True
        paths = [*self.records.by_path, *self.records.readers]
        if not all(self.is_up_to_date(path, signature(path)) for path in paths):
            return True
        changed = [space.name for space in self.binder.registry.namespaces() if self._listing_changed(space.name)]
        return bool(changed)

    def _others_changed(self) -> bool:
        """Whether any file besides those that failed differs from what is loaded."""
        for record in self.records.all():
            if record.path not in self.failures.paths and signature(record.path) != record.stamp:
                return True
        changed = [space.name for space in self.binder.registry.namespaces() if self._listing_changed(space.name)]
        return bool(changed)

    # One file, one directory

    def is_up_to_date(self, path: str, now: Signature | None) -> bool:
        """Whether a file is what was loaded of it, or what is known not to be.

        Args:
            path: of a loaded file, or of one that was read at import.
            now: its signature.
        """
        record = self.records.get(self.records.by_path.get(path, ""))
        if record is not None and not _is_same(record.stamp, now) and not self._is_known(record.name, path, now):
            return False
        for name in list(self.records.readers.get(path, ())):
            reader = self.records.get(name)
            if reader is None or reader.files is None or reader.files.get(path) == now:
                continue
            if not self._is_known(name, path, now):
                return False
        return True

    def _is_known(self, name: str, path: str, now: Signature | None) -> bool:
        """Whether this state of a file failed, or a restart was asked for because of it."""
        if self.records.own.is_own(path, is_used=True):
            return True
        unknown = Signature(-1, -1, -1, -1)
        return now in (self.failures.paths.get(path, unknown), self.planner.refused.get(name, unknown))

    def is_listing_fixed(self) -> bool:
        """Whether directories are not looked at, as a bundle says what they hold."""
        bundle = self.binder.tree.bundle
        return bundle is not None and bundle.trusted

    def news_in(self, name: str, directory: str) -> set[str] | None:
        """The modules and directories that have come into a listed directory; ``None`` where none has come or gone.

        Args:
            name: of the namespace.
            directory: one of its directories.
        """
        space = self.binder.registry.namespace(name)
        if space is None:
            return None
        files = [*space.modules.values(), *space.shadowed, *([space.file] if space.file else [])]
        below = [path for paths in space.subdirs.values() for path in paths]
        known = {path for path in (*files, *below) if os.path.dirname(path) == directory}
        listing = self.binder.tree.scanner.scan(directory)
        now = {*listing.files.values(), *listing.dirs.values()}
        return None if now == known else now - known

    def _listing_changed(self, name: str) -> bool:
        """Whether files have come or gone; a directory that changed just now is listed anew to be sure."""
        registry = self.binder.registry
        before = registry.namespace(name)
        if not self.binder.tree.refresh(name):
            return False
        self.planner.unsettled()
        after = registry.namespace(name)
        if before is None or after is None:
            return before is not after
        return (before.modules, before.subdirs, before.file) != (after.modules, after.subdirs, after.file)


def _is_same(stamp: Signature | None, now: Signature | None) -> bool:
    """Whether a file is what it was; of what was loaded before reloading was enabled only the time is known."""
    if stamp is not None and stamp.size == -1:
        return now is not None and now.mtime_ns == stamp.mtime_ns
    return stamp == now


def _is_mounted(directories: Iterable[str]) -> bool:
    return any(source_for(directory) is not FILE_SYSTEM for directory in directories)
