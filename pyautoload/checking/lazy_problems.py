"""What lazy imports delay: files whose run others may count on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pyautoload.checking.problem import WARNING, Problem
from pyautoload.sources import source_for
from pyautoload.syntax.relative_imports import absolute_module

if TYPE_CHECKING:
    from pyautoload.checking.survey import Survey

__all__ = ["delayed_effects", "lazily_imported"]


def lazily_imported(survey: Survey) -> dict[str, tuple[str, int]]:
    """Each module that a managed file imports lazily → the first statement that does: file and line."""
    from pyautoload.lazy.imports.code_rewriting import FROM, lazy_statements

    found: dict[str, tuple[str, int]] = {}
    for module, path in survey.files.items():
        policy = survey.config.lazy_for(path) if path.endswith(".py") else None
        if policy is None:
            continue
        try:
            source = source_for(path).read(path)
            code = compile(source, path, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError):
            continue  # told by others
        package = module if survey.tree.namespace(module) is not None else module.rpartition(".")[0]
        for kind, line, level, name, attributes, _ in lazy_statements(code, lambda source=source: source):  # type: ignore[misc]
            full = absolute_module(name, level, package)
            if full is None:
                continue
            names = [full, *(f"{full}.{each}" for each in attributes)] if kind == FROM else [full]
            if not any(map(policy.is_eager, names)):
                for each in names:
                    found.setdefault(each, (path, line))
    return found


def delayed_effects(survey: Survey, effects: Mapping[str, Iterable[str]]) -> list[Problem]:
    """The files that change something outside of themselves, and are imported lazily.

    Args:
        survey: of the tree.
        effects: module → what its run changes, in words.
    """
    lazily = lazily_imported(survey)
    found = []
    for module, changes in sorted(effects.items()):
        words = sorted(changes)
        if not words or module not in lazily:
            continue
        path, line = lazily[module]
        shown = "; ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
        message = f"its import {shown}, and with lazy imports that waits until a name of it is used"
        remedy = f'keep it eager, if others count on that: except_for = ["{module}"]'
        details = (f"imported lazily at {path}:{line}",)
        found.append(Problem("lazy-effect", WARNING, message, survey.files.get(module), None, module, remedy, details))
    return found
