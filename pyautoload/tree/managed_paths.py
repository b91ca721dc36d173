"""Roots, patterns and exclusions: which paths a loader manages."""

from __future__ import annotations

import _frozen_importlib_external as _bootstrap_external
import os
import sys

from pyautoload.errors import ConflictError, SetupError
from pyautoload.light_stdlib import ModuleType, NamedTuple
from pyautoload.sources import Source, mount, mount_archive, source_for, unmount
from pyautoload.tree.globs import GlobSet
from pyautoload.tree.inflector import is_name, normalized
from pyautoload.tree.paths import inside, respelled, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyautoload.tree.lazy_policy import LazyPolicy

__all__ = ["Config", "Root", "hidden", "outermost", "split_module_file"]

# Suffix of a module file, the stock finder's order of preference within one directory: extension, source, bytecode.
MODULE_SUFFIXES: tuple[str, ...] = (
    *_bootstrap_external.EXTENSION_SUFFIXES,
    *_bootstrap_external.SOURCE_SUFFIXES,
    *_bootstrap_external.BYTECODE_SUFFIXES,
)


# Directories below a plain root that hold what is installed, and nothing of the program.
_LIBRARIES = frozenset({"site-packages", "dist-packages", "node_modules"})
# Python's library, and this package.
_OWN_PLACES = (os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Root(NamedTuple):
    """A directory that was given to a loader.

    Attributes:
        path: absolute, as it was entered (symbolic links are not resolved).
        namespace: the dotted name that the directory stands for; ``""`` for top-level modules.
        explicit: whether the namespace was named by the user, not derived from the directory's name.
        conventions: whether names follow from files; else the root is plain: what is imported from it, and under which
            name, is Python's business, and its namespace says nothing.
    """

    path: str
    namespace: str
    explicit: bool
    conventions: bool = True


class Config:
    """What a loader was told before ``setup()``: its roots and the patterns that except paths from the rules."""

    def __init__(self) -> None:
        # Root path → root, in the order of precedence.
        self.roots: dict[str, Root] = {}
        self.ignored = GlobSet()
        self.collapsed = GlobSet()
        self.not_eager = GlobSet()
        self.not_reloaded = GlobSet()
        # Which files import lazily, and what they import eagerly all the same; None where no file does.
        self.lazy: LazyPolicy | None = None
        # Directory below a plain root → whether it holds what others wrote: an environment, Python's library.
        self._of_others: dict[str, bool] = {}

    def add_root(
        self,
        path: str | os.PathLike[str],
        namespace: str | ModuleType | None,
        source: Source | None = None,
        *,
        conventions: bool = True,
    ) -> Root:
        """Add a root; given again, its namespace is replaced.

        Args:
            path: the directory, resolved against the working directory now.
            namespace: a dotted name, a module, ``""`` for top-level modules; ``None`` for the directory's name.
            source: what holds the files below ``path``, if that is not the file system or an archive.
            conventions: whether names follow from files.

        Raises:
            SetupError: not a directory; not a module or name; a module that is not in ``sys.modules`` under its name;
                a plain root that is given a namespace, or does not lie in the file system.
        """
        if not conventions:
            return self._add_plain_root(os.path.abspath(os.fspath(path)), namespace, source)
        name = None if namespace is None else checked_namespace(namespace)
        absolute = os.path.abspath(os.fspath(path))
        absolute = next((root for root in self.roots if same(root, absolute)), absolute)
        if source is not None:
            mount(absolute, source)
        if not os.path.isdir(absolute):
            mount_archive(absolute)
        if not source_for(absolute).is_dir(absolute):
            unmount(absolute)
            problem = "is not a directory" if os.path.exists(absolute) else "does not exist"
            raise SetupError(f"the root directory {absolute} {problem}: create it, or correct the path")
        if name is None:
            name = checked_namespace(normalized(os.path.basename(absolute)), absolute)
        root = Root(absolute, name, namespace is not None)
        self.use_roots({**self.roots, absolute: root})
        return root

    def _add_plain_root(self, path: str, namespace: object, source: object) -> Root:
        if namespace is not None:
            raise SetupError(
                f"the root {path} has no namespace, as conventions=False leaves names to Python: leave out the "
                f"namespace, or conventions=False"
            )
        if source is not None or not os.path.isdir(path):
            problem = "is not a directory of the file system" if os.path.exists(path) or source else "does not exist"
            raise SetupError(f"the root directory {path} {problem}: create it, or correct the path")
        root = Root(path, "", False, False)
        self.use_roots({**self.roots, path: root})
        return root

    def use_roots(self, roots: dict[str, Root]) -> None:
        """Have these roots and no others."""
        self.roots = roots
        for globs in (self.ignored, self.collapsed, self.not_eager, self.not_reloaded):
            globs.use_roots(tuple(roots))
        if self.lazy is not None:
            self.lazy.files.use_roots(tuple(roots))

    def root_of(self, path: str) -> Root | None:
        """The innermost root that ``path`` lies in, or is."""
        if path in self.roots:
            return self.roots[path]
        found = [root for root in self.roots.values() if inside(path, root.path)]
        return max(found, key=lambda root: len(root.path), default=None)

    def absolute(self, path: str | os.PathLike[str]) -> str:
        """A path of the user's as this loader spells it: its root as it was entered, all below as it is listed."""
        entered = os.path.abspath(os.fspath(path))
        root = self.root_of(entered)
        return (root and respelled(entered, root.path)) or entered

    def excluded_by(self, path: str) -> str | None:
        """Why ``path`` is not managed: ``'unmanaged'``, ``'ignored'``, ``'hidden'``; ``None`` when it is managed."""
        root = self.root_of(path)
        if root is None:
            return "unmanaged"
        if self.ignored.matches(root.path):
            return "ignored"
        for part in parts_below(path, root.path):
            if hidden(os.path.basename(part)):
                return "hidden"
            if self.ignored.matches(part) or (not root.conventions and self.is_of_others(part)):
                return "ignored"
        return None

    @property
    def has_plain_roots(self) -> bool:
        """Whether there is a root without conventions."""
        return not all(root.conventions for root in self.roots.values())

    def is_plain(self, path: str) -> bool:
        """Whether a file or directory is managed, and its name left to Python."""
        root = self.root_of(path)
        return root is not None and not root.conventions and self.excluded_by(path) is None

    def is_of_others(self, directory: str) -> bool:
        """Whether a directory below a plain root holds libraries, so that nobody edits what is in it."""
        known = self._of_others.get(directory)
        if known is None:
            name = os.path.basename(directory)
            known = self._of_others[directory] = (
                name in _LIBRARIES or directory in _OWN_PLACES or os.path.isfile(os.path.join(directory, "pyvenv.cfg"))
            )
        return known

    def is_left_out(self, directory: str) -> bool:
        """Whether nothing that is managed lies in a directory below a root."""
        if hidden(os.path.basename(directory)) or self.ignored.matches(directory):
            return True
        root = self.root_of(directory)
        return root is not None and not root.conventions and directory != root.path and self.is_of_others(directory)

    def is_not_eager(self, path: str) -> bool:
        """Whether ``path``, or a directory above it up to its root, is excluded from eager loading."""
        root = self.root_of(path)
        if root is None or not self.not_eager:
            return False
        return self.not_eager.matches(root.path) or any(
            self.not_eager.matches(part) for part in parts_below(path, root.path)
        )

    def make_lazy(
        self, patterns: Iterable[str | os.PathLike[str]], except_for: Iterable[str], *, base: str | None = None
    ) -> None:
        """Let imports be lazy, in addition to what was said before.

        Args:
            patterns: of the files; none for all files.
            except_for: imported modules that stay eager.
            base: the directory that relative patterns are tried against, in place of the working directory.

        Raises:
            SetupError: one of the names is not a dotted name.
        """
        from pyautoload.tree.lazy_policy import LazyPolicy, lazy_imports_possible

        policy, given = self.lazy or LazyPolicy(), list(patterns)
        policy.keep_eager(except_for)
        if not given:
            policy.files = GlobSet()
        elif policy.files or self.lazy is None:
            policy.files.add(given, base=base)
        policy.files.use_roots(tuple(self.roots))
        self.lazy = policy if lazy_imports_possible() else None

    def lazy_for(self, path: str) -> LazyPolicy | None:
        """What says which imports of the file ``path`` are lazy; ``None`` where none is."""
        root = self.root_of(path) if self.lazy is not None else None
        if self.lazy is None or root is None:
            return None
        files = self.lazy.files
        if not files or files.matches(root.path) or any(map(files.matches, parts_below(path, root.path))):
            return self.lazy
        return None

    def ignored_roots(self) -> frozenset[str]:
        """The roots that a pattern ignores."""
        return frozenset(path for path in self.roots if self.ignored.matches(path))


def checked_namespace(namespace: str | ModuleType, directory: str = "") -> str:
    """The dotted name of ``namespace``.

    Raises:
        SetupError: it is neither a module nor a dotted name, or a module that cannot be found under its own name.
    """
    if isinstance(namespace, ModuleType):
        name = namespace.__name__
        if sys.modules.get(name) is not namespace:
            raise SetupError(
                f"the module {name!r} is not in sys.modules under its own name, so nothing can be imported below it: "
                f"import it the ordinary way, or give the namespace as a dotted name"
            )
        return name
    if not isinstance(namespace, str):
        raise SetupError(f"{namespace!r} is not a namespace: a dotted name, a module, or '' is needed")
    name = normalized(namespace)
    if name and not all(map(is_name, name.split("."))):
        where = f"the name of the directory {directory}" if directory else "the namespace"
        remedy = "give one with top_level= or namespace=" if directory else "use identifiers joined by dots"
        raise SetupError(f"{where}, {namespace!r}, is not a dotted name of identifiers that are not keywords: {remedy}")
    return name


def check_conflicts(root: Root, mine: Config, others: Iterator[tuple[str, Config]], *, around: bool) -> None:
    """Raise where another loader manages ``root`` too, or a part of it.

    Args:
        root: the root to check.
        mine: the configuration that it belongs to.
        others: the other loaders' descriptions and configurations.
        around: whether to look also for roots of others inside ``root``. That can be fixed by a later ``ignore``
            of the same loader and so is looked for only at ``setup()``.

    Raises:
        ConflictError: with both paths.
    """
    for description, other in others:
        for path in other.roots:
            below = inside(root.path, path)
            if not below and not (around and inside(path, root.path)):
                continue
            if below and _ignores(other, path, root.path):
                continue
            if inside(path, root.path) and _ignores(mine, root.path, path):
                continue
            raise ConflictError(
                f"{root.path} cannot be managed by this loader: {path} is already managed by {description}. "
                f"Two loaders cannot share a tree: take away the line that makes one of them and use the other one, "
                f"let one ignore the other's part with ignore(), or unregister() it",
                root.path,
                path,
            )


def _ignores(config: Config, root: str, path: str) -> bool:
    return any(config.ignored.matches(part) for part in (root, *parts_below(path, root)))


def outermost(directories: Iterable[str]) -> list[str]:
    """Those of some directories that lie in no other one: what has to be watched with all below it."""
    given = list(dict.fromkeys(directories))
    return [path for path in given if not any(path != other and inside(path, other) for other in given)]


def parts_below(path: str, directory: str) -> Iterator[str]:
    """Each path from just below ``directory`` down to ``path``: ``/r/a``, ``/r/a/b.py``."""
    at = len(directory.rstrip(os.sep))
    while (at := path.find(os.sep, at + 1)) != -1:
        yield path[:at]
    if len(path) > len(directory):
        yield path
    return


def hidden(name: str) -> bool:
    """Whether a directory entry is never managed: dot-names and bytecode caches."""
    return name.startswith(".") or name == "__pycache__"


def split_module_file(name: str) -> tuple[str, str] | None:
    """Stem and suffix of a file that can be imported, or ``None``: ``("user", ".py")``."""
    if not name.endswith(MODULE_SUFFIXES):
        return None
    for suffix in MODULE_SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], suffix
    return None
