"""ManagedTree: names ↔ files by the rules, each namespace listed when it is first used."""

from __future__ import annotations

import os
import sys
from _thread import RLock

from pyautoload import log
from pyautoload.light_stdlib import WeakSet
from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.tree.inflector import normalized
from pyautoload.tree.managed_paths import Config, parts_below
from pyautoload.tree.paths import same
from pyautoload.tree.registry import ModuleRegistry, Namespace
from pyautoload.tree.scanner import FileScanner, two_definitions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType
    from typing import Protocol

    class Bundle(Protocol):
        """What a tree asks of a bundle, and the import machinery of the tree: ``bundles/reader.py`` is it."""

        bulk: bool

        @property
        def trusted(self) -> bool: ...
        def namespace(self, name: str) -> Namespace | None: ...
        def lacks(self, name: str, directories: Sequence[str]) -> bool: ...
        def code(self, name: str, path: str, *, checked: bool = False) -> tuple[CodeType, int] | None: ...
        def release(self) -> None: ...
        def close(self) -> None: ...


__all__ = ["ManagedTree"]


class ManagedTree:
    """Fills a registry from the roots of a configuration, namespace by namespace.

    Args:
        config: roots and patterns.
        registry: the map to fill; a new one by default.
        tag: what log records are marked with.
        existing_modules_win: whether a top-level file is shadowed by a module that this process has already.
    """

    def __init__(
        self,
        config: Config,
        registry: ModuleRegistry | None = None,
        tag: str = "",
        *,
        existing_modules_win: bool = True,
    ) -> None:
        self.config = config
        self.existing_modules_win = existing_modules_win
        # Where to look before directories are listed.
        self.bundle: Bundle | None = None
        self.registry = registry or ModuleRegistry()
        self.scanner = FileScanner(config)
        self.tag = tag
        # Whether no new files are expected: said with `eager_load(freeze=True)`.
        self.frozen = False
        # Called with a namespace's name after it was listed anew because its directory had changed.
        self.on_relisted: list[Callable[[str], None]] = []
        # While reloading is enabled, called with a name that was looked for: `myapp.fast` was not found, `+myapp.fast`
        # was, `myapp:Fast` is what no file is expected to define.
        self.on_missed: Callable[[str], None] | None = None
        # The same with each directory whose modules somebody was told of.
        self.on_listed: Callable[[str], None] | None = None
        # Namespace → names below it that are namespaces because a root's namespace leads through them.
        # Example, for a root in "active_job.adapters": {"": {"active_job"}, "active_job": {"adapters"}}
        self._leads: dict[str, set[str]] = {}
        # Namespace → its root directories.
        self._root_dirs: dict[str, list[str]] = {}
        # Directories in which, or below which, a managed Python file was found: a chain of a thousand directories is
        # walked once to see that there is something at its end, not from each of them anew.
        self._with_python: set[str] = set()
        # Thread 1 and thread 2 use a namespace for the first time: one of them lists it, the other takes the result,
        # so that a directory is listed once. Held over directory reads only, never over an import or a callback.
        self._lock = RLock()
        _trees.add(self)

    def use_roots(self) -> None:
        """Take the roots from the configuration; what was listed before is forgotten."""
        with self._lock:
            known = [space.name for space in self.registry.namespaces()]
            self.registry.invalidate()
            self._with_python.clear()
            self._leads, self._root_dirs = {"": set()}, {}
            for root in self.config.roots.values():
                if self.config.ignored.matches(root.path) or not root.conventions:
                    continue
                self._root_dirs.setdefault(root.namespace, []).append(root.path)
                parts = root.namespace.split(".") if root.namespace else []
                for index, part in enumerate(parts):
                    self._leads.setdefault(".".join(parts[:index]), set()).add(part)
        for name in known:
            for listener in self.on_relisted:
                listener(name)

    # Namespaces

    def tops(self) -> set[str]:
        """The top-level names that are managed: first parts of namespaces, and the stems of top-level roots."""
        names = set(self._leads.get("", ()))
        if "" in self._root_dirs:
            space = self.namespace("")
            assert space is not None
            names.update(space.modules, space.subdirs)
        return names

    def claims(self, name: str) -> bool:
        """Whether ``name`` is a namespace of this tree."""
        top = name.partition(".")[0]
        if top not in self._leads.get("", ()) and "" not in self._root_dirs:
            return False
        return self.namespace(name) is not None

    def is_root(self, name: str) -> bool:
        """Whether a root was given for the namespace ``name``, or one below it."""
        return name in self._root_dirs or name in self._leads

    def root_namespaces(self) -> list[str]:
        """The namespaces that the roots stand for, and those that lead to them, parents first."""
        return sorted({*self._root_dirs, *self._leads} - {""})

    def namespace(self, name: str) -> Namespace | None:
        """What the namespace ``name`` holds; ``None`` when there is no such namespace."""
        space = self.registry.namespace(name)
        if space is not None:
            return space
        above = name.rpartition(".")[0]
        if above and self.registry.namespace(above) is None and not self._list_above(name):
            return None
        return self._list(name)

    def _list_above(self, name: str) -> bool:
        """List what lies above a namespace, from the top, not by recursion: a name may have a thousand parts."""
        parts = name.split(".")[:-1]
        for depth in range(1, len(parts) + 1):
            parent = ".".join(parts[:depth])
            if self.registry.namespace(parent) is None and self._list(parent) is None:
                return self.is_root(name)
        return True

    def child(self, parent: Namespace, stem: str) -> Namespace | None:
        """The namespace ``stem`` in ``parent``, ``None`` when that is none: unknown, empty, or a plain module."""
        full = f"{parent.name}.{stem}" if parent.name else stem
        known = self.registry.namespace(full)
        if known is not None:
            return known
        if stem not in parent.subdirs and stem not in self._leads.get(parent.name, ()):
            return None
        found = self._list(full)
        if found is None:
            parent.empty.add(stem)
        return found

    def has(self, name: str) -> bool:
        """Whether there is a file or a namespace of this name."""
        parent_name, _, stem = name.rpartition(".")
        parent = self.namespace(parent_name)
        return parent is not None and (stem in parent.modules or self.child(parent, stem) is not None)

    def miss(self, name: str) -> None:
        """A module was looked for and not found."""
        if self.on_missed is not None and not self.has(name):
            self.on_missed(name)

    def told_of(self, space: Namespace) -> None:
        """Somebody is told which modules a namespace has."""
        if self.on_listed is not None:
            for directory in space.stamps:
                self.on_listed(directory)

    def leads(self, name: str) -> set[str]:
        """The names directly below ``name`` that lead to a root."""
        return self._leads.get(name, set())

    def refresh(self, name: str) -> bool:
        """List a namespace once more if one of its directories has changed.

        Returns:
            Whether it was listed.
        """
        space = self.registry.namespace(name)
        if space is None or (self.bundle is not None and self.bundle.trusted):
            return False
        if not space.stamps or all(stamp == _stamp(path) for path, stamp in space.stamps.items()):
            return False
        return self.relist(name)

    def may_grow(self, space: Namespace) -> bool:
        """Whether files may come into a listed namespace: not if that was ruled out, or this process cannot write."""
        if self.frozen or (self.bundle is not None and self.bundle.trusted):
            return False
        return any(source_for(path) is not FILE_SYSTEM or os.access(path, os.W_OK) for path in space.stamps)

    def relist(self, name: str) -> bool:
        """List a namespace anew; what lies below it stays as it is known. ``False`` when it has gone."""
        with self._lock:
            self._with_python.clear()
            fresh = self._scan(name)
            if fresh is None:
                self.registry.invalidate(name)
                return False
            self.registry.add_namespace(fresh)
        log.debug(self.tag, "listed %s anew: its directory has changed", name or "the top level")
        if log.listening():
            self._log_listing(name, fresh)
        for listener in self.on_relisted:
            listener(name)
        return True

    def _list(self, name: str) -> Namespace | None:
        with self._lock:
            known = self.registry.namespace(name)
            if known is not None:
                return known
            space = self._scan(name)
            if space is not None:
                self.registry.add_namespace(space)
        if log.listening():
            self._log_listing(name, space)
        return space

    def _scan(self, name: str) -> Namespace | None:
        is_root = self.is_root(name)
        if self.bundle is not None:
            space = self.bundle.namespace(name)
            if space is not None or (not is_root and self.bundle.lacks(name, self._found_in_parent(name))):
                return self._shadow_existing(space)
        directories = self._directories(name)
        if not directories and name not in self._leads:
            return None
        space = self.scanner.namespace(name, directories)
        if not is_root and not space.modules and space.file is None:
            below = [path for paths in space.subdirs.values() for path in paths]
            if not any(map(self._has_python, below)):
                return None
        self._adopt_sibling(space)
        return self._shadow_existing(space)

    def _has_python(self, directory: str) -> bool:
        if directory in self._with_python:
            return True
        found = self.scanner.first_with_python(directory)
        if found is None:
            return False
        self._with_python.update((directory, *parts_below(found, directory)))
        return True

    def _directories(self, name: str) -> list[str]:
        """The directories of a namespace, in root order: its own roots, and those found in its parent."""
        own = self._root_dirs.get(name, [])
        found = self._found_in_parent(name)
        directories = [path for path in [*own, *found] if source_for(path).is_dir(path)]
        if own and found:
            order = list(self.config.roots)
            directories.sort(key=lambda path: order.index(self._root_path(path)))
        return directories

    def _found_in_parent(self, name: str) -> tuple[str, ...]:
        parent_name, _, stem = name.rpartition(".")
        parent = self.namespace(parent_name) if name else None
        return parent.subdirs.get(stem, ()) if parent is not None else ()

    def _root_path(self, path: str) -> str:
        root = self.config.root_of(path)
        assert root is not None
        return root.path

    def _adopt_sibling(self, space: Namespace) -> None:
        """`hotel.py` beside `hotel/` is the code of the namespace `hotel`."""
        if not space.name:
            return
        parent_name, _, stem = space.name.rpartition(".")
        parent = self.registry.namespace(parent_name)
        file = parent.modules.get(stem) if parent else None
        if file is None or not file.endswith(".py"):
            return
        if space.file is not None:
            raise two_definitions(space.name, file, space.file)  # the directory of the other one is a root
        space.file = file

    def _shadow_existing(self, space: Namespace | None) -> Namespace | None:
        """What lies in a top-level root does not take the name of a module that exists: `json.py` stays shadowed."""
        if space is None or space.name or not self.existing_modules_win:
            return space
        for stem, path in list(space.modules.items()):
            existing = sys.modules.get(stem)
            own = existing is not None and same(getattr(existing, "__file__", None) or "", path)
            if (stem in sys.stdlib_module_names if existing is None else not own) and stem != "__main__":
                space.shadowed[path] = f"the module {stem!r} that exists already"
                del space.modules[stem]
        for stem, paths in list(space.subdirs.items()):
            existing = sys.modules.get(stem)
            taken = existing is not None and not hasattr(existing, "__path__")
            if stem in sys.stdlib_module_names or (
                taken and getattr(existing, "__file__", None) != space.modules.get(stem, "")
            ):
                space.shadowed[paths[0]] = f"the module {stem!r} that exists already"
                del space.subdirs[stem]
        return space

    def _log_listing(self, name: str, space: Namespace | None) -> None:
        if space is None:
            for directory in self._directories(name):
                log.debug(self.tag, "skipped %s: there is no managed Python file in it", directory)
            return
        if not space.stamps:
            return  # no directory: the top level without a root, or a mere part of a root's name
        log.debug(
            self.tag,
            "scanned %s: %d modules, %d directories",
            name or "the top level",
            len(space.modules),
            len(space.subdirs),
        )
        for directory in space.stamps:
            try:
                entries = sorted(source_for(directory).list(directory), key=lambda entry: entry.name)
            except OSError:
                continue  # it has gone since
            for entry in entries:
                if self.config.ignored.matches(entry.path):
                    log.debug(self.tag, "skipped %s: it is ignored", entry.path)
        for path, taken in space.shadowed.items():
            log.debug(self.tag, "%s is shadowed by %s", path, taken)
        for reason in space.excluded.values():
            log.debug(self.tag, "skipped: %s", reason)
        if space.file and not space.file.endswith(("__init__.py", "__init__.pyc")):
            log.debug(self.tag, "promoted %s to an explicit namespace: %s stands beside it", space.name, space.file)

    # Names of paths

    def namespace_of(self, directory: str) -> str | None:
        """The namespace that a managed directory stands for, or contributes to if it is collapsed."""
        root = self.config.root_of(directory)
        if root is None or not root.conventions or self.config.excluded_by(directory) is not None:
            return None
        parts = [root.namespace] if root.namespace else []
        for path in parts_below(directory, root.path):
            if not self.config.collapsed.matches(path):
                parts.append(normalized(os.path.basename(path)))
        return ".".join(parts)

    def walk(self, name: str) -> Iterator[Namespace]:
        """The namespace ``name`` and all below it, parents first, in sorted order; each is listed for that."""
        first = self.namespace(name)
        pending = [first] if first is not None else []
        while pending:  # not by recursion: a tree may be a thousand directories deep
            space = pending.pop()
            yield space
            stems = sorted({*space.subdirs, *self.leads(space.name)}, reverse=True)
            pending += [child for stem in stems if (child := self.child(space, stem)) is not None]

    def walk_all(self) -> Iterator[Namespace]:
        """Every namespace, in sorted order."""
        if "" in self._root_dirs:
            yield from self.walk("")
            return
        for top in sorted(self.leads("")):
            yield from self.walk(top)

    def reset_lock(self) -> None:
        """Take a fresh lock: a fork copies a held one and loses the thread that would release it."""
        self._lock = RLock()


# Every tree of this process, for the locks after a fork.
_trees: WeakSet[ManagedTree] = WeakSet()


def _after_fork() -> None:
    for tree in list(_trees):
        tree.reset_lock()
        tree.registry.reset_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _stamp(path: str) -> int:
    try:
        return source_for(path).stat(path)[0]
    except OSError:
        return 0
