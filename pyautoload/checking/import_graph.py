"""ImportGraph: which managed module imports which, where and when, as far as the source texts tell."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pyautoload.checking.source_imports import IMPORT_TIME, Binding, Reference
from pyautoload.checking.survey import Survey
from pyautoload.tree.registry import Namespace

__all__ = ["Edge", "ImportGraph", "Target", "Unknown"]


class Target(NamedTuple):
    """What a reference leads to: a managed module, and the attribute that it has to have by then, if any."""

    module: str
    needs: str | None


class Unknown(NamedTuple):
    """A reference to a managed name that is not there.

    Attributes:
        namespace: where it was looked for.
        name: what was looked for.
        suggestion: a name that is there and resembles it.
    """

    namespace: str
    name: str
    suggestion: str | None


class Edge(NamedTuple):
    """One import of one managed module by another."""

    source: str
    target: str
    reference: Reference


class ImportGraph:
    """The graph of a survey.

    Args:
        survey: the tree.
    """

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.tree = survey.tree
        self._tops = self.tree.tops()
        # Module → its edges, by line.
        self.edges: dict[str, list[Edge]] = {}
        # Module → the references that lead nowhere.
        self.unknown: dict[str, list[tuple[Reference, Unknown]]] = {}
        self._resolved: dict[tuple[str, str | None, str], Target | Unknown | None] = {}
        for module in survey.files:
            self._read(module)

    def _read(self, module: str) -> None:
        source = self.survey.source(module)
        if source is None:
            return
        edges = self.edges[module] = []
        # A line may name a module several times: that is one import.
        seen: set[tuple[str, str, int]] = set()
        for reference in source.references:
            found = self.resolve(reference)
            if isinstance(found, Unknown):
                if not self._is_repeated(reference):
                    self.unknown.setdefault(module, []).append((reference, found))
            elif self._is_repeated(reference):
                continue
            elif found is not None and found.module != module and found.module in self.survey.files:
                key = found.module, reference.kind, reference.line
                if key not in seen or reference.how != "attribute":
                    edges.append(Edge(module, found.module, reference))
                seen.add(key)

    def _is_repeated(self, reference: Reference) -> bool:
        """Whether an attribute is one of a module or an object that an import statement has brought already."""
        if not reference.root:
            return False
        found = self._resolved_name(reference.root)
        return isinstance(found, Unknown) or (found is not None and not self.survey.is_package(found.module))

    def _resolved_name(self, dotted: str) -> Target | Unknown | None:
        module, _, name = dotted.rpartition(".")
        return self.resolve(Reference(IMPORT_TIME, 0, module or name, name if module else None, "from", False))

    def targets(self, module: str, kinds: Iterable[str] = (IMPORT_TIME,)) -> set[str]:
        """The modules that a module imports, in the given ways."""
        wanted = set(kinds)
        return {edge.target for edge in self.edges.get(module, ()) if edge.reference.kind in wanted}

    def all_edges(self) -> Iterator[Edge]:
        """Every edge, by module and line."""
        for module in sorted(self.edges):
            yield from self.edges[module]

    # Names

    def resolve(self, reference: Reference) -> Target | Unknown | None:
        """What a reference leads to; ``None`` for what is not managed."""
        key = (reference.module, reference.name, reference.how)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(*key)
        return self._resolved[key]

    def _resolve(self, module: str, name: str | None, how: str) -> Target | Unknown | None:
        if module.partition(".")[0] not in self._tops:
            return None
        parts = module.split(".")
        if name is not None and name != "*":
            parts.append(name)
        current, at = "", 0
        if "" not in self._tops and self.tree.registry.namespace("") is None:
            self.tree.namespace("")
        while at < len(parts):
            space = self.tree.namespace(current)
            if space is None:
                break
            step = self._step(space, parts[at])
            if isinstance(step, Unknown):
                return self._judged(space, step, how)
            if step.needs is not None or self.tree.registry.namespace(step.module) is None:
                return self._within(step, parts[at + 1 :])
            current, at = step.module, at + 1
        return Target(current, None)

    def _step(self, space: Namespace, part: str) -> Target | Unknown:
        """From a namespace to what one of its attributes stands for."""
        full = f"{space.name}.{part}" if space.name else part
        own = self.survey.source(space.name) if space.file is not None else None
        if own is not None and part in own.bindings and own.bindings[part].sort != "import":
            return Target(space.name, part)
        if part in space.modules or self.tree.child(space, part) is not None:
            return Target(full, None)
        if own is not None and part in own.bindings:
            return Target(space.name, part)
        stem, _exact = self.survey.naming.stem_for(part, space) if space.name else (None, False)
        if stem is not None and stem in space.modules:
            return Target(f"{space.name}.{stem}", part)
        if stem is not None and self.tree.child(space, stem) is not None:
            return Target(f"{space.name}.{stem}", part)
        return Unknown(space.name, part, self._like(space, part))

    @staticmethod
    def _within(target: Target, rest: list[str]) -> Target:
        """The rest of the dotted name lies in a plain module, or in an object."""
        if target.needs is None and rest:
            return Target(target.module, rest[0])
        return target

    def _judged(self, space: Namespace, unknown: Unknown, how: str) -> Target | Unknown | None:
        """Whether a name that no file stands for is a mistake, or may come from elsewhere."""
        name = unknown.name
        if name[:2] == "__" or not space.name:
            return Target(space.name, None) if space.name else None
        if self.tree.is_root(space.name) and any(
            root.namespace == space.name and root.explicit for root in self.survey.config.roots.values()
        ):
            return Target(space.name, None)  # it may be a package that somebody else has made
        if space.file is not None:
            own = self.survey.source(space.name)
            if own is None or own.dynamic or own.error is not None or how == "attribute":
                return Target(space.name, name)
        return unknown

    def _like(self, space: Namespace, name: str) -> str | None:
        names = {stem for stem in space.modules if stem.isidentifier()} | set(space.subdirs)
        for stem, path in space.modules.items():
            names.update(self.survey.naming.expected_names(stem, path)[:1])
        return next(iter(difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.7)), None)

    # Order of events

    def events(self, module: str) -> Iterator[tuple[Binding | Reference, Target | None]]:
        """What happens while a module is imported, in order: bindings, and references with what they lead to."""
        source = self.survey.source(module)
        for event in source.events if source is not None else ():
            if isinstance(event, Binding):
                yield event, None
                continue
            found = self.resolve(event)
            if isinstance(found, Target) and found.module != module and found.module in self.survey.files:
                yield event, found
