"""Watching: the part of the reloader that keeps the watcher, and what is done while nothing happens."""

from __future__ import annotations

import os
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyautoload import log
from pyautoload.printable import text_of
from pyautoload.reloading.dependencies.dependency_graph import Graph
from pyautoload.reloading.follower import Follower
from pyautoload.reloading.planning.batch import Batch
from pyautoload.reloading.records.audit_hook import watch_opened_files
from pyautoload.reloading.records.records import Records
from pyautoload.reloading.records.signature import signature
from pyautoload.reloading.watching.change_check import ChangeCheck
from pyautoload.reloading.watching.status import Seen, Status
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.tree.managed_paths import outermost
from pyautoload.tree.paths import inside

if TYPE_CHECKING:
    from pyautoload.importing.binder import Binder
    from pyautoload.reloading.watching.lost_events import Survey
    from pyautoload.reloading.watching.watcher import Watcher

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
# Where the end of writing is not told, a file is complete that was not written to for so long (ns). Many files are
# looked at one after the other for longer than that.
_SETTLED_NS = 20_000_000
_FEW = 64


class Watching(ABC):
    """Starts and stops watching for a reloader."""

    binder: Binder
    records: Records
    graph: Graph
    _mutex: threading.Lock
    _watcher: Watcher | None
    _change_check: ChangeCheck

    # Other processes that are to run what this one runs.
    follower: Follower | None = None
    _survey: Survey | None = None
    # How many files were read, and directories listed, at import when their directories began to be watched.
    _readers = 0
    # Roots that were found not to be there, and told of.
    _absent: set[str] = set()
    # What the running watcher was started with: roots, polling, debounce, background.
    _watched: tuple[object, ...] = ()
    # Whether changes are noted and wait for `reload_if_changed`.
    _holds = False
    # Zip files that roots lie in; a change of one may be a change of any module in it. Example: {"/srv/app.zip"}
    _archives: frozenset[str] = frozenset()

    @abstractmethod
    def _apply(self, batch: Batch) -> None:
        """What the watcher calls."""

    @abstractmethod
    def _fill_registry(self) -> None:
        """Tell the registry the dependencies as they are now."""

    # Life

    def start(self, *, watch: bool, polling: bool, debounce: float, background: bool = True) -> None:
        """Begin to keep records, and to watch if asked to, where that is possible."""
        binder = self.binder
        if watch and not _may_watch():
            watch = False
            warnings.warn(_NO_THREADS, RuntimeWarning, stacklevel=4)
        self.records.defers = watch
        if binder.records is not self.records:
            binder.records = self.records
            binder.reloading = True
            binder.tree.on_missed, binder.tree.on_listed = self.records.missed, self.records.listed
            binder.registry.refresh_dependencies = self._fill_registry
            watch_opened_files(self.records)
        for name in binder.registry.loaded():
            status = binder.registry.loaded_status(name)
            if status is not None and name not in self.records and not source_for(status.path).is_dir(status.path):
                self.records.adopt(name, status.path, status.mtime_ns, at_once=name == "__main__")
        wanted = (*binder.tree.config.roots, polling, debounce, background)
        if watch and self._watcher is not None and self._watched == wanted:
            return
        self._unwatch()
        if watch:
            self._watch(polling, debounce, background)
            self._watched = wanted

    def stop(self) -> None:
        """Stop watching and keeping records."""
        self._unwatch()
        self.records.defers = False
        self.binder.records = None
        self.binder.reloading = False
        self.binder.tree.on_missed = self.binder.tree.on_listed = None
        self.binder.registry.refresh_dependencies = None

    def _watch(self, polling: bool, debounce: float, background: bool) -> None:
        from pyautoload.reloading.watching.lost_events import Survey
        from pyautoload.reloading.watching.watcher import Watcher

        config = self.binder.tree.config
        tops = outermost(path for path in config.roots if source_for(path) is FILE_SYSTEM)
        watcher = self._watcher = Watcher(
            tops,
            self._apply,
            debounce=debounce,
            polling=polling,
            wanted=self._is_wanted,
            idle=self._idle,
            is_left_out=self._is_left_out,
            applies=background,
        )
        self._holds = not background
        self._survey, self._readers = Survey(self._change_check, watcher), 0
        self.records.on_fresh = watcher.wake
        self._archives = archives_of(config.roots)
        watcher.start()
        watcher.also(map(os.path.dirname, self._archives))
        if len(self.records):
            watcher.look_at_everything()  # something may have changed before it was watched

    def _unwatch(self) -> None:
        watcher, self._watcher, self._survey = self._watcher, None, None
        self.records.on_fresh = lambda: None
        if watcher is not None:
            watcher.stop()

    @property
    def watches(self) -> bool:
        """Whether changes are applied in the background."""
        return self._watcher is not None and self._watcher.is_alive

    def status(self) -> Status:
        """What is watched, and how."""
        watcher, survey = self._watcher, self._survey
        seen = watcher.seen() if watcher is not None else Seen(None, 0, {}, [], {})
        links = {**seen.links, **(survey.links if survey is not None else {})}
        failing = sorted(self._change_check.failures.paths)
        return Status(self.watches, len(self.records), failing, **{**seen._asdict(), "links": links})

    def _is_left_out(self, directory: str) -> bool:
        """Whether nothing that is loaded lies in a directory below a root; what is read there is watched for itself."""
        return self.binder.tree.config.is_left_out(directory)

    def _is_wanted(self, path: str) -> bool:
        if path in self.records.readers or path in self.records.by_path or path in self._archives:
            return True
        if self.follower is not None and self.follower.is_wanted(path):
            return True
        name = os.path.basename(path)
        if os.path.dirname(path) in self.records.lookups.listers and name[0] != "." and name[-1] != "~":
            return True
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
            return self._survey.step() if self._survey is not None else None
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
        readers, listers = self.records.readers, self.records.lookups.listers
        if watcher is None or len(readers) + len(listers) == self._readers:
            return
        self._readers = len(readers) + len(listers)
        watcher.also({*map(os.path.dirname, list(readers)), *listers})

    # Before a batch is applied

    def _complete(self, batch: Batch | None) -> Batch | None:
        """What of a batch may be applied, once its files are complete.

        Args:
            batch: ``None`` to look at everything.

        Returns:
            The same, but for what lies in roots that are not there.
        """
        absent = self._absent_roots()
        if batch is None:
            self.records.own.echo(False)
        else:
            batch = self._without_own(batch)
        if absent:
            return self._outside(batch, absent)
        if batch is not None:
            self._await_return(batch)
            # It may have been the root that was about to go.
            absent = self._absent_roots()
        return batch if not absent else self._outside(batch, absent)

    def _without_own(self, batch: Batch) -> Batch:
        """A batch without what the program itself has made or changed; directories are listed anew all the same."""
        records = self.records
        own = {
            path
            for path in batch.paths
            if records.own.is_own(path, is_used=path in records.by_path or path in records.readers)
        }
        records.own.echo(not batch.everything and records.own.is_echo_of(batch.paths - own))
        return batch._replace(paths=batch.paths - own, created=batch.created - own) if own else batch

    def _absent_roots(self) -> list[str]:
        """Roots that are not there: between two checkouts, or not mounted. Until they are, their modules stay."""
        roots = [path for path in self.binder.tree.config.roots if source_for(path) is FILE_SYSTEM]
        absent = [path for path in roots if not os.path.isdir(path)]
        for path in set(absent) - self._absent:
            log.warning(self.binder.tag, "the root %s is not there: what was loaded from it stays until it is", path)
        self._absent = set(absent)
        return absent

    def _outside(self, batch: Batch | None, absent: Iterable[str]) -> Batch:
        """A batch without what lies in some roots."""
        records, spaces = self.records, self.binder.registry.namespaces()
        if batch is None or batch.everything:
            paths = {*(batch.paths if batch is not None else ()), *records.by_path, *records.readers}
            directories = {directory for space in spaces for directory in space.stamps}
            batch = Batch(paths, directories, batch.created if batch is not None else set(), everything=False)

        def outside(some: Iterable[str]) -> set[str]:
            # What stands for all below a directory above the root stands for the root, too.
            return {path for path in some if not any(inside(path, root) or inside(root, path) for root in absent)}

        return Batch(outside(batch.paths), outside(batch.directories), outside(batch.created), everything=False)

    def _await_return(self, batch: Batch) -> None:
        """Some editors delete or empty a file and write it again: a module is not given up for that moment."""
        start = time.monotonic()
        missing = [path for path in batch.paths if path in self.records.by_path or path in self._archives]
        while missing := [path for path in missing if self._is_void(path, time.monotonic() - start)]:
            time.sleep(0.005)
        if self._watcher is None or self._watcher.tells_closing or len(batch.paths) > _FEW:
            return
        while any(map(_is_being_written, batch.paths)) and time.monotonic() - start < _GRACE_FOR_EMPTY:
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


# Said once for each loader.
_NO_THREADS = (
    "this subinterpreter may not have threads in the background: changes are not watched here, reload() and "
    "reload_if_changed() look for them"
)


def _may_watch() -> bool:
    """Whether threads may run to the end of the interpreter, which most subinterpreters do not allow."""
    try:
        threading.Thread(daemon=True)
    except RuntimeError:
        return False
    return True


def _is_being_written(path: str) -> bool:
    """Whether a file was written to just now, where nobody tells that it is complete."""
    stamp = signature(path)
    return stamp is not None and 0 <= time.time_ns() - stamp.mtime_ns < _SETTLED_NS


def archives_of(roots: Iterable[str]) -> frozenset[str]:
    """The zip files that some roots lie in."""
    sources = (getattr(source_for(root), "source", None) for root in roots)
    found = (getattr(source, "archive", None) for source in sources)
    return frozenset(path for path in found if isinstance(path, str))
