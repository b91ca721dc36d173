"""Import cycles: where they are, and by acting out the imports, which of them fail and which are tolerated."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pyautoload.checking.import_graph import Edge, ImportGraph, Target
from pyautoload.checking.source_imports import Binding, Reference

__all__ = ["Cycle", "components", "find_cycles"]

# How many events (bindings, imports) are acted out before the modules that are left are not tried as the first one.
BUDGET = 2_000_000


class Cycle(NamedTuple):
    """Modules that import each other at import time.

    Attributes:
        edges: one circle among them; the last edge leads back to the first module.
        members: all modules of the group that the circle belongs to.
        failures: for one that fails, the names that are needed too early, each with the modules that start that
            failure when they are the first to be imported: ``('blog.models.post.Post', ('blog.models.user',))``.
    """

    edges: tuple[Edge, ...]
    members: tuple[str, ...]
    failures: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def modules(self) -> list[str]:
        """The modules of the circle."""
        return [edge.source for edge in self.edges]


def find_cycles(graph: ImportGraph) -> Iterator[Cycle]:
    """The cycles: of each group of modules the ones that fail, or one that is tolerated if none does."""
    groups = components({module: sorted(graph.targets(module)) for module in graph.edges})
    failing = _failing(graph, groups)
    yield from failing
    for members in groups:
        if not any(set(cycle.modules) & set(members) for cycle in failing):
            yield Cycle(_shortest(graph, members), tuple(members))


def components(links: dict[str, list[str]]) -> list[list[str]]:
    """The groups of more than one node that reach each other, each sorted (Tarjan's algorithm, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    groups: list[list[str]] = []
    for start in sorted(links):
        if start in index:
            continue
        work = [(start, iter(links[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, following = work[-1]
            for target in following:
                if target not in links:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(links[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    group = stack[at:]
                    del stack[at:]
                    on_stack.difference_update(group)
                    if len(group) > 1:
                        groups.append(sorted(group))
    return sorted(groups)


def _shortest(graph: ImportGraph, members: list[str]) -> tuple[Edge, ...]:
    """A shortest circle through the first of the members."""
    start, inside = members[0], set(members)
    before: dict[str, Edge] = {}
    pending = deque([start])
    while pending:
        module = pending.popleft()
        for edge in _import_time_edges(graph, module):
            if edge.target == start:
                circle = [edge]
                while circle[-1].source != start:
                    circle.append(before[circle[-1].source])
                return tuple(reversed(circle))
            if edge.target in inside and edge.target not in before:
                before[edge.target] = edge
                pending.append(edge.target)
    return ()


def _import_time_edges(graph: ImportGraph, module: str) -> list[Edge]:
    return [edge for edge in graph.edges.get(module, ()) if edge.reference.kind == "import time"]


def _failing(graph: ImportGraph, groups: list[list[str]]) -> list[Cycle]:
    # Circle, beginning at its first module by name → its edges, and name needed too early → modules imported first.
    found: dict[tuple[str, ...], tuple[tuple[Edge, ...], dict[str, list[str]]]] = {}
    group_of = {module: group for group in groups for module in group}
    rehearsal = Rehearsal(graph)
    for entry in sorted(group_of):
        failure = rehearsal.run(entry)
        if failure is not None:
            wanted, edges = failure
            first = min(range(len(edges)), key=lambda index: edges[index].source)
            edges = edges[first:] + edges[:first]
            key = tuple(edge.source for edge in edges)
            found.setdefault(key, (edges, {}))[1].setdefault(wanted, []).append(entry)
        if rehearsal.acted > BUDGET:
            break
    return [
        Cycle(
            edges,
            tuple(group_of.get(modules[0], sorted(modules))),
            tuple((wanted, tuple(entries)) for wanted, entries in failures.items()),
        )
        for modules, (edges, failures) in found.items()
    ]


@dataclass
class _Running:
    """A module that is being imported: how far it is, what it has bound, and the import that started it."""

    module: str
    at: int = 0
    bound: set[str] = field(default_factory=set)
    step: Edge | None = None


class Rehearsal:
    """Acts out imports: who starts whom, and which names are bound by then.

    Args:
        graph: the imports.
    """

    def __init__(self, graph: ImportGraph) -> None:
        self.graph = graph
        # Module → what happens while it is imported.
        self._events: dict[str, list[tuple[Binding | Reference, Target | None]]] = {}
        # Module → the packages that are imported before it, and itself.
        self._chains: dict[str, list[str]] = {}
        # How many events have been acted out.
        self.acted = 0

    def run(self, entry: str) -> tuple[str, tuple[Edge, ...]] | None:
        """Import ``entry`` first, which means its packages before it.

        Returns:
            The name that is needed too early and the circle that leads there, ``None`` where it works.
        """
        done: set[str] = set()
        for first in self._chain(entry):
            if first not in done:
                failure = self._import(first, done)
                if failure is not None:
                    return failure
        return None

    def _import(self, first: str, done: set[str]) -> tuple[str, tuple[Edge, ...]] | None:
        stack = [_Running(first)]
        running = {first: stack[0]}
        while stack:
            current = stack[-1]
            events = self._events_of(current.module)
            if current.at >= len(events):
                stack.pop()
                del running[current.module]
                done.add(current.module)
                continue
            self.acted += 1
            event, target = events[current.at]
            if isinstance(event, Binding) or target is None:
                assert isinstance(event, Binding)
                current.bound.add(event.name)
                current.at += 1
                continue
            needed = next((m for m in self._chain(target.module) if m not in done and m not in running), None)
            if needed is not None:
                # The event itself comes again when that is imported.
                stack.append(_Running(needed, step=Edge(current.module, needed, event)))
                running[needed] = stack[-1]
                continue
            current.at += 1
            if event.name == "*":
                current.bound |= self._public(target.module)
            busy = running.get(target.module)
            if busy is None or target.needs is None or target.needs in busy.bound:
                continue
            steps = [each.step for each in stack if each.step is not None]
            if event.guarded or any(step.reference.guarded for step in steps):
                return None
            return _circle([*steps, Edge(current.module, target.module, event)], target)
        return None

    def _public(self, module: str) -> set[str]:
        """What ``from module import *`` binds, as far as the text of the module shows."""
        source = self.graph.survey.source(module)
        return {name for name in source.bindings if not name.startswith("_")} if source is not None else set()

    def _events_of(self, module: str) -> list[tuple[Binding | Reference, Target | None]]:
        if module not in self._events:
            self._events[module] = list(self.graph.events(module))
        return self._events[module]

    def _chain(self, module: str) -> list[str]:
        if module not in self._chains:
            parts = module.split(".")
            names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
            self._chains[module] = [name for name in names if name in self.graph.survey.files]
        return self._chains[module]


def _circle(steps: list[Edge], target: Target) -> tuple[str, tuple[Edge, ...]]:
    start = next(index for index, edge in enumerate(steps) if edge.source == target.module)
    return f"{target.module}.{target.needs}", tuple(steps[start:])
