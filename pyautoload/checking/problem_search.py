"""find_problems: everything that is wrong with a loader's tree, at once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pyautoload.checking.dead_rules import dead_rules
from pyautoload.checking.import_graph import ImportGraph
from pyautoload.checking.lazy_problems import delayed_effects
from pyautoload.checking.problem import ERROR, KINDS, NOTE, Problem
from pyautoload.checking.static_problems import (
    asked_for,
    expected_name_problem,
    missing_expected_names,
    static_problems,
)
from pyautoload.checking.survey import Survey
from pyautoload.checking.trial_import import Trial
from pyautoload.printable import printable
from pyautoload.tree.globs import GlobSet

if TYPE_CHECKING:
    from pyautoload.autoloader import AutoLoader

__all__ = ["find_problems"]

_ORDER = {"error": 0, "warning": 1, "note": 2}


def find_problems(
    loader: AutoLoader,
    *,
    static: bool = False,
    skip: Iterable[str] = (),
    plain: Iterable[str] = (),
    base: str | None = None,
    timeout: float = 60,
    progress: Callable[[int, int, str], object] | None = None,
    loader_name: str | None = None,
    lazy: bool = False,
) -> list[Problem]:
    """Everything that is wrong with what a loader manages. The loader is left as it is, set up or not.

    Args:
        loader: whose roots, patterns and inflector hold.
        static: run nothing of the user's code; otherwise each module is imported too, in a child process.
        skip: kinds to leave out.
        plain: patterns of files that define no expected name on purpose.
        base: what relative ones of these start from; by default the working directory.
        timeout: after how many seconds a module counts as one whose import never ends.
        progress: called with ``(done, total, name)`` as modules are imported.
        loader_name: ``"module:name"`` where the program makes this loader, for the child to do the same.
        lazy: also look for what lazy imports delay and others may count on; they need not be switched on for it.

    Returns:
        The problems, errors first, then by place.

    Raises:
        SetupError: a kind that does not exist, or the loader cannot be made in the child process.
    """
    skipped = _checked_kinds(skip)
    survey = Survey(loader.config, loader.inflector)
    if lazy and survey.config.lazy is None:
        survey.config.make_lazy((), ())
    graph = ImportGraph(survey)
    problems = [*static_problems(survey, graph), *dead_rules(loader.config, survey)]
    if static:
        problems += missing_expected_names(survey, graph, survey.files)
    else:
        modules = [name for name in survey.files if name.rpartition(".")[2] != "__main__"]
        trial = Trial(survey.config, loader.inflector, timeout=timeout, progress=progress, loader=loader_name)
        problems += _Dynamic(survey, graph, problems, trial.run(modules, survey.files)).problems()
        if survey.config.lazy is not None:
            problems = [_cured(problem, trial) for problem in problems]
        if lazy:
            eager = Trial(survey.config, loader.inflector, timeout=timeout, loader=loader_name, effects=True)
            problems += delayed_effects(survey, eager.run(modules, survey.files).effects)
    silent = GlobSet()
    silent.use_roots(tuple(loader.config.roots))
    silent.add(plain, base=base)
    kept = [problem for problem in problems if problem.kind not in skipped and not _is_plain(problem, silent)]
    return sorted(set(kept), key=_place)


def _cured(problem: Problem, trial: Trial) -> Problem:
    """A circle that fails, as one that works, where lazy imports have let all of its modules be imported."""
    members = {line.partition(" imports ")[0] for line in problem.details if " imports " in line}
    if problem.kind != "cycle" or not members or trial.crashes:
        return problem
    if any("error" in trial.outcomes.get(module, {"error": ""}) for module in members):
        return problem
    message = f"{problem.message}; cured by lazy imports, without them it fails"
    return dataclasses.replace(problem, kind="tolerated-cycle", severity=NOTE, message=message, remedy="")


def _checked_kinds(skip: Iterable[str]) -> frozenset[str]:
    from pyautoload.errors import SetupError

    kinds = frozenset(skip)
    for kind in sorted(kinds - set(KINDS)):
        raise SetupError(f"unknown kind of problem {kind!r}; known: {', '.join(KINDS)}")
    return kinds


def _is_plain(problem: Problem, plain: GlobSet) -> bool:
    if problem.kind != "expected-name" or problem.path is None or problem.severity == ERROR:
        return False
    return plain.matches(problem.path)


def _place(problem: Problem) -> tuple[int, str, int, str, str]:
    return _ORDER[problem.severity], problem.path or "", problem.line or 0, problem.kind, problem.message


class _Dynamic:
    """What a trial adds to the static problems: nothing is told twice, and one cause is one problem."""

    def __init__(self, survey: Survey, graph: ImportGraph, known: list[Problem], trial: Trial) -> None:
        self.survey = survey
        self.graph = graph
        self.trial = trial
        self._known_places = {(p.path, p.line) for p in known if p.kind == "unknown-name"}
        self._known_syntax = {p.path for p in known if p.kind == "syntax"}
        self._cycles = [p for p in known if p.kind == "cycle"]

    def problems(self) -> list[Problem]:
        """The crashes, the modules that cannot be imported, and the expected names that are not there."""
        found = [self._crash(module) for module in self.trial.crashes]
        found += self._failures()
        asked = asked_for(self.survey, self.graph)
        imported: list[str] = []
        for module, outcome in self.trial.outcomes.items():
            if "error" in outcome:
                continue
            imported.append(module)
            if outcome["defined"] is None:
                source = self.survey.source(module)
                defined = outcome["public"] if source is None or source.dynamic else source.public()
                problem = expected_name_problem(self.survey, module, defined, asked.get(module))
                found += [problem] if problem is not None else []
        # What could not be imported can still be read.
        others = [module for module in self.survey.files if module not in set(imported)]
        missing = missing_expected_names(self.survey, self.graph, others)
        return [*found, *(problem for problem in missing if problem.is_finding)]

    def _crash(self, module: str) -> Problem:
        how, output, also = self.trial.crashes[module]
        details = [*output, *_also(also)]
        path = self.survey.files.get(module)
        remedy = "do at import time only what cannot fail; what ends a program belongs into a function"
        return Problem("crash", ERROR, f"its import {how}", path, None, module, remedy, tuple(details))

    def _failures(self) -> list[Problem]:
        found: dict[str, Problem] = {}
        because: dict[str, list[str]] = {}
        failed = {module: outcome for module, outcome in self.trial.outcomes.items() if "error" in outcome}
        for module, outcome in failed.items():
            culprit = outcome["culprit"]
            if culprit is not None and culprit != module and culprit in failed:
                because.setdefault(culprit, []).append(module)
            elif not self._is_known(outcome):
                found[module] = self._failure(module, outcome)
        for culprit, modules in because.items():
            if culprit in found:
                known = found[culprit]
                found[culprit] = dataclasses.replace(known, details=(*known.details, *_also(modules)))
        return list(found.values())

    def _is_known(self, outcome: dict[str, Any]) -> bool:
        """Whether the texts have told of it already."""
        path, line, error = outcome["path"], outcome["line"], outcome["error"]
        if (path, line) in self._known_places or path in self._known_syntax:
            return True
        if error == "ExpectedNameError":
            return True  # told at the file itself, as somebody asks for the name
        if error == "CircularDependencyError":
            return any(f"{path}:{line}" in detail for problem in self._cycles for detail in problem.details)
        return False

    def _failure(self, module: str, outcome: dict[str, Any]) -> Problem:
        path = outcome["path"] or self.survey.files.get(module)
        if outcome["exits"]:
            message = f"its import calls sys.exit({outcome['message']})"
            return Problem("crash", ERROR, message, path, outcome["line"], module, "call it in a function")
        lines = str(outcome["message"]).splitlines() or [""]
        message = f"{outcome['error']}: {lines[0]}" if outcome["error"] != "SyntaxError" else lines[0]
        return Problem("import", ERROR, message, path, outcome["line"], module, details=tuple(lines[1:]))


def _also(modules: list[str]) -> list[str]:
    if not modules:
        return []
    more = f" and {len(modules) - 5} more" if len(modules) > 5 else ""
    return [f"not importable because of it: {', '.join(modules[:5])}{more}"]


def relative_to(directory: str, problem: Problem) -> Problem:
    """The same problem as it is shown: paths as seen from a directory, where they lie in it; no control characters."""
    prefix = directory.rstrip(os.sep) + os.sep

    def shown(text: str) -> str:
        return printable(text.replace(prefix, ""))

    return dataclasses.replace(
        problem,
        path=printable(problem.path.removeprefix(prefix)) if problem.path else None,
        module=printable(problem.module) if problem.module else None,
        message=shown(problem.message),
        details=tuple(map(shown, problem.details)),
        remedy=shown(problem.remedy),
    )
