"""An import graph as text, Mermaid, DOT, JSON, and as the data of a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pyautoload.checking.import_cycles import Cycle, find_cycles
from pyautoload.checking.import_graph import Edge, ImportGraph
from pyautoload.checking.source_imports import FUNCTION, IMPORT_TIME, TYPING
from pyautoload.sources import source_for

__all__ = ["KINDS", "Picture"]

KINDS = {"import": IMPORT_TIME, "function": FUNCTION, "typing": TYPING}
_INDEX = {IMPORT_TIME: 0, FUNCTION: 1, TYPING: 2}
# How many lines of source before and after an import the page holds.
_AROUND = 3


class Line(NamedTuple):
    """All imports of one module by another, of one kind: its first line, and whether it belongs to a cycle."""

    source: str
    target: str
    kind: str
    line: int
    cycle: Cycle | None


class Picture:
    """What is to be drawn of a graph.

    Args:
        graph: the imports.
        kinds: which of them, as in ``KINDS``.
        only: namespaces or modules; only imports between modules below them are drawn. All without any.
    """

    def __init__(self, graph: ImportGraph, kinds: Iterable[str] = tuple(KINDS), only: Iterable[str] = ()) -> None:
        self.graph = graph
        self.survey = graph.survey
        self.kinds = {KINDS[kind] for kind in kinds}
        self.only = tuple(only)
        self.cycles = list(find_cycles(graph))
        # Module → the cycle that it belongs to; one that fails comes before one that is tolerated.
        self._cycle_of: dict[str, Cycle] = {}
        for cycle in sorted(self.cycles, key=lambda cycle: not cycle.failures):
            for module in cycle.members:
                self._cycle_of.setdefault(module, cycle)
        self.modules = [module for module in self.survey.files if self._is_wanted(module)]

    def _is_wanted(self, module: str) -> bool:
        return not self.only or any(module == name or module.startswith(f"{name}.") for name in self.only)

    def edges(self) -> Iterator[Edge]:
        """The imports to draw, by module and line."""
        wanted = set(self.modules)
        for edge in self.graph.all_edges():
            if edge.source in wanted and edge.target in wanted and edge.reference.kind in self.kinds:
                yield edge

    def cycle_of(self, edge: Edge) -> Cycle | None:
        """The cycle that an import is part of."""
        cycle = self._cycle_of.get(edge.source)
        if edge.reference.kind != IMPORT_TIME or cycle is None or self._cycle_of.get(edge.target) is not cycle:
            return None
        return cycle

    def lines(self) -> list[Line]:
        """The imports, one for each pair of modules and kind."""
        found: dict[tuple[str, str, str], Line] = {}
        for edge in self.edges():
            reference = edge.reference
            key = edge.source, edge.target, reference.kind
            found.setdefault(key, Line(*key, reference.line, self.cycle_of(edge)))
        return list(found.values())

    # Formats

    def text(self) -> Iterator[str]:
        """Each module, and indented below it what it imports."""
        by_source: dict[str, list[Line]] = {}
        for line in self.lines():
            by_source.setdefault(line.source, []).append(line)
        for module in self.modules:
            yield module
            for line in by_source.get(module, ()):
                kind = "" if line.kind == IMPORT_TIME else f", {_SHORT[line.kind]}"
                circle = "" if line.cycle is None else ", cycle" if line.cycle.failures else ", tolerated cycle"
                yield f"    imports {line.target} (line {line.line}{kind}{circle})"
        for cycle in self.cycles:
            if any(module in self.modules for module in cycle.members):
                yield f"{'cycle' if cycle.failures else 'tolerated cycle'}: {_circle(cycle)}"

    def mermaid(self) -> Iterator[str]:
        """A Mermaid flow chart, a subgraph for each namespace."""
        ids = {module: f"m{index}" for index, module in enumerate(self.modules)}
        yield "flowchart LR"
        for namespace, modules in self._clusters():
            yield f'    subgraph {ids[modules[0]]}_ns["{namespace or "top level"}"]'
            for module in modules:
                yield f'        {ids[module]}["{self._label(module)}"]'
            yield "    end"
        failing: list[int] = []
        tolerated: list[int] = []
        for index, line in enumerate(self.lines()):
            arrow = "-->" if line.kind == IMPORT_TIME else "-.->"
            yield f"    {ids[line.source]} {arrow} {ids[line.target]}"
            if line.cycle is not None:
                (failing if line.cycle.failures else tolerated).append(index)
        for numbers, colour in ((failing, "#cf222e"), (tolerated, "#bf8700")):
            if numbers:
                yield f"    linkStyle {','.join(map(str, numbers))} stroke:{colour},stroke-width:2px"

    def dot(self) -> Iterator[str]:
        """A Graphviz graph, a cluster for each namespace."""
        yield "digraph imports {"
        yield '    rankdir=LR; node [shape=box, fontname="sans-serif", fontsize=10]; edge [color="#57606a"];'
        for index, (namespace, modules) in enumerate(self._clusters()):
            yield f"    subgraph cluster_{index} {{"
            yield f"        label={_quoted(namespace or 'top level')};"
            for module in modules:
                tip = self.survey.files[module]
                yield f"        {_quoted(module)} [label={_quoted(self._label(module))}, tooltip={_quoted(tip)}];"
            yield "    }"
        for line in self.lines():
            style = {IMPORT_TIME: "solid", FUNCTION: "dashed", TYPING: "dotted"}[line.kind]
            colour = "" if line.cycle is None else f', color="{"#cf222e" if line.cycle.failures else "#bf8700"}"'
            yield f"    {_quoted(line.source)} -> {_quoted(line.target)} [style={style}{colour}];"
        yield "}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: modules, imports with file and line, cycles."""
        return {
            "modules": [
                {"name": module, "file": self.survey.files[module], "defines": self._defines(module)}
                for module in self.modules
            ],
            "imports": [
                {
                    "source": edge.source,
                    "target": edge.target,
                    "kind": edge.reference.kind,
                    "file": self.survey.files[edge.source],
                    "line": edge.reference.line,
                    "cycle": self.cycle_of(edge) is not None,
                }
                for edge in self.edges()
            ],
            "cycles": [
                {"modules": cycle.modules, "members": list(cycle.members), "fails": bool(cycle.failures)}
                for cycle in self.cycles
            ],
        }

    def page_data(self, title: str, directory: str, editor: str) -> dict[str, Any]:
        """What the page's script reads.

        Args:
            title: of the page.
            directory: what file names are shown relative to.
            editor: the address that opens a file, with ``{path}`` and ``{line}``.
        """
        index = {module: at for at, module in enumerate(self.modules)}
        # One group of modules is one cycle on the page, however many circles in it fail.
        groups: dict[tuple[str, ...], list[Cycle]] = {}
        for cycle in self.cycles:
            if all(module in index for module in cycle.members):
                groups.setdefault(cycle.members, []).append(cycle)
        number = {module: at for at, members in enumerate(groups) for module in members}
        prefix = directory.rstrip("/\\") + "/"
        edges = list(self.edges())
        return {
            "title": title,
            "directory": directory.replace("\\", "/"),
            "editor": editor,
            "nodes": [
                {
                    "name": module,
                    "file": self.survey.files[module].replace("\\", "/").removeprefix(prefix.replace("\\", "/")),
                    "namespace": self._namespace(module),
                    "defines": self._defines(module),
                    "cycle": number.get(module, -1),
                }
                for module in self.modules
            ],
            "edges": [
                [index[e.source], index[e.target], _INDEX[e.reference.kind], e.reference.line, e.reference.how]
                for e in edges
            ],
            "cycles": [
                {
                    "fails": any(cycle.failures for cycle in cycles),
                    "text": _circle(cycles[0]),
                    "members": [index[module] for module in members],
                }
                for members, cycles in groups.items()
            ],
            "lines": self._excerpts(edges),
        }

    def _excerpts(self, edges: list[Edge]) -> list[dict[int, str]]:
        """For each module the source lines around its imports."""
        wanted: dict[str, set[int]] = {}
        for edge in edges:
            line = edge.reference.line
            wanted.setdefault(edge.source, set()).update(range(line - _AROUND, line + _AROUND + 1))
        found: list[dict[int, str]] = []
        for module in self.modules:
            numbers = wanted.get(module)
            if not numbers:
                found.append({})
                continue
            path = self.survey.files[module]
            text = source_for(path).read(path).decode("utf-8", "replace").splitlines()
            found.append({number: text[number - 1] for number in sorted(numbers) if 0 < number <= len(text)})
        return found

    # Names

    def _namespace(self, module: str) -> str:
        return module if self.survey.is_package(module) else module.rpartition(".")[0]

    def _clusters(self) -> list[tuple[str, list[str]]]:
        clusters: dict[str, list[str]] = {}
        for module in self.modules:
            clusters.setdefault(self._namespace(module), []).append(module)
        return sorted(clusters.items())

    def _defines(self, module: str) -> str | None:
        name = self.survey.defined_name(module)
        parent = module.rpartition(".")[0]
        return None if name is None else f"{parent}.{name}" if parent else name

    def _label(self, module: str) -> str:
        return self.survey.defined_name(module) or module.rpartition(".")[2]


_SHORT = {FUNCTION: "in a function", TYPING: "for type checkers"}


def _circle(cycle: Cycle) -> str:
    return " → ".join([*cycle.modules, cycle.modules[0]])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
