"""Import cycles: where they are, and by acting out the imports, which of them fail and which are tolerated."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from pyautoload.checking.graph import Edge, ImportGraph, Target
from pyautoload.checking.imports import Binding, Reference

__all__ = ["Cycle", "components", "find_cycles"]

# How many events (bindings, imports) are acted out for one group of modules before its other entries are left out.
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
    for members in components({module: sorted(graph.targets(module)) for module in graph.edges}):
        failing = _failing(graph, members)
        if failing:
            yield from failing
            continue
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


def _failing(graph: ImportGraph, members: list[str]) -> list[Cycle]:
    # Circle, beginning at its first module by name → its edges, and name needed too early → modules imported first.
    found: dict[tuple[str, ...], tuple[tuple[Edge, ...], dict[str, list[str]]]] = {}
    rehearsal = Rehearsal(graph, members)
    for entry in members:
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
        Cycle(edges, tuple(members), tuple((wanted, tuple(entries)) for wanted, entries in failures.items()))
        for edges, failures in found.values()
    ]


class Rehearsal:
    """Acts out the imports of one group of modules: who starts whom, and which names are bound by then.

    Args:
        graph: the imports.
        members: the group; what lies outside is taken as imported.
    """

    def __init__(self, graph: ImportGraph, members: list[str]) -> None:
        self.graph = graph
        self.events: dict[str, list[tuple[Binding | Reference, Target | None]]] = {}
        inside = set(members)
        for module in members:
            events = graph.events(module)
            self.events[module] = [(event, to) for event, to in events if to is None or to.module in inside]
        # How many events have been acted out.
        self.acted = 0

    def run(self, entry: str) -> tuple[str, tuple[Edge, ...]] | None:
        """Import ``entry`` first.

        Returns:
            The name that is needed too early and the circle that leads there, ``None`` where it works.
        """
        done: set[str] = set()
        # Module → the names that it has bound so far, for those that are being imported.
        running: dict[str, set[str]] = {entry: set()}
        stack = [(entry, iter(self.events[entry]))]
        # For each module on the stack but the first: the import that started it.
        steps: list[Edge] = []
        while stack:
            module, events = stack[-1]
            for event, target in events:
                self.acted += 1
                if isinstance(event, Binding):
                    running[module].add(event.name)
                    continue
                assert target is not None
                if target.module in done:
                    continue
                if target.module in running:
                    if self._works(event, target, running[target.module]):
                        continue
                    edge = Edge(module, target.module, event)
                    if self._is_caught(event, steps):
                        return None
                    return _circle([*steps, edge], target)
                steps.append(Edge(module, target.module, event))
                running[target.module] = set()
                stack.append((target.module, iter(self.events[target.module])))
                break
            else:
                stack.pop()
                del running[module]
                done.add(module)
                if steps:
                    steps.pop()
        return None

    @staticmethod
    def _works(event: Reference, target: Target, bound: set[str]) -> bool:
        return target.needs is None or target.needs in bound

    @staticmethod
    def _is_caught(event: Reference, steps: list[Edge]) -> bool:
        return event.guarded or any(edge.reference.guarded for edge in steps)


def _circle(steps: list[Edge], target: Target) -> tuple[str, tuple[Edge, ...]]:
    start = next(index for index, edge in enumerate(steps) if edge.source == target.module)
    return f"{target.module}.{target.needs}", tuple(steps[start:])
