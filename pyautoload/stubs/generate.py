"""generate(): what the stubs of a loader's namespaces have to say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyautoload.sources import FILE_SYSTEM, source_for
from pyautoload.stubs.content import PackageCode, is_blank
from pyautoload.stubs.defined_names import Definitions, readable
from pyautoload.stubs.layout import Layout
from pyautoload.stubs.text import NamespaceStub, alias_text, marker_text
from pyautoload.tree.inflector import is_name
from pyautoload.tree.introspection import Introspection
from pyautoload.tree.paths import inside
from pyautoload.tree.registry import Namespace

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["Stubs", "generate"]


@dataclass(frozen=True)
class Stubs:
    """What the stubs of a loader are to be.

    Attributes:
        files: path → text.
        names: path → the dotted name that the stub describes.
        notes: what a checker cannot follow, and files that could not be read, one line each.
        directories: where stubs of ours may lie, current and stale ones.
        bases: the directories from which names are counted.
        search_paths: directories that the checker has to be told of, besides the project's own.
        explicit_bases: whether mypy needs ``explicit_package_bases``.
    """

    files: dict[str, str]
    names: dict[str, str]
    notes: list[str]
    directories: list[str]
    bases: list[str]
    search_paths: list[str] = field(default_factory=list)
    explicit_bases: bool = False


def generate(loader: AutoLoader, project: str | os.PathLike[str] | None = None, typings: str = "typings") -> Stubs:
    """Say what the stubs of a loader's namespaces have to be; nothing is run, nothing is written.

    Args:
        loader: a configured loader; it need not be set up.
        project: the directory that the checker is started in, the working directory by default.
        typings: the directory below it for namespaces that have no directory of their own name.

    Raises:
        ConflictError: two files claim the same name.
    """
    if not loader.is_set_up:
        loader.tree.use_roots()
    for space in list(loader.tree.walk_all()):
        loader.tree.refresh(space.name)  # a running loader lists a directory once more only when a name is missing
    directory = os.path.abspath(os.fspath(project) if project is not None else os.getcwd())
    return _Generator(loader, Layout(loader.tree, directory, os.path.join(directory, typings))).run()


class _Generator:
    """One run over all namespaces."""

    def __init__(self, loader: AutoLoader, layout: Layout) -> None:
        self.tree = loader.tree
        self.layout = layout
        self.definitions = Definitions(Introspection(loader.tree, loader.binder.naming))
        self.files: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.notes: list[str] = []
        # Directories that hold modules under another name than their own: they may need a marker.
        self.foreign: set[str] = set()

    def run(self) -> Stubs:
        hidden = self._hidden_tops()
        for space in self.tree.walk_all():
            if not space.name:
                self._top_level(space)
            elif space.name.partition(".")[0] not in hidden and all(map(is_name, space.name.split("."))):
                self._namespace(space)
        self._markers()
        self.notes += [f"{path} cannot be read: {why}" for path, why in sorted(self.definitions.problems.items())]
        roots = self._directories()
        return Stubs(
            files=dict(sorted(self.files.items())),
            names=self.names,
            notes=self.notes,
            directories=[*roots, *self._directories_above(roots), self.layout.typings],
            bases=[*self.layout.bases, self.layout.typings],
            search_paths=[base for base in self.layout.bases if base != self.layout.project and self._is_used(base)],
            explicit_bases=any(not self._has_marker(path) for path in self.foreign),
        )

    def _directories(self) -> list[str]:
        """The roots that a checker can read: not those in archives and other places."""
        found = []
        for path in self.tree.config.roots:
            if self.tree.config.ignored.matches(path):
                continue
            if source_for(path) is FILE_SYSTEM:
                found.append(path)
            else:
                self.notes.append(f"{path} is not a directory of the file system: a checker cannot look into it")
        return found

    def _hidden_tops(self) -> set[str]:
        hidden = set()
        for top in sorted(self.tree.tops()):
            origin = self.layout.elsewhere(top)
            if origin is not None:
                hidden.add(top)
                self.notes.append(
                    f"{top} is the package {origin}: a checker sees that one only, and not what the loader adds to it"
                )
        return hidden

    def _top_level(self, space: Namespace) -> None:
        """There is no package that could have a stub; what may be needed are modules under other names."""
        for stem, file, is_namespace in self._members(space):
            if not is_namespace:
                self._member(NamespaceStub(""), self.layout.base(stem), stem, file, is_namespace=False)

    def _namespace(self, space: Namespace) -> None:
        if space.directories and not any(source_for(path) is FILE_SYSTEM for path in space.directories):
            return
        home = self.layout.home(space.name)
        stub = NamespaceStub(space.name)
        for stem, file, is_namespace in self._members(space):
            self._member(stub, home, stem, file, is_namespace=is_namespace)
        own = self._own_code(space, stub)
        if own is None:
            return
        stub.content = own
        self._add(os.path.join(home, "__init__.pyi"), space.name, stub.text())

    def _members(self, space: Namespace) -> Iterator[tuple[str, str | None, bool]]:
        """Stem, file and whether it is a namespace, for what lies directly in a namespace, sorted."""
        for stem in sorted({*space.modules, *space.subdirs, *self.tree.leads(space.name)}):
            if not is_name(stem) or (stem[:2] == "__" and stem[-2:] == "__"):
                continue
            child = self.tree.child(space, stem)
            if child is not None:
                yield stem, child.file, True
            elif stem in space.modules and source_for(space.modules[stem]) is FILE_SYSTEM:
                yield stem, space.modules[stem], False

    def _member(self, stub: NamespaceStub, home: str, stem: str, file: str | None, *, is_namespace: bool) -> None:
        full = f"{stub.name}.{stem}" if stub.name else stem
        if is_namespace:
            stub.submodules[stem] = full
        elif file is not None:
            if readable(file) is None:
                self.notes.append(f"{full}: {file} has no source and no stub beside it, so a checker cannot see it")
                return
            static = self.layout.static_name(file)
            if static is None:
                self.notes.append(
                    f"{full}: a checker has no name for {file}, a directory above it is not a valid Python name"
                )
                return
            stub.submodules[stem] = static
        actual = self.definitions.defined_name(file, full) if file is not None else None
        if actual is not None and actual != stem:
            stub.names[actual] = stub.submodules[stem]
        if not is_namespace and file is not None and stub.submodules[stem] != full:
            self.foreign.add(os.path.dirname(file))
            self._add(os.path.join(home, f"{stem}.pyi"), full, alias_text(full, stub.submodules[stem], actual))

    def _own_code(self, space: Namespace, stub: NamespaceStub) -> list[str] | None:
        """What the package's own code adds to its stub; ``None`` where there is no need of a stub at all."""
        home = self.layout.home(space.name)
        init = os.path.join(home, "__init__.py")
        if space.file is None:
            # Not ours to speak for: the code of a package above a root, which no loader manages.
            return None if os.path.exists(init) and self.tree.config.excluded_by(home) == "unmanaged" else []
        parsed = self.definitions.parse(space.file) if space.file.endswith(".py") else None
        if parsed is None:
            self.notes.append(f"{space.name}: {space.file} cannot be read, so what it defines is not in the stub")
            return []
        if is_blank(parsed):
            return []
        own = self.definitions.names(space.file, space.name)
        code = PackageCode(parsed, space.name, stub.names)
        for name in code.own(own):
            stub.names.pop(name, None)
            stub.submodules.pop(name, None)
        aliases = any(os.path.join(home, f"{stem}.pyi") in self.files for stem in stub.submodules)
        if space.file == init and not stub.names and not aliases:
            return None  # a checker that reads the file itself knows as much
        return code.lines()

    def _add(self, path: str, name: str, text: str) -> None:
        self.files[path] = text
        self.names[path] = name

    # Directories under other names than their own

    def _markers(self) -> None:
        """Make packages of collapsed directories: where only some directories are packages, ``mypy .`` gets lost."""
        for directory in sorted(self.foreign):
            chain = []
            while not self._has_marker(directory) and not self._is_base(directory):
                chain.append(directory)
                directory = os.path.dirname(directory)
            if self._is_base(directory):
                continue  # nothing above it is a package either
            for path in chain:
                name = self.layout.static_name(os.path.join(path, "__init__.py"))
                if name is not None:
                    self._add(os.path.join(path, "__init__.pyi"), name, marker_text(name))

    def _has_marker(self, directory: str) -> bool:
        stub = os.path.join(directory, "__init__.pyi")
        return stub in self.files or os.path.exists(os.path.join(directory, "__init__.py"))

    def _is_base(self, directory: str) -> bool:
        return directory in self.layout.bases or os.path.dirname(directory) == directory

    def _is_used(self, base: str) -> bool:
        return base != self.layout.typings or any(inside(path, base) for path in self.files)

    def _directories_above(self, roots: list[str]) -> list[str]:
        """The homes of namespaces that lie outside every root: those that lead to one, and those spread over roots."""
        homes = {os.path.dirname(path) for path in self.files}
        return sorted(home for home in homes if not any(inside(home, root) for root in roots))
