"""FileScanner: one directory → what it holds; several directories → one namespace."""

from __future__ import annotations

import os
import stat
import time

from pyautoload.errors import ConflictError
from pyautoload.light_stdlib import NamedTuple
from pyautoload.sources import FILE_SYSTEM, Place, source_for
from pyautoload.sources.time_steps import TICK_NS, unseen_for
from pyautoload.tree.inflector import normalized
from pyautoload.tree.managed_paths import MODULE_SUFFIXES, Config, hidden, split_module_file
from pyautoload.tree.registry import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["FileScanner", "Listing", "closes_a_loop"]

UNTRUSTED = -1

_PREFERENCE = {".py": 1, ".pyc": 2}  # extension modules come first: 0


class Listing(NamedTuple):
    """What one directory holds that is managed.

    Attributes:
        directory: its path.
        files: stem → file, ``__init__`` among them.
        dirs: name → subdirectory: each may be a namespace, if there is a managed Python file below it.
        collapsed: subdirectories that organise without naming.
        nested: subdirectories that are roots of their own.
        stamp: the directory's mtime in ns, or ``-1`` where it cannot be trusted to show a later change.
        left_out: path → why it is not managed although its name or its kind may say so: a link that leads nowhere, a
            socket ``x.py``, the directory itself where it cannot be read.
    """

    directory: str
    files: dict[str, str]
    dirs: dict[str, str]
    collapsed: list[str]
    nested: list[str]
    stamp: int
    left_out: dict[str, str]


