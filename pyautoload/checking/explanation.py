"""explain: why a name leads to a file, or a file to a name, step by step, or why it does not."""

from __future__ import annotations

import difflib
import enum
import os
from typing import TYPE_CHECKING, NamedTuple

from pyautoload.errors import ConflictError, NameInflectionError
from pyautoload.sources import source_for
from pyautoload.tree.inflector import Inflector, checked_name, checked_stem, normalized
from pyautoload.tree.introspection import Introspection
from pyautoload.tree.managed_paths import Root, hidden, parts_below, split_module_file
from pyautoload.tree.registry import Namespace

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader
    from pyautoload.tree.globs import GlobSet

__all__ = ["Explanation", "Step", "explain"]


class Step(NamedTuple):
    """One thing that was looked at: ``ok`` is ``None`` for one that decides nothing."""

    ok: bool | None
    text: str


class Explanation(NamedTuple):
    """The steps, and what they lead to.

    Attributes:
        subject: the name or path.
        steps: in the order in which the loader takes them.
        file: the file that is loaded; ``None`` where nothing is.
        name: the module name.
        provides: the full name that the file is expected to define.
    """

    subject: str
    steps: list[Step]
    file: str | None = None
    name: str | None = None
    provides: str | None = None

    @property
    def found(self) -> bool:
        """Whether it leads anywhere."""
        return self.name is not None


def explain(loader: AutoLoader, subject: str) -> Explanation:
    """Say what a loader makes of a name or a path; no file is run.

    Args:
        loader: set up or not.
        subject: a path, or a dotted name.
    """
    if not loader.is_set_up:
        loader.tree.use_roots()
    explainer = _Explainer(loader)
    looks_like_path = os.sep in subject or "/" in subject or split_module_file(os.path.basename(subject)) is not None
    if looks_like_path or (os.path.exists(subject) and subject.partition(".")[0] not in loader.tree.tops()):
        return explainer.path(subject)
    return explainer.name(subject)


class _Access(enum.Enum):
    """What comes of using a file: it works, it raises, or it works as a module but lacks its expected name."""

    WORKS = enum.auto()
    FAILS = enum.auto()
    LACKS_NAME = enum.auto()


