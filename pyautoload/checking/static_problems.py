"""The problems that a survey shows: nothing of the user's code is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import inflection

from pyautoload.checking.import_cycles import Cycle, find_cycles
from pyautoload.checking.import_graph import Edge, ImportGraph, Target
from pyautoload.checking.problem import ERROR, NOTE, WARNING, Problem
from pyautoload.checking.source_imports import FUNCTION, IMPORT_TIME, ModuleSource
from pyautoload.checking.survey import Survey
from pyautoload.importing.installed import hidden_by
from pyautoload.lifecycle import taken_namespace
from pyautoload.likely_names import RULE, TYPO, likely_name
from pyautoload.tree.inflector import folded, is_name
from pyautoload.tree.introspection import unusable_stems
from pyautoload.tree.managed_paths import Root
from pyautoload.tree.registry import Namespace

__all__ = ["expected_name_problem", "static_problems"]


def static_problems(survey: Survey, graph: ImportGraph) -> Iterator[Problem]:
    """Every problem that the texts and the directories show, in no particular order."""
    yield from _conflicts(survey)
    yield from _taken_namespaces(survey)
    for space in survey.spaces:
        for stem, error in unusable_stems(survey.tree, survey.naming.inflector, space):
            remedy = f'rename it, ignore it, or give it a name: loader.inflect({{"{stem}": "Name"}})'
            reason = str(error).partition(": ")[2].partition(",")[0]
            if is_name(stem):
                message = f"{reason}, so no name is expected of it: it can be imported as a module"
                yield Problem("invalid-name", WARNING, message, error.path, remedy=remedy)
                continue
            yield Problem("invalid-name", ERROR, f"{reason}, so it cannot be imported", error.path, remedy=remedy)
        for path, taken in sorted(space.shadowed.items()):
            remedy = "rename one of them, change the order of the roots, or ignore this one"
            yield Problem("shadowed", WARNING, f"it is never loaded: it is shadowed by {taken}", path, remedy=remedy)
        yield from _same_name(survey, space.name)
        yield from _hidden_by_module(survey, space)
    for path, why in sorted(survey.left_out.items()):
        remedy = "fix it, remove it, or ignore it: everything beside it is managed"
        yield Problem("left-out", WARNING, f"it is left out: it {why}", path, remedy=remedy)
    for module, path in survey.files.items():
        source = survey.source(module)
        if source is not None and source.error is not None:
            yield Problem("syntax", ERROR, f"SyntaxError: {source.error.msg}", path, source.error.lineno, module)
    yield from _unknown_names(survey, graph)
    yield from _missing_attributes(survey, graph)
    for cycle in find_cycles(graph):
        yield _cycle_problem(survey, cycle)


def _conflicts(survey: Survey) -> Iterator[Problem]:
    for error in survey.conflicts:
        message, _, remedy = str(error).partition(". ")
        yield Problem("conflict", ERROR, message, error.paths[-1], remedy=remedy)


def _taken_namespaces(survey: Survey) -> Iterator[Problem]:
    """A root that is called like a module of others, without having been given that namespace."""
    for root in survey.config.roots.values():
        if not root.namespace or root.explicit or any(r.explicit for r in _sharing(survey, root)):
            continue
        taken = hidden_by(root.namespace, root.path)
        if taken is not None:
            message, _, remedy = str(taken_namespace(root, taken)).partition(". ")
            yield Problem("conflict", ERROR, message, root.path, remedy=remedy)


def _sharing(survey: Survey, root: Root) -> list[Root]:
    return [other for other in survey.config.roots.values() if other.namespace == root.namespace]


def _same_name(survey: Survey, namespace: str) -> Iterator[Problem]:
    space = survey.tree.registry.namespace(namespace)
    first: dict[str, str] = {}
    for stem, path in sorted(space.modules.items()) if space is not None else ():
        for name in survey.naming.expected_names(stem, path)[:1]:
            taken = first.setdefault(name, path)
            if taken is not path:
                full = f"{namespace}.{name}" if namespace else name
                message = f"{full} is the expected name of both {taken} and this file: the first one is loaded"
                yield Problem("conflict", ERROR, message, path, remedy="rename one of them, or inflect its stem")


def _hidden_by_module(survey: Survey, space: Namespace) -> Iterator[Problem]:
    """Classes in files of exactly their own name: that name is the module, where Python binds submodules."""
    for stem, path in sorted(space.modules.items()):
        full = f"{space.name}.{stem}" if space.name else stem
        source = survey.source(full) if full in survey.files and not survey.is_package(full) else None
        binding = source.bindings.get(stem) if source is not None else None
        if binding is None or binding.sort != "class" or stem.islower():
            continue
        message = f"{full} is the module, not the class in it, which is {full}.{stem}"
        remedy = f"rename the file to {inflection.underscore(stem)}.py: {full} is the class then"
        yield Problem("expected-name", WARNING, message, path, binding.line, full, remedy)


# Names


def expected_name_problem(survey: Survey, module: str, defined: list[str], asked: Edge | None) -> Problem | None:
    """The problem of a file that does not define its expected name.

    Args:
        survey: the tree.
        module: the module.
        defined: the public names that it defines instead.
        asked: an import that asks for the expected name, if there is one.

    Returns:
        An error where the name is asked for, a warning where the file defines a class or the like under another
        name, else a note: a file of functions is a module like any other.
    """
    path, stem = survey.files[module], module.rpartition(".")[2]
    names = survey.naming.expected_names(stem, path)
    if not names or survey.is_package(module) or not path.endswith(".py"):
        return None
    like = likely_name(stem, names[0], defined)
    instead = f"it defines {_listed(defined)}" if defined else "it defines no name of its own"
    if names[0] in defined:
        like, instead = None, f"{names[0]} is not there when the file has run: is it deleted?"
    severity = ERROR if asked is not None else WARNING if like is not None else NOTE
    message = f"it is expected to define {names[0]}, but {instead}"
    if asked is not None:
        place = f"{survey.files[asked.source]}:{asked.reference.line}"
        message += f"; {place} asks for it"
    remedy = _remedy(stem, names[0], like, severity, defined)
    return Problem("expected-name", severity, message, path, None, module, remedy)


def _remedy(stem: str, expected: str, like: tuple[str, str] | None, severity: str, defined: list[str]) -> str:
    """What to do about a file that does not define its expected name."""
    if like is None:
        if severity == ERROR:
            return f"define {expected} there, or import the module and use what it defines"
        return "fine for a module of functions; plain_modules in pyproject.toml says that it is on purpose"
    name, kind = like
    file = f"{inflection.underscore(name)}.py"
    if kind == RULE:
        rule = f'inflections = {{ {stem} = "{name}" }} in pyproject.toml'
        return f'loader.inflect({{"{stem}": "{name}"}}), or {rule}; or rename the file to {file}'
    if kind == TYPO:
        return f"did you mean {expected}? Rename {name}, or rename the file to {file}"
    if sum(one[:1].isupper() for one in defined) > 1:
        return "give each class a file of its own, or add this one to plain_modules in pyproject.toml"
    return f"rename the file to {file}, or add it to plain_modules in pyproject.toml"


def _listed(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _unknown_names(survey: Survey, graph: ImportGraph) -> Iterator[Problem]:
    for module, found in sorted(graph.unknown.items()):
        for reference, unknown in found:
            if reference.guarded or reference.kind not in (IMPORT_TIME, FUNCTION):
                continue
            message = f"there is no {unknown.namespace}.{unknown.name}"
            message += "" if reference.kind == IMPORT_TIME else " (this fails when the function is called)"
            remedy = f"did you mean {unknown.suggestion}?" if unknown.suggestion else "no file stands for that name"
            path = survey.files[module]
            yield Problem("unknown-name", ERROR, message, path, reference.line, module, remedy)


def _missing_attributes(survey: Survey, graph: ImportGraph) -> Iterator[Problem]:
    """``from blog.models.post import Pots``, where that file binds no such name."""
    for edge in graph.all_edges():
        target = graph.resolve(edge.reference)
        if not isinstance(target, Target) or target.needs is None or edge.reference.how != "from":
            continue
        if edge.reference.guarded or edge.reference.kind not in (IMPORT_TIME, FUNCTION):
            continue
        if is_expected(survey, target) or not surely_lacks(survey.source(target.module), target.needs):
            continue
        message = f"{target.module} does not define {target.needs}"
        remedy = f"correct the name, or define it in {survey.files[target.module]}"
        yield Problem(
            "unknown-name", ERROR, message, survey.files[edge.source], edge.reference.line, edge.source, remedy
        )


def is_expected(survey: Survey, target: Target) -> bool:
    """Whether what is asked of a module is its expected name: its absence is told at the file itself."""
    stem = target.module.rpartition(".")[2]
    names = survey.naming.expected_names(stem, survey.files[target.module])
    return target.needs is not None and any(folded(name) == folded(target.needs) for name in names)


def surely_lacks(source: ModuleSource | None, name: str) -> bool:
    """Whether a file shows that it does not bind a name."""
    return (
        source is not None
        and source.error is None
        and not source.dynamic
        and not (name in source.bindings or name in source.declared)
    )


def asked_for(survey: Survey, graph: ImportGraph) -> dict[str, Edge]:
    """Module → the first import that asks for its expected name."""
    asked: dict[str, Edge] = {}
    for edge in graph.all_edges():
        target = graph.resolve(edge.reference)
        if not isinstance(target, Target) or target.needs is None or not is_expected(survey, target):
            continue
        if surely_lacks(survey.source(target.module), target.needs):
            asked.setdefault(edge.target, edge)
    return asked


def missing_expected_names(survey: Survey, graph: ImportGraph, modules: Iterable[str]) -> Iterator[Problem]:
    """The files among ``modules`` whose text does not show their expected name."""
    asked = asked_for(survey, graph)
    for module in modules:
        source = survey.source(module)
        if source is None or source.error is not None or source.dynamic or survey.defined_name(module) is not None:
            continue
        problem = expected_name_problem(survey, module, source.public(), asked.get(module))
        if problem is not None:
            yield problem


# Cycles


def _cycle_problem(survey: Survey, cycle: Cycle) -> Problem:
    first = cycle.edges[0]
    circle = " → ".join([*cycle.modules, first.source])
    details = [
        f"{edge.source} imports {edge.target} at {survey.files[edge.source]}:{edge.reference.line}"
        for edge in cycle.edges
    ]
    path = survey.files[first.source]
    if not cycle.failures:
        message = f"{circle}: tolerated, no name is needed before it is there"
        if len(cycle.members) > len(cycle.edges):
            message += f" (a circle of a group of {len(cycle.members)} modules)"
        return Problem(
            "tolerated-cycle", NOTE, message, path, first.reference.line, first.source, details=tuple(details)
        )
    message = f"{circle}: a name is needed before it is defined"
    for wanted, entries in cycle.failures:
        first_one = entries[0] if len(entries) == 1 else f"one of {_listed(list(entries), 3)}"
        details.append(f"{wanted} is not there yet when {first_one} is imported first")
    remedy = (
        "import inside the function that needs the name, use it through its namespace at the time of use, "
        "or move what both need into a third file"
    )
    return Problem("cycle", ERROR, message, path, first.reference.line, first.source, remedy, tuple(details))