class FileScanner:
    """Lists directories by the rules of a configuration.

    Args:
        config: whose patterns and roots hold; without one, only the general rules do (hidden names, suffixes).
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()

    def scan(self, directory: str | os.PathLike[str]) -> Listing:
        """List one directory, not what lies below it.

        Args:
            directory: a path; relative ones are resolved against the working directory.

        Returns:
            A ``Listing``; an empty one when the directory does not exist.
        """
        path = os.path.abspath(os.fspath(directory))
        return self._listed(path, trusted_stamp(path, source_for(path)))

    def _listed(self, path: str, stamp: int) -> Listing:
        source = source_for(path)
        listing = Listing(path, {}, {}, [], [], stamp, {})
        try:
            if source is FILE_SYSTEM:
                with os.scandir(path) as entries:
                    self._sort_entries(entries, listing)
            else:
                self._sort_entries(source.list(path), listing)
        except (FileNotFoundError, NotADirectoryError):
            return Listing(path, {}, {}, [], [], UNTRUSTED, {})
        except OSError as error:
            # What cannot be listed holds nothing, as the stock finder has it; what was listed until then stays.
            left_out = {**listing.left_out, path: _why(error)}
            return Listing(path, listing.files, listing.dirs, listing.collapsed, listing.nested, UNTRUSTED, left_out)
        return listing

    def walk(self, directory: str | os.PathLike[str]) -> Iterator[Listing]:
        """List a directory and all below it, in sorted order; collapsed ones too, roots of their own not."""
        pending = [os.fspath(directory)]
        while pending:
            listing = self.scan(pending.pop())
            yield listing
            pending.extend(sorted([*listing.dirs.values(), *listing.collapsed], reverse=True))

    def has_python(self, directory: str) -> bool:
        """Whether any managed Python file lies in ``directory`` or below it; stops at the first."""
        return self.first_with_python(directory) is not None

    def first_with_python(self, directory: str) -> str | None:
        """The directory, ``directory`` or one below it, where the first managed Python file is found."""
        pending = [directory]
        for each in pending:  # and those that are added meanwhile
            listing = self._listed(each, UNTRUSTED)  # only looked at, so it needs no stamp
            if listing.files:
                return listing.directory
            pending += [*listing.dirs.values(), *listing.collapsed]
        return None

    def namespace(self, name: str, directories: Sequence[str]) -> Namespace:
        """Merge directories into one namespace.

        Args:
            name: its dotted name.
            directories: in the order of precedence.

        Returns:
            A ``Namespace``, its subdirectories not listed.

        Raises:
            ConflictError: two files claim the same name in a way that no order of precedence settles.
        """
        space = Namespace(name, tuple(directories))
        inits: list[str] = []
        for directory in directories:
            self._merge(directory, space, inits)
        if name and inits:
            if len(inits) > 1:
                raise two_definitions(name, inits[0], inits[1])
            space.file = inits[0]
        self._check_conflicts(space)
        return space

    def init_file(self, directory: str) -> str | None:
        """The ``__init__`` file of a directory, if it has one that is managed."""
        path = os.path.join(directory, "__init__.py")
        if source_for(directory).is_file(path):
            return None if self.config.ignored.matches(path) else path
        return None

    def _sort_entries(self, entries: Iterable[os.DirEntry[str]], listing: Listing) -> None:
        # The hot loop of a scan: a plain source file with an ASCII name costs a slice, a test of its type and a store,
        # a file of another kind (translations, templates) the tests alone.
        files, ignored = listing.files, self.config.ignored
        for entry in entries:
            name = entry.name
            try:
                if name.endswith(".py"):
                    stem = name[:-3]
                    if name[0] == ".":
                        continue
                    if ignored and ignored.matches(entry.path):
                        continue
                    if not entry.is_file():
                        self._leave_out(entry, listing)
                    elif stem in files or not name.isascii():
                        self._add_file(stem, entry.path, files)
                    else:
                        files[stem] = entry.path
                elif entry.is_dir():
                    if not hidden(name) and not (ignored and ignored.matches(entry.path)):
                        self._sort_directory(entry, listing)
                elif (entry.is_symlink() or name.endswith(MODULE_SUFFIXES)) and not hidden(name):
                    self._sort_other(entry, listing)
            except OSError as error:
                # One bad entry, such as a link that leads to itself or below a file, hides nothing beside it.
                if not hidden(name) and not (ignored and ignored.matches(entry.path)):
                    listing.left_out[entry.path] = _why(error)

    def _sort_other(self, entry: os.DirEntry[str], listing: Listing) -> None:
        if self.config.ignored and self.config.ignored.matches(entry.path):
            return
        split = split_module_file(entry.name)
        if not entry.is_file():
            self._leave_out(entry, listing)
        elif split is not None:
            self._add_file(split[0], entry.path, listing.files)

    @staticmethod
    def _leave_out(entry: os.DirEntry[str], listing: Listing) -> None:
        """Note an entry that is not a regular file: a link to nowhere, or what its suffix does not say."""
        try:
            kind = os.stat(entry.path).st_mode
        except FileNotFoundError:
            if entry.is_symlink():  # else it has gone since
                listing.left_out[entry.path] = "is a link that leads nowhere"
            return
        if stat.S_ISDIR(kind):
            listing.left_out[entry.path] = "is a directory, and no name of one"
        elif split_module_file(entry.name) is not None and not stat.S_ISREG(kind):
            listing.left_out[entry.path] = "is not a regular file"

    def _sort_directory(self, entry: os.DirEntry[str], listing: Listing) -> None:
        if entry.is_symlink() and closes_a_loop(entry.path):
            return
        if entry.path in self.config.roots:
            listing.nested.append(entry.path)
        elif self.config.collapsed and self.config.collapsed.matches(entry.path):
            listing.collapsed.append(entry.path)
        else:
            listing.dirs[normalized(entry.name)] = entry.path

    @staticmethod
    def _add_file(stem: str, path: str, files: dict[str, str]) -> None:
        stem = normalized(stem)
        other = files.get(stem)
        if other is None or _rank(path) < _rank(other):
            files[stem] = path

    def _merge(self, directory: str, space: Namespace, inits: list[str]) -> None:
        pending = [directory]
        while pending:
            listing = self.scan(pending.pop(0))
            space.stamps[listing.directory] = listing.stamp
            if listing.directory != directory:
                space.organised.append(listing.directory)
            for stem in sorted(listing.files) if space.modules else listing.files:
                self._merge_file(stem, listing, space, inits, own=listing.directory == directory)
            for stem, path in listing.dirs.items():
                space.subdirs[stem] = (*space.subdirs.get(stem, ()), path)
            for path in listing.nested:
                space.excluded[os.path.basename(path)] = f"{path} is a root of its own"
            for path in listing.collapsed:
                space.excluded[os.path.basename(path)] = f"{path} is collapsed, so it organises without naming"
            pending += sorted(listing.collapsed)

    @staticmethod
    def _merge_file(stem: str, listing: Listing, space: Namespace, inits: list[str], *, own: bool) -> None:
        path = listing.files[stem]
        if stem == "__init__":
            # An empty one in a collapsed directory is there for other tools and says nothing.
            if own or source_for(path).stat(path)[1] > 0:
                inits.append(path)
            return
        taken = space.modules.setdefault(stem, path)
        if taken is not path:
            space.shadowed[path] = taken

    def _check_conflicts(self, space: Namespace) -> None:
        # Needs a look into a subdirectory only where two claims can meet: beside a file, or in several roots.
        for stem, paths in space.subdirs.items():
            file = space.modules.get(stem)
            if file is None and len(paths) == 1:
                continue
            inits = [init for init in map(self.init_file, paths) if init is not None]
            if not inits:
                continue
            full = f"{space.name}.{stem}" if space.name else stem
            if len(inits) > 1:
                raise two_definitions(full, inits[0], inits[1])
            if file is None:
                continue
            if file.endswith(".py"):
                raise two_definitions(full, file, inits[0])
            # As in the stock finder, a package comes before an extension module or bytecode of the same name.
            space.shadowed[space.modules.pop(stem)] = inits[0]


def two_definitions(name: str, first: str, second: str) -> ConflictError:
    """The error for two files that both define the package ``name``."""
    return ConflictError(
        f"{name} is defined by both {first} and {second}. Keep one of them, or ignore one with loader.ignore()",
        first,
        second,
    )


def trusted_stamp(directory: str, source: Place = FILE_SYSTEM) -> int:
    """The mtime of a directory in ns, ``-1`` where it is too fresh to show the next change, or there is none."""
    try:
        stamp = source.stat(directory)[0]
    except OSError:
        return UNTRUSTED
    # One that changed so shortly before it is listed may change again without its mtime showing it.
    racy = unseen_for(stamp)
    if source is not FILE_SYSTEM and racy == TICK_NS:
        return stamp
    return UNTRUSTED if abs(time.time_ns() - stamp) < racy else stamp


def _why(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def _rank(path: str) -> int:
    return _PREFERENCE.get(os.path.splitext(path)[1], 0)


def closes_a_loop(path: str) -> bool:
    """Whether the symbolic link ``path`` leads back to a directory above it."""
    target = os.stat(path)
    above = os.path.dirname(path)
    while True:
        if os.path.samestat(target, os.stat(above)):
            return True
        parent = os.path.dirname(above)
        if parent == above:
            return False
        above = parent
