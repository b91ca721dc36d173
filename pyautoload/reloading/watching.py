"""Watching: the part of the reloader that keeps the watcher, and what is done while nothing happens."""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyautoload import log
from pyautoload.errors import text_of
from pyautoload.reloading.batch import Batch
from pyautoload.reloading.graph import Graph
from pyautoload.reloading.opened import watch_opened_files
from pyautoload.reloading.records import Records
from pyautoload.reloading.signature import signature
from pyautoload.sources import source_for
from pyautoload.tree.config import inside, outermost

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder
    from pyautoload.reloading.watcher import Watcher

__all__ = ["Watching"]

# What a module needs to be looked at for: so many at a time while nothing happens.
_SLICE = 128
_QUIET_BEFORE_LOOKING = 0.05
# However long modules are being loaded: after so many seconds their sources are read, before they are edited.
_LONGEST_UNREAD = 2.0
# How long other threads have for themselves between two such looks, in seconds.
_BREATH = 0.002
# How long (seconds) a file that has gone is waited for.
_GRACE = 0.1
# The same for one that is empty: somebody is about to write it.
_GRACE_FOR_EMPTY = 0.5


class Watching(ABC):
    """Starts and stops watching for a reloader."""

    binder: Binder
    records: Records
    graph: Graph
    _mutex: threading.Lock
    _watcher: Watcher | None

    # What the running watcher was started with: roots, polling, debounce.
    _watched: tuple[object, ...] = ()
    # Zip files that roots lie in; a change of one may be a change of any module in it. Example: {"/srv/app.zip"}
    _archives: frozenset[str] = frozenset()

    @abstractmethod
    def _apply(self, batch: Batch) -> None:
        """What the watcher calls."""

    @abstractmethod
    def _fill_registry(self) -> None:
        """Tell the registry the dependencies as they are now."""

    # Life

    def start(self, *, watch: bool, polling: bool, debounce: float) -> None:
        """Begin to keep records, and to watch if asked to."""
        binder = self.binder
        self.records.defers = watch
        if binder.records is not self.records:
            binder.records = self.records
            binder.reloading = True
            binder.registry.refresh_dependencies = self._fill_registry
            watch_opened_files(self.records)
            for name in binder.registry.loaded():
                status = binder.registry.loaded_status(name)
                if status is not None and name not in self.records and not source_for(status.path).is_dir(status.path):
                    self.records.adopt(name, status.path, status.mtime_ns)
        wanted = (*binder.tree.config.roots, polling, debounce)
        if watch and self._watcher is not None and self._watched == wanted:
            return
        self._unwatch()
        if watch:
            self._watch(polling, debounce)
            self._watched = wanted

    def stop(self) -> None:
        """Stop watching and keeping records."""
        self._unwatch()
        self.records.defers = False
        self.binder.records = None
        self.binder.reloading = False
        self.binder.registry.refresh_dependencies = None

    def _watch(self, polling: bool, debounce: float) -> None:
        from pyautoload.reloading.watcher import Watcher

        config = self.binder.tree.config
        roots = [path for path in config.roots if os.path.isdir(path)]
        tops = outermost(roots)
        self._watcher = Watcher(
            tops, self._apply, debounce=debounce, polling=polling, wanted=self._is_wanted, idle=self._idle
        )
        self.records.on_fresh = self._watcher.wake
        self._archives = archives_of(config.roots)
        self._watcher.start()
        self._watcher.also(map(os.path.dirname, self._archives))
        if len(self.records):
            self._watcher.look_at_everything()  # something may have changed before it was watched

    def _unwatch(self) -> None:
        watcher, self._watcher = self._watcher, None
        self.records.on_fresh = lambda: None
        if watcher is not None:
            watcher.stop()

    @property
    def watches(self) -> bool:
        """Whether changes are applied in the background."""
        return self._watcher is not None and self._watcher.is_alive

    def _is_wanted(self, path: str) -> bool:
        if path in self.records.readers or path in self.records.by_path or path in self._archives:
            return True
        name = os.path.basename(path)
        if not name.endswith((".py", ".so", ".pyd")) or name.startswith("."):
            return False
        return f"{os.sep}__pycache__{os.sep}" not in path

    def _idle(self) -> float | None:
        """Look at what was loaded, a little at a time, so that the first reload need not.

        Returns:
            In how many seconds there is more to do; ``None`` for nothing.
        """
        records = self.records
        if not (records.fresh or records.untidy or records.roomy):
            self._watch_data()
            return None
        now = time.monotonic()
        left = records.last + _QUIET_BEFORE_LOOKING - now
        if left > 0 and not (records.untidy and now - records.untidy_since > _LONGEST_UNREAD):
            return left
        if self._mutex.acquire(blocking=False):
            try:
                if records.untidy:
                    records.tidy(_SLICE)
                elif left <= 0:
                    self.graph.update(_SLICE)
                    records.shrink(_SLICE)
            except BaseException as error:  # noqa: BLE001 - the next reload meets it again and tells; watching goes on
                name = type(error).__name__
                log.warning(self.binder.tag, "what was loaded could not be looked at: %s: %s", name, text_of(error))
                return None
            finally:
                self._mutex.release()
        return _BREATH

    def _watch_data(self) -> None:
        watcher = self._watcher
        if watcher is None or not self.records.readers:
            return
        roots = list(self.binder.tree.config.roots)
        outside = {os.path.dirname(path) for path in list(self.records.readers)}
        watcher.also(path for path in outside if not any(inside(path, root) for root in roots))

    def _await_return(self, batch: Batch) -> None:
        """Some editors delete or empty a file and write it again: a module is not given up for that moment."""
        start = time.monotonic()
        missing = [path for path in batch.paths if path in self.records.by_path or path in self._archives]
        while missing := [path for path in missing if self._is_void(path, time.monotonic() - start)]:
            time.sleep(0.005)

    def _is_void(self, path: str, waited: float) -> bool:
        """Whether a file is not there, or empty and has not always been, and may still come."""
        stamp = signature(path)
        if stamp is None:
            return waited < _GRACE
        record = self.records.get(self.records.by_path.get(path, ""))
        if stamp.size or record is None or record.stamp is None or not record.stamp.size:
            return False
        return waited < _GRACE_FOR_EMPTY


def archives_of(roots: Iterable[str]) -> frozenset[str]:
    """The zip files that some roots lie in."""
    sources = (getattr(source_for(root), "source", None) for root in roots)
    found = (getattr(source, "archive", None) for source in sources)
    return frozenset(path for path in found if isinstance(path, str))
