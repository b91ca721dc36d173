"""Eager loading: every managed module, in sorted order, parents first."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pyautoload import log
from pyautoload.errors import ConflictError, EagerLoadError, ExpectedNameError, LoadError, NameInflectionError
from pyautoload.frames.hidden_frames import imported, is_initializing
from pyautoload.importing.binder import Binder
from pyautoload.importing.direct_import import DirectImport
from pyautoload.importing.namespace_access import access_of, defined_names
from pyautoload.tree.inflector import checked_name, checked_stem
from pyautoload.tree.managed_paths import Config, split_module_file
from pyautoload.tree.registry import Namespace

__all__ = ["EagerLoad", "Planned", "Progress", "plan"]

Progress = Callable[[int, int, str], object]


class Planned(NamedTuple):
    """A module to be loaded: its name, its file (an implicit namespace's directory), and what it holds if it is one."""

    name: str
    path: str
    space: Namespace | None


def plan(binder: Binder, start: str | None = None, *, force: bool = False) -> list[Planned]:
    """What there is to load, in order.

    Args:
        binder: of the loader.
        start: a namespace to begin at; everything without one.
        force: also what ``do_not_eager_load`` excludes.
    """
    tree = binder.tree
    for known in tree.registry.namespaces():
        tree.refresh(known.name)  # what has come since it was listed is to be loaded too
    space = tree.namespace(start or "")
    found: list[Planned] = []
    if space is None or (start and not force and _is_excluded(tree.config, space)):
        return found
    tree.told_of(space)
    # Parents first, each followed by what lies below it; not by recursion: a tree may be a thousand directories deep.
    pending = [iter([space]) if start else _children(binder, space, force)]
    while pending:
        item = next(pending[-1], None)
        if item is None:
            pending.pop()
        elif isinstance(item, Planned):
            found.append(item)
        else:
            tree.told_of(item)
            path = item.file or next(iter(item.directories), "")
            if force or item.file is None or not tree.config.is_not_eager(path):
                found.append(Planned(item.name, path, item))
            pending.append(_children(binder, item, force))
    return found


def _children(binder: Binder, space: Namespace, force: bool) -> Iterator[Planned | Namespace]:
    """What lies directly in a namespace, in sorted order: modules, and the namespaces that are to be gone into."""
    tree, config = binder.tree, binder.tree.config
    filtered = bool(config.not_eager) and not force
    prefix = f"{space.name}." if space.name else ""
    packages = {*space.subdirs, *tree.leads(space.name)}
    for stem in sorted({*space.modules, *packages}):
        if stem in packages:
            try:
                child = tree.child(space, stem)
            except ConflictError:
                # Raised again by the attempt to load it, and reported then, with all else that fails.
                yield Planned(prefix + stem, space.subdirs.get(stem, ("",))[0], None)
                continue
            if child is not None:
                if not (filtered and _is_excluded(config, child)):
                    yield child
                continue
        path = space.modules.get(stem)
        if path is None or stem == "__main__" or (filtered and config.is_not_eager(path)):
            continue
        yield Planned(prefix + stem, path, None)


def _is_excluded(config: Config, space: Namespace) -> bool:
    return bool(config.not_eager and space.directories) and all(map(config.is_not_eager, space.path))


class EagerLoad:
    """One eager load: goes on after a failure and reports all of them at the end.

    Args:
        binder: of the loader.
        strict: a file that does not define its expected name is a failure too.
        progress: called with ``(done, total, name)`` after each module.
        direct: how a module is imported when the import system's search for it can be left out.
    """

    def __init__(
        self,
        binder: Binder,
        *,
        strict: bool = False,
        progress: Progress | None = None,
        direct: DirectImport | None = None,
    ) -> None:
        self.binder = binder
        self.strict = strict
        self.progress = progress
        self.direct = direct
        # Module name → what went wrong.
        self.failures: dict[str, Exception] = {}
        # Module name → the file and line where it did.
        self.places: dict[str, tuple[str, int | None]] = {}
        # Packages that failed: what lies below them cannot be imported and would only repeat the failure.
        self._failed_packages: list[str] = []

    def run(self, planned: Sequence[Planned]) -> list[str]:
        """Load what was planned.

        Returns:
            The names of the modules that were not loaded before, in the order of loading.

        Raises:
            EagerLoadError: with every failure; what could be loaded is loaded all the same.
        """
        registry = self.binder.registry
        before = set(registry.loaded())
        log.debug(self.binder.tag, "eager load of %d modules starts", len(planned))
        with _reading_all(self.binder.tree.bundle):
            for done, item in enumerate(planned, 1):
                if not self._failed_packages or not item.name.startswith(tuple(self._failed_packages)):
                    self._load(item)
                if self.progress is not None:
                    self.progress(done, len(planned), item.name)
            # From Python 3.15 on there are also those of the interpreter: `lazy import`, `-X lazy_imports`.
            if self.binder.tree.config.lazy is not None or sys.version_info >= (3, 15):
                self._resolve_lazy_imports()
        for item in planned:
            access = access_of(sys.modules.get(item.name), self.binder.tree) if item.space is not None else None
            if access is not None:
                access.settle()
        log.debug(self.binder.tag, "eager load ends: %d failures", len(self.failures))
        loaded = [name for name in registry.loaded() if name not in before]
        if self.failures:
            error = EagerLoadError(self.failures, self.places)
            error.loaded = loaded
            raise error
        return loaded

    def _resolve_lazy_imports(self) -> None:
        from pyautoload.lazy.imports.resolve_all import resolve_all

        for name, error in resolve_all(self.binder.registry.loaded).items():
            self.failures.setdefault(name, error)

    def _load(self, item: Planned) -> None:
        try:
            name, path, space = item
            stem = name.rpartition(".")[2]
            if self.strict or not stem.isidentifier():
                self._check_name(stem, item)
            module = sys.modules.get(name)
            if module is None and self.direct is not None and self.direct.load(name, path, space):
                pass
            elif module is None or is_initializing(module):
                imported(name)  # what another thread is loading is waited for
            if self.strict:
                self._check_expected(stem, item)
        except KeyboardInterrupt:
            raise  # somebody wants all of it to end
        except BaseException as error:  # noqa: BLE001 - every failure is kept and reported at the end
            self._note_failure(item, error)

    def _note_failure(self, item: Planned, error: BaseException) -> None:
        self.places[item.name] = place_of(error, self.binder.tree.config) or (_file_of(item), None)
        if not isinstance(error, Exception):
            # Neither `sys.exit()` in a file nor an exception of its own kind keeps others from being loaded.
            wrapped = LoadError(item.name, item.path, error)
            wrapped.__cause__ = error
            error = wrapped
        self.failures[item.name] = _unusable_stem(item) or error
        if item.space is not None and item.name not in sys.modules:
            self._failed_packages.append(item.name + ".")

    def _check_name(self, stem: str, item: Planned) -> None:
        if item.space is not None and item.space.file is None:
            checked_stem(stem, item.path)
        else:
            checked_name(self.binder.naming.inflector, stem, item.path)

    def _check_expected(self, stem: str, item: Planned) -> None:
        names = self.binder.naming.expected_names(stem, item.path)
        if not names or not item.path.endswith(".py") or os.path.basename(item.path) == "__init__.py":
            return
        module = sys.modules[item.name]
        if self.binder.naming.defined_name(module, stem, item.path) is None:
            parent = item.name.rpartition(".")[0]
            full = f"{parent}.{names[0]}" if parent else names[0]
            raise ExpectedNameError(full, item.path, defined_names(module), stem)


def _file_of(item: Planned) -> str:
    return item.path if item.space is None or item.space.file is None else item.space.file


def place_of(error: BaseException, config: Config) -> tuple[str, int | None] | None:
    """The innermost managed file, and the line there, that an exception has passed; of a syntax error its own."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    place: tuple[str, int | None] | None = None
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if config.root_of(file) is not None:
            place = file, trace.tb_lineno
        trace = trace.tb_next
    return place


def _unusable_stem(item: Planned) -> NameInflectionError | None:
    """The better reason where a file such as ``a.b.py`` failed: it cannot be imported by any name."""
    split = split_module_file(os.path.basename(item.path)) if item.space is None else None
    if split is None or "." not in split[0]:
        return None
    return NameInflectionError(item.path, split[0], "is not a valid Python name")


# From so many frozen objects on it was somebody's decision, not to be undone; 3.12 freezes 375 of its own at its start.
_FROZEN_BY_USER = 1_000


@contextmanager
def _reading_all(bundle: Any) -> Iterator[None]:
    """While everything is being loaded: a bundle is read ahead, and keeps nothing afterwards."""
    if bundle is None:
        yield
        return
    bundle.bulk = True
    try:
        yield
    finally:
        bundle.release()


@contextmanager
def collection_paused(*, freeze: bool = False) -> Iterator[None]:
    """Pause the garbage collector: a load makes many objects that stay, and each full collection looks at them all.

    Args:
        freeze: afterwards move everything out of the collector's reach (``gc.freeze``), so that a fork shares it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not hasattr(gc, "get_freeze_count"):
            pass  # PyPy moves objects, and has nothing to put them out of reach of
        elif freeze:
            gc.collect()
            gc.freeze()
        elif gc.get_freeze_count() < _FROZEN_BY_USER:
            # Takes what was loaded for old without looking at it. Else the next object made would start a collection of
            # all of it as if it were young: a sixth of the time of the load itself.
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()
