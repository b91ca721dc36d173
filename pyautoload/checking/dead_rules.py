"""Dead rules: patterns that match no path, inflections of stems that no file has."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pyautoload.checking.problem import WARNING, Problem
from pyautoload.checking.survey import Survey
from pyautoload.sources import source_for
from pyautoload.tree.inflector import Inflector, normalized
from pyautoload.tree.managed_paths import Config, hidden

__all__ = ["dead_rules"]


def dead_rules(config: Config, survey: Survey) -> Iterator[Problem]:
    """The patterns of a configuration that match nothing now, and the inflections that no file asks for.

    Args:
        config: the loader's own, not the survey's copy: that has patterns added.
        survey: whose inflector is looked at.
    """
    waiting = {
        (option, pattern): globs.only(pattern)
        for option, globs in (
            ("ignore", config.ignored),
            ("collapse", config.collapsed),
            ("do_not_eager_load", config.not_eager),
            ("do_not_reload", config.not_reloaded),
        )
        for pattern in globs.patterns
    }
    stems: set[str] = set()
    for path in _all_paths(config):
        stems.add(normalized(os.path.splitext(os.path.basename(path))[0]))
        for key in [key for key, globs in waiting.items() if globs.matches(path)]:
            del waiting[key]
    for option, pattern in waiting:
        message = f"{option}({pattern!r}) matches no file or directory"
        yield Problem("dead-pattern", WARNING, message, remedy="correct the pattern, or remove it")
    if isinstance(survey.naming.inflector, Inflector):
        for stem, name in sorted(survey.naming.inflector.overrides.items()):
            if stem not in stems:
                message = f"inflect({{{stem!r}: {name!r}}}): no file or directory has that stem"
                yield Problem("dead-pattern", WARNING, message, remedy="correct the stem, or remove the rule")


def _all_paths(config: Config) -> Iterator[str]:
    """The roots, and every file and directory below them, whether it is managed or not."""
    for root in config.roots:
        yield root
        yield from _below(root)


def _below(directory: str) -> Iterator[str]:
    pending = [directory]
    while pending:
        current = pending.pop()
        try:
            entries = list(source_for(current).list(current))
        except OSError:
            continue  # it cannot be read, or has gone
        for entry in entries:
            is_directory = _is_dir(entry)
            if is_directory and hidden(entry.name):
                continue
            yield entry.path
            if is_directory and not entry.is_symlink():
                pending.append(entry.path)


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads to itself, or below a file
