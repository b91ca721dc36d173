"""Which files of a loader are shipped, and what is in them: all that is managed, data files too, and nothing else."""

from __future__ import annotations

import pickle
import time
from collections.abc import Container, Iterator
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

from pyautoload import log
from pyautoload.cluster.bundle import Bundle, mark_of
from pyautoload.errors import ShipmentError
from pyautoload.sources import source_for
from pyautoload.tree.managed_paths import Config, hidden
from pyautoload.tree.scanner import closes_a_loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ManagedFiles"]

# Made for one kind of machine, or without source.
_NOT_SHIPPED = (*EXTENSION_SUFFIXES, *BYTECODE_SUFFIXES)
# A file that was changed so shortly before (ns) may change again without its time showing it.
_FRESH_NS = 3_000_000_000
# So much (bytes) is nothing that anybody writes by hand.
_MUCH = 64 * 1024 * 1024

Stamp = tuple[int, int]


class ManagedFiles:
    """Makes bundles of a loader's files; those that have not changed since are not read again.

    Args:
        config: of the loader.
        inflector: of the loader.
        tag: of the loader.

    Raises:
        ShipmentError: the loader cannot be described to another process.
    """

    def __init__(self, config: Config, inflector: Any, tag: str) -> None:
        self._config = config
        self.tag = tag
        try:
            self._layout = pickle.dumps((config, inflector, tag))
        except Exception as error:
            raise ShipmentError(
                f"the loader {tag} cannot be sent to a worker ({type(error).__name__}: {error})",
                "give it an inflector, and namespaces, that can be pickled",
            ) from error
        # Path → its times and size when it was read, where it cannot have changed since.
        self._stamps: dict[str, Stamp] = {}

    def bundle(
        self,
        former: Bundle | None = None,
        live: Callable[[str, bytes | None], bytes | None] = lambda path, content: content,
        held: Container[str] = (),
    ) -> Bundle:
        """The files as they are now.

        Args:
            former: what was made before.
            live: as in ``Change``.
            held: files that are as they were in ``former``.
        """
        old = former.files if former is not None else {}
        files: dict[str, bytes] = {}
        marks: dict[str, bytes] = {}
        for path in self._paths():
            content = self._read(path, old, live, held)
            if content is None:
                continue
            files[path] = content
            known = former is not None and content is old.get(path)
            marks[path] = former.marks[path] if known and former is not None else mark_of(content)
        for path in old.keys() - files.keys():  # gone, or about to come back
            kept = old[path] if path in held else live(path, None)
            if kept is not None:
                files[path], marks[path] = kept, mark_of(kept)
        if former is None and sum(map(len, files.values())) > _MUCH:
            log.warning(self.tag, "more than 64 MB are shipped: leave out what is no code with loader.ignore()")
        if former is not None and marks == former.marks:
            return former
        return Bundle.of(self._layout, files, marks)

    def _read(
        self,
        path: str,
        old: dict[str, bytes],
        live: Callable[[str, bytes | None], bytes | None],
        held: Container[str],
    ) -> bytes | None:
        if path in held:
            return old.get(path)
        place = source_for(path)
        try:
            stamp = place.stat(path)
            if path in old and self._stamps.get(path) == stamp:
                return old[path]
            content = place.read(path)
        except OSError:
            return live(path, None)
        known = live(path, content)
        self._stamps.pop(path, None)
        if known == content and abs(time.time_ns() - stamp[0]) > _FRESH_NS:
            self._stamps[path] = stamp
        return old[path] if old.get(path) == known else known

    def is_wanted(self, path: str) -> bool:
        """Whether a file is shipped."""
        return not path.endswith(_NOT_SHIPPED) and self._config.excluded_by(path) is None

    def _paths(self) -> Iterator[str]:
        seen: set[str] = set()
        for root in self._config.roots.values():
            if not self._config.ignored.matches(root.path):
                yield from self._below(root.path, seen)

    def _below(self, directory: str, seen: set[str]) -> Iterator[str]:
        if directory in seen:
            return
        seen.add(directory)
        ignored = self._config.ignored
        try:
            entries = list(source_for(directory).list(directory))
        except OSError:
            return
        for entry in sorted(entries, key=lambda item: item.name):
            path = entry.path
            if hidden(entry.name) or (ignored and ignored.matches(path)):
                continue
            if not entry.is_dir():
                if entry.is_file() and not entry.name.endswith(_NOT_SHIPPED):
                    yield path
            elif not (self._config.is_left_out(path) or (entry.is_symlink() and closes_a_loop(path))):
                yield from self._below(path, seen)
