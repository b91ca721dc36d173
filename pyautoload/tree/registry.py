"""ModuleRegistry: the thread-safe map of module names, the files behind them, and what is known of each."""

from __future__ import annotations

import os
from _thread import RLock

from pyautoload.light_stdlib import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Entry", "Loaded", "ModuleRegistry", "Namespace"]


class Entry(NamedTuple):
    """What the registry knows of one module name.

    Attributes:
        name: the module name, ``'myapp.models.user'``.
        path: its file; for an implicit namespace its first directory.
        directories: for a namespace the directories that contribute to it, else empty.
    """

    name: str
    path: str
    directories: tuple[str, ...] = ()

    @property
    def is_namespace(self) -> bool:
        """Whether other modules can lie below this one."""
        return bool(self.directories)


class Loaded(NamedTuple):
    """What is noted of a module when it has been loaded.

    Attributes:
        path: the file that it was loaded from; the directory of an implicit namespace.
        mtime_ns: the file's modification time then, in ns; 0 where it has none.
    """

    path: str
    mtime_ns: int


class Namespace:
    """What one namespace holds, listed once. The attributes are filled by the scanner and read by everybody else."""

    __slots__ = (
        "__weakref__",
        "directories",
        "empty",
        "excluded",
        "file",
        "modules",
        "name",
        "organised",
        "shadowed",
        "stamps",
        "subdirs",
    )

    def __init__(self, name: str, directories: tuple[str, ...] = ()) -> None:
        self.name = name
        # The directories that contribute, in the order of precedence.
        self.directories = directories
        # Its own code: `hotel/__init__.py`, or `hotel.py` beside `hotel/`; None for an implicit namespace.
        self.file: str | None = None
        # Stem → file. Example: {"user": "/app/myapp/models/user.py"}
        self.modules: dict[str, str] = {}
        # Name → directories. Each may be a namespace; whether it is one is looked up when it is first used.
        self.subdirs: dict[str, tuple[str, ...]] = {}
        # Those of them that held no Python file when somebody looked; what is not here may be a namespace.
        self.empty: set[str] = set()
        # Collapsed directories below `directories`, which contribute modules too.
        self.organised: list[str] = []
        # Name → why the stock finder must not serve it. Example: {"concerns": "... is collapsed ..."}
        self.excluded: dict[str, str] = {}
        # File → the file that took its name first.
        self.shadowed: dict[str, str] = {}
        # Every listed directory → its mtime in ns at that time, -1 where that says nothing.
        self.stamps: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Namespace {self.name!r}: {len(self.modules)} modules, {len(self.subdirs)} directories>"

    @property
    def path(self) -> list[str]:
        """What becomes the package's ``__path__``: the directories, collapsed ones last."""
        return [*self.directories, *self.organised]


