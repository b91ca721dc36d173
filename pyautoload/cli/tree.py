"""``pyautoload tree``: what is managed, as a tree."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from pyautoload.autoloader import AutoLoader
from pyautoload.checking.source_imports import read_source
from pyautoload.cli._output import as_json, json_option, marks
from pyautoload.cli._project import Project, project_options
from pyautoload.printable import printable
from pyautoload.sources import source_for
from pyautoload.tree.registry import Namespace


class Node(NamedTuple):
    """One line of the tree.

    Attributes:
        name: the module name.
        label: what is shown: the name that the file defines, or its stem.
        file: its file, or its directories.
        space: what it holds, if it is a namespace.
        defines: the full name that the file defines for its stem, as far as its text shows.
        loaded: whether it is loaded.
    """

    name: str
    label: str
    file: tuple[str, ...]
    space: Namespace | None
    defines: str | None
    loaded: bool


@click.command()
@project_options
@click.argument("namespace", default="")
@click.option("--depth", type=click.IntRange(min=1), help="How many levels to list; deeper directories are not read.")
@json_option
def command(project: Project, namespace: str, depth: int | None, json_: bool) -> None:
    """Show what is managed: names and the files behind them.

    NAMESPACE shows a part: myapp.models. Directories are read as they are shown. With --loader, what your program has
    loaded by then is marked.
    """
    loader = project.loader()
    if not loader.is_set_up:
        loader.tree.use_roots()
    space = loader.tree.namespace(namespace)
    if namespace and space is None:
        click.echo(f"{printable(namespace)} is not a managed namespace", err=True)
        sys.exit(1)
    tops = _children(loader, space) if space is not None else _tops(loader)
    if namespace and space is not None:
        tops = iter([_namespace_node(loader, space)])
    if json_:
        as_json(_as_dicts(loader, tops, depth))
        return
    drawing = _Drawing(loader, project, depth)
    for node in tops:
        drawing.line("", node)
        drawing.below(node)


class _Drawing:
    def __init__(self, loader: AutoLoader, project: Project, depth: int | None) -> None:
        self.loader = loader
        self.project = project
        self.depth = depth
        self.marks = marks()

    def below(self, node: Node) -> None:
        """All lines below the first one; not by recursion: a tree may be a thousand directories deep."""
        pending = [("", self._children(node, 1))]
        while pending:
            indent, children = pending[-1]
            if not children:
                pending.pop()
                continue
            child = children.pop()
            last = not children
            self.line(indent + (self.marks.last if last else self.marks.branch), child)
            deeper = indent + ("    " if last else self.marks.pipe)
            pending.append((deeper, self._children(child, len(pending) + 1)))

    def _children(self, node: Node, level: int) -> list[Node]:
        """What lies below a node, the first one last."""
        if node.space is None or (self.depth is not None and level >= self.depth):
            return []
        return list(_children(self.loader, node.space))[::-1]

    def line(self, prefix: str, node: Node) -> None:
        colour = "blue" if node.space is not None else "green" if node.defines else None
        label = click.style(printable(node.label), fg=colour, bold=node.space is not None)
        files = ", ".join(self.project.shown(file) for file in node.file)
        notes = [click.style(files, dim=True)]
        if node.space is None and node.defines is None:
            notes.append(click.style("(module)", dim=True))
        if node.loaded:
            notes.append(click.style("loaded", fg="cyan"))
        click.echo(f"{prefix}{label}  {' '.join(notes)}")


def _tops(loader: AutoLoader) -> Iterator[Node]:
    for name in sorted(loader.tree.tops()):
        space = loader.tree.namespace(name)
        if space is not None:
            yield _namespace_node(loader, space)


def _children(loader: AutoLoader, space: Namespace) -> Iterator[Node]:
    for stem in sorted({*space.modules, *space.subdirs, *loader.tree.leads(space.name)}):
        child = loader.tree.child(space, stem)
        if child is not None:
            yield _namespace_node(loader, child)
        elif stem in space.modules:
            yield _module_node(loader, f"{space.name}.{stem}" if space.name else stem, space.modules[stem])


def _namespace_node(loader: AutoLoader, space: Namespace) -> Node:
    files = tuple(path + os.sep for path in space.directories)
    if space.file is not None:
        files = (space.file, *files)
    stem = space.name.rpartition(".")[2]
    defined = _defined(loader, space.name, space.file, is_package=True) if space.file is not None else None
    return Node(space.name, stem, files, space, defined, loader.registry.is_loaded(space.name))


def _module_node(loader: AutoLoader, name: str, path: str) -> Node:
    defined = _defined(loader, name, path, is_package=False)
    label = defined.rpartition(".")[2] if defined else name.rpartition(".")[2]
    return Node(name, label, (path,), None, defined, loader.registry.is_loaded(name))


def _defined(loader: AutoLoader, name: str, path: str, *, is_package: bool) -> str | None:
    """The full name that a file's text shows it to define for its stem."""
    from types import SimpleNamespace

    if not path.endswith(".py"):
        return None
    try:
        data = source_for(path).read(path)
    except OSError:
        return None
    source = read_source(data, path, name, is_package=is_package)
    parent, _, stem = name.rpartition(".")
    short = loader.binder.naming.defined_name(SimpleNamespace(**dict.fromkeys(source.bindings)), stem, path)
    if short is None:
        return None
    return f"{parent}.{short}" if parent else short


def _as_dicts(loader: AutoLoader, tops: Iterator[Node], depth: int | None) -> list[dict[str, Any]]:
    """For JSON: each node with its children; not by recursion, see ``_Drawing.below``."""
    found: list[dict[str, Any]] = []
    pending = [(tops, found, 1)]
    while pending:
        nodes, into, level = pending.pop()
        for node in nodes:
            entry: dict[str, Any] = {
                "name": node.name,
                "kind": "namespace" if node.space is not None else "module",
                "files": list(node.file),
                "defines": node.defines,
                "loaded": node.loaded,
            }
            into.append(entry)
            if node.space is not None and (depth is None or level < depth):
                entry["children"] = []
                pending.append((_children(loader, node.space), entry["children"], level + 1))
    return found