class _Explainer:
    def __init__(self, loader: AutoLoader) -> None:
        self.loader = loader
        self.tree = loader.tree
        self.config = loader.config
        self.steps: list[Step] = []

    def yes(self, text: str) -> None:
        self.steps.append(Step(True, text))

    def no(self, text: str) -> None:
        self.steps.append(Step(False, text))

    def note(self, text: str) -> None:
        self.steps.append(Step(None, text))

    # Paths

    def path(self, given: str) -> Explanation:
        path = self.config.absolute(given)
        nothing = Explanation(given, self.steps)
        source = source_for(path)
        is_dir = source.is_dir(path)
        if not is_dir and not source.is_file(path):
            self.no(f"{path} does not exist")
            return nothing
        root = self.config.root_of(path)
        if root is None:
            self.no(f"it is not below any of the roots: {', '.join(self.config.roots) or 'there are none'}")
            return nothing
        self.yes(f"it lies in the root {root.path}, which stands for {root.namespace or 'the top level'}")
        if not self._parts(path, root):
            return nothing
        if is_dir:
            return self._directory(given, path)
        if split_module_file(os.path.basename(path)) is None:
            self.no("it is not a Python file: files with this suffix cannot be imported")
            return nothing
        try:
            return self._file(given, path)
        except NameInflectionError as error:
            self.no(str(error))
            return nothing

    def _parts(self, path: str, root: Root) -> bool:
        """Whether every directory on the way, and the path itself, is managed."""
        pattern = _matching(self.config.ignored, root.path)
        if pattern is not None:
            self.no(f"the root is ignored by ignore({pattern!r})")
            return False
        for part in parts_below(path, root.path):
            name = os.path.basename(part)
            if hidden(name):
                self.no(f"{name} is hidden: dot-names and __pycache__ are never managed")
                return False
            pattern = _matching(self.config.ignored, part)
            if pattern is not None:
                self.no(f"{part} is ignored by ignore({pattern!r}); `import` finds it the ordinary way")
                return False
            pattern = _matching(self.config.collapsed, part)
            if pattern is not None and source_for(part).is_dir(part):
                self.note(f"{name} is collapsed by collapse({pattern!r}): it organises without naming")
        self.yes("it is managed: nothing on its path is ignored or hidden")
        return True

    def _directory(self, given: str, path: str) -> Explanation:
        name = self.tree.namespace_of(path)
        if name is None:
            return Explanation(given, self.steps)
        if path not in self.config.roots and not self.tree.scanner.has_python(path):
            self.no("there is no managed Python file in it or below it, so it is not a namespace")
            return Explanation(given, self.steps)
        space = self._namespace(name)
        self.yes(f"it stands for the namespace {name or 'of the top level'}; directories are never camelized")
        if space is not None and space.file is not None:
            self.note(f"its own code is {space.file}")
        return Explanation(given, self.steps, path, name, name)

    def _file(self, given: str, path: str) -> Explanation:
        introspection = Introspection(self.loader.tree, self.loader.binder.naming)
        name = introspection.module_name(path)
        if name is None:
            return Explanation(given, self.steps)
        self.yes(f"its module name is {name}")
        parent, _, stem = name.rpartition(".")
        if os.path.basename(path).startswith("__init__."):
            self.note(f"it is the code of the package {name}")
        if not self._is_first(name, parent, path):
            return Explanation(given, self.steps)
        provides = introspection.expected_name(path)
        if provides is not None and provides != name:
            expected = self.loader.binder.naming.expected_name(stem, path)
            self.yes(f"it is expected to define {expected}: {self._rule(stem, path)}")
        if self._defined(name, path) is not _Access.WORKS:
            provides = name
        pattern = self._not_eager(path)
        if pattern is not None:
            self.note(f"eager_load() leaves it out: do_not_eager_load({pattern!r})")
        self._status(name)
        return Explanation(given, self.steps, path, name, provides)

    def _is_first(self, name: str, parent: str, path: str) -> bool:
        """Whether the file is not shadowed, and its name not claimed twice."""
        for namespace in (parent, name):
            space = self._namespace(namespace)
            if space is not None and path in space.shadowed:
                self.no(f"it is shadowed by {space.shadowed[path]}, which took the name first")
                return False
        taken = self.loader.registry.get_path(name)
        if taken is not None and taken != path and source_for(taken).is_file(taken):
            self.no(f"it is shadowed by {taken}, which took the name first")
            return False
        return not any(step.ok is False for step in self.steps)

    def _rule(self, stem: str, path: str) -> str:
        """By which rule a stem gives its name."""
        inflector = self.loader.inflector
        if not isinstance(inflector, Inflector):
            return f"the inflector {type(inflector).__name__} says so"
        if stem in inflector.overrides:
            return f"inflect({{{stem!r}: {inflector.overrides[stem]!r}}}) says so"
        return f"the stem {stem!r}, camelized"

    def _defined(self, name: str, path: str) -> _Access:
        """What the file's text shows of the expected name."""
        from types import SimpleNamespace

        from pyautoload.checking.source_imports import read_source

        if not path.endswith(".py"):
            return _Access.WORKS
        stem = name.rpartition(".")[2]
        try:
            data = source_for(path).read(path)
        except OSError as error:
            self.no(f"it cannot be read: {error.strerror}")
            return _Access.FAILS
        source = read_source(data, path, name, is_package=False)
        if source.error is not None:
            self.no(f"it cannot be compiled: {source.error.msg} (line {source.error.lineno})")
            return _Access.FAILS
        names = SimpleNamespace(**dict.fromkeys(source.bindings))
        defined = self.loader.binder.naming.defined_name(names, stem, path)
        if defined is not None:
            line = source.bindings[defined].line
            exact = defined in self.loader.binder.naming.expected_names(stem, path)[:1]
            how = "" if exact else ", which matches with case and underscores set aside"
            self.yes(f"it defines {defined} (line {line}){how}")
            return _Access.WORKS
        if self.loader.binder.naming.expected_names(stem, path):
            others = ", ".join(source.public()[:6]) or "no name of its own"
            more = "; it may define more than its text shows" if source.dynamic else ""
            self.note(f"its text defines {others}{more}: it can be imported as a module, but not asked for that name")
            return _Access.WORKS if source.dynamic else _Access.LACKS_NAME
        return _Access.WORKS

    def _not_eager(self, path: str) -> str | None:
        root = self.config.root_of(path)
        for part in [root.path, *parts_below(path, root.path)] if root is not None else []:
            pattern = _matching(self.config.not_eager, part)
            if pattern is not None:
                return pattern
        return None

    def _status(self, name: str) -> None:
        if self.loader.registry.is_loaded(name):
            self.note("it is loaded")

    # Names

    def name(self, name: str) -> Explanation:
        nothing = Explanation(name, self.steps)
        if not all(part.isidentifier() for part in name.split(".")):
            self.no("it is neither a dotted name nor an existing path")
            return nothing
        parts = name.split(".")
        tops = sorted(self.tree.tops())
        if parts[0] not in tops and not self._has_top_level(parts):
            close = difflib.get_close_matches(parts[0], tops, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            self.no(f"'{parts[0]}' is not a managed package (managed: {', '.join(tops) or 'none'}){hint}")
            self.note("PyAutoload leaves it to Python's other finders")
            return nothing
        current = ""
        for index, part in enumerate(parts):
            space = self._namespace(current)
            if space is None:
                return nothing
            if self._is_namespace(space, part):
                current = f"{current}.{part}" if current else part
                self._tell_namespace(current)
                continue
            if parts[index + 1 :]:
                self.note(f"{'.'.join(parts[: index + 2])} would lie in {current}.{part}, if that is found:")
            return self._member(name, space, part)
        space = self._namespace(current)
        file = None if space is None else space.file or next(iter(space.directories), None)
        return Explanation(name, self.steps, file, current, current)

    def _has_top_level(self, parts: list[str]) -> bool:
        """Whether a name of one part may be looked for among the files of a root for the top level."""
        return len(parts) == 1 and any(root.namespace == "" for root in self.config.roots.values())

    def _namespace(self, name: str) -> Namespace | None:
        try:
            return self.tree.namespace(name)
        except ConflictError as error:
            self.no(str(error))
            return None

    def _is_namespace(self, space: Namespace, part: str) -> bool:
        try:
            return self.tree.child(space, part) is not None
        except ConflictError as error:
            self.no(str(error))
            return False

    def _tell_namespace(self, name: str) -> None:
        space = self._namespace(name)
        if space is None:
            return
        roots = [root.path for root in self.config.roots.values() if root.namespace == name]
        if roots:
            self.yes(f"{name} is the namespace of the root{'s' if len(roots) > 1 else ''} {', '.join(roots)}")
        elif space.directories:
            self.yes(f"{name} is a namespace: {', '.join(space.directories)}")
        else:
            self.yes(f"{name} leads to the namespace of a root")
        for path in space.organised:
            self.note(f"{path} is collapsed, so what lies in it belongs to {name}, too")
        if space.file is not None:
            self.note(f"{name} has code of its own, whose names win: {space.file}")

    def _member(self, subject: str, space: Namespace, part: str) -> Explanation:
        """A name in a namespace that is not a namespace itself: a module, an expected name, or nothing."""
        where = space.name or "the top level"
        full = f"{space.name}.{part}" if space.name else part
        if part in space.modules:
            path = space.modules[part]
            self.yes(f"{full} is the module {path}")
            return self._found(subject, full, path)
        self.note(f"{where} has no module {part}")
        stem, exact = self.loader.binder.naming.stem_for(part, space)
        if stem is None or stem not in space.modules:
            return self._missing(subject, space, part)
        path = space.modules[stem]
        if exact:
            self.yes(f"{part} is the expected name of {path}: {self._rule(stem, path)}")
        else:
            self.yes(f"{part} matches {path} with case and underscores set aside")
        return self._found(subject, f"{space.name}.{stem}" if space.name else stem, path)

    def _found(self, subject: str, name: str, path: str) -> Explanation:
        access = self._defined(name, path)
        if access is _Access.FAILS or (access is _Access.LACKS_NAME and subject != name):
            return Explanation(subject, self.steps)
        self.note(f"PyAutoload's finder answers for {name}, the loader runs {path}")
        self._status(name)
        try:
            provides = Introspection(self.loader.tree, self.loader.binder.naming).expected_name(path)
        except NameInflectionError:
            provides = None
        return Explanation(subject, self.steps, path, name, provides)

    def _missing(self, subject: str, space: Namespace, part: str) -> Explanation:
        where = space.name or "the top level"
        if part in space.excluded:
            self.no(f"the finder refuses it: {space.excluded[part]}")
        elif part in space.subdirs:
            self.no(f"there is no managed Python file in {space.subdirs[part][0]}, so it is not a namespace")
        else:
            self.no(f"no file in {where} is expected to define {part}")
        self._ignored_like(space, part)
        names = {stem for stem in space.modules if stem.isidentifier()} | set(space.subdirs)
        for stem, path in space.modules.items():
            names.update(self.loader.binder.naming.expected_names(stem, path)[:1])
        elsewhere = self._definition_of(part, space)
        close = difflib.get_close_matches(part, sorted(names), n=3)
        if elsewhere is not None:
            module, path, line = elsewhere
            self.note(f"did you mean {module}.{part}? {path} defines {part} (line {line})")
        elif close:
            self.note(f"did you mean {' or '.join(f'{where}.{name}' if space.name else name for name in close)}?")
        return Explanation(subject, self.steps)

    def _definition_of(self, name: str, space: Namespace) -> tuple[str, str, int] | None:
        """The module beside it, its file and the line where a name is defined that has no file of its own."""
        from pyautoload.checking.source_imports import read_source

        for stem, path in sorted(space.modules.items()):
            module = f"{space.name}.{stem}" if space.name else stem
            try:
                source = read_source(source_for(path).read(path), path, module, is_package=False)
            except OSError:
                continue
            if path.endswith(".py") and source.error is None and name in source.public():
                return module, path, source.bindings[name].line
        return None

    def _ignored_like(self, space: Namespace, part: str) -> None:
        """Say so where a file of that name exists and a pattern ignores it."""
        for directory in space.path:
            for entry in _entries(directory):
                split = split_module_file(entry.name)
                stem = normalized(split[0] if split else entry.name)
                pattern = _matching(self.config.ignored, entry.path)
                if pattern is None:
                    continue
                if stem == part or self._expected(stem, entry.path) == part:
                    self.no(f"{entry.path} is ignored by ignore({pattern!r})")

    def _expected(self, stem: str, path: str) -> str | None:
        try:
            checked_stem(stem, path)
            return checked_name(self.loader.inflector, stem, path)
        except NameInflectionError:
            return None


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        return list(source_for(directory).list(directory))
    except OSError:
        return []  # it cannot be read, or has gone


def _matching(globs: GlobSet, path: str) -> str | None:
    """The first pattern that matches a path."""
    if not globs.matches(path):
        return None
    return next((pattern for pattern in globs.patterns if globs.pattern_matches(pattern, path)), None)