class ModuleRegistry:
    """A map of module names, safe to use from several threads.

    It holds whole namespaces, so that 100,000 modules cost two strings each; an ``Entry`` is made when asked for.
    """

    def __init__(self) -> None:
        # Thread 1 lists a namespace and stores it while thread 2 iterates over all names: mutation and iteration take
        # the lock, a look-up by key does not need it. Never held while anything is imported.
        self._lock = RLock()
        # Namespace name → what it holds.
        self._namespaces: dict[str, Namespace] = {}
        # Module name → its file and that file's mtime in ns then, in the order of loading.
        self._loaded: dict[str, tuple[str, int]] = {}
        # Module name → modules that it imports, and the reverse.
        self._dependencies: dict[str, set[str]] = {}
        self._dependents: dict[str, set[str]] = {}
        # What brings these up to date before they are asked for; set while reloading is enabled.
        self.refresh_dependencies: Callable[[], None] | None = None

    # Names and files

    def register(self, name: str, path: str | os.PathLike[str], *, directories: Iterable[str] = ()) -> Entry:
        """Add a module.

        Args:
            name: its dotted name.
            path: its file.
            directories: for a namespace, the directories that contribute to it.

        Returns:
            The entry; the one that was there before where the name was taken.
        """
        parent, _, stem = name.rpartition(".")
        with self._lock:
            space = self._namespaces.setdefault(parent, Namespace(parent))
            dirs = tuple(directories)
            if dirs:
                space.subdirs.setdefault(stem, dirs)
                child = self._namespaces.setdefault(name, Namespace(name, dirs))
                child.file = child.file or os.fspath(path)
            else:
                space.modules.setdefault(stem, os.fspath(path))
            entry = self.get(name)
        assert entry is not None
        return entry

    def unregister(self, name: str) -> None:
        """Remove a module, and for a namespace all that lies below it. A name that is not there is not an error."""
        parent, _, stem = name.rpartition(".")
        with self._lock:
            space = self._namespaces.get(parent)
            if space is not None:
                space.modules.pop(stem, None)
                space.subdirs.pop(stem, None)
            self.invalidate(name)

    def add_namespace(self, space: Namespace) -> None:
        """Store what a namespace holds, in place of what was known of it."""
        with self._lock:
            self._namespaces[space.name] = space

    def namespace(self, name: str) -> Namespace | None:
        """What is known of a namespace; ``None`` when it has not been listed."""
        return self._namespaces.get(name)

    def namespaces(self) -> list[Namespace]:
        """All namespaces listed so far, sorted by name."""
        with self._lock:
            return [self._namespaces[name] for name in sorted(self._namespaces)]

    def get(self, name: str) -> Entry | None:
        """The entry of a module name, ``None`` when there is none."""
        space = self._namespaces.get(name)
        if space is not None and space.file is not None:
            return Entry(name, space.file, tuple(space.path))
        parent, _, stem = name.rpartition(".")
        above = self._namespaces.get(parent)
        if above is not None and (file := above.modules.get(stem)) is not None:
            return Entry(name, file, tuple(space.path) if space else ())
        if space is not None and space.directories:
            return Entry(name, space.directories[0], tuple(space.path))
        if above is not None and (dirs := above.subdirs.get(stem)):
            return Entry(name, dirs[0], dirs)
        return None

    def contains(self, name: str) -> bool:
        """Whether the name is known."""
        return self.get(name) is not None

    __contains__ = contains

    def get_path(self, name: str) -> str | None:
        """The file behind a module name (a directory for an implicit namespace), ``None`` for an unknown name."""
        entry = self.get(name)
        return entry.path if entry else None

    def entries(self, namespace: str = "") -> list[Entry]:
        """What lies directly in a namespace, sorted by name.

        Args:
            namespace: its dotted name; ``""`` for top-level modules.
        """
        space = self._namespaces.get(namespace)
        if space is None:
            return []
        prefix = f"{namespace}." if namespace else ""
        with self._lock:
            stems = sorted({*space.modules, *space.subdirs})
        found = (self.get(prefix + stem) for stem in stems)
        return [entry for entry in found if entry is not None]

    def __len__(self) -> int:
        with self._lock:
            return sum(len({*space.modules, *space.subdirs}) for space in self._namespaces.values())

    def invalidate(self, name: str | None = None) -> None:
        """Forget what was listed of a namespace and of all below it; of everything without a name."""
        with self._lock:
            if name is None:
                self._namespaces.clear()
                return
            below = name + "."
            for known in [known for known in self._namespaces if known == name or known.startswith(below)]:
                del self._namespaces[known]

    # Status

    def mark_loaded(self, name: str, path: str = "", mtime_ns: int | None = None) -> None:
        """Note that a module is loaded.

        Args:
            name: the module.
            path: the file that it came from; looked up where it is not given.
            mtime_ns: the file's modification time in ns; read from the file where it is not given.
        """
        path = path or self.get_path(name) or ""
        if mtime_ns is None:
            try:
                mtime_ns = os.stat(path).st_mtime_ns
            except OSError:
                mtime_ns = 0
        self._loaded[name] = (path, mtime_ns)

    def mark_unloaded(self, name: str) -> None:
        """Note that a module is not loaded any more; one that was not is not an error."""
        self._loaded.pop(name, None)

    def is_loaded(self, name: str) -> bool:
        """Whether a module has been noted as loaded."""
        return name in self._loaded

    def noted(self, name: str) -> object:
        """What was noted when a module was last loaded: another object each time, ``None`` while it is not."""
        return self._loaded.get(name)

    def loaded(self) -> list[str]:
        """The names of the loaded modules, in the order in which they were loaded."""
        with self._lock:
            return list(self._loaded)

    def loaded_status(self, name: str) -> Loaded | None:
        """The note of a loaded module: its file and that file's modification time then."""
        noted = self._loaded.get(name)
        return Loaded(*noted) if noted is not None else None

    def reset_lock(self) -> None:
        """Take a fresh lock: a fork copies a held one and loses the thread that would release it."""
        self._lock = RLock()

    # Dependencies

    def add_dependency(self, name: str, dependency: str) -> None:
        """Note that the module ``name`` imports ``dependency``."""
        with self._lock:
            self._dependencies.setdefault(name, set()).add(dependency)
            self._dependents.setdefault(dependency, set()).add(name)

    def clear_dependencies(self, name: str) -> None:
        """Forget what the module ``name`` imports."""
        with self._lock:
            for dependency in self._dependencies.pop(name, ()):
                self._dependents[dependency].discard(name)

    def get_dependencies(self, name: str, *, transitive: bool = False) -> list[str]:
        """The modules that ``name`` imports, sorted."""
        self._refresh()
        return self._reachable(self._dependencies, name, transitive)

    def get_dependents(self, name: str, *, transitive: bool = False) -> list[str]:
        """The modules that import ``name``, sorted."""
        self._refresh()
        return self._reachable(self._dependents, name, transitive)

    def _refresh(self) -> None:
        if self.refresh_dependencies is not None:
            self.refresh_dependencies()

    def _reachable(self, edges: dict[str, set[str]], name: str, transitive: bool) -> list[str]:
        with self._lock:
            found = set(edges.get(name, ()))
            pending = list(found) if transitive else []
            while pending:
                fresh = edges.get(pending.pop(), set()) - found
                found |= fresh
                pending += fresh
        return sorted(found - {name})
